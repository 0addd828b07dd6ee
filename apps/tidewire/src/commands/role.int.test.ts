import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../exit.js';
import { type CommandPlace, openCommandPlace } from './commands.fixture.js';
import { createRole, deleteRole, listRoles, showRole, updateRole } from './role.js';

const database = 'default';
let place: CommandPlace;

beforeAll(async () => {
  place = await openCommandPlace(database);
});
afterAll(() => place.close());

test('a role is made, shown, changed, listed and deleted from the command line', async () => {
  const { core, at } = place;
  expect(await listRoles(core, { database, json: false })).toContain('has no role');
  const rules = at('rules.json');
  writeFileSync(rules, '{"note":{"q":{"owner":"$user.sub"}}}');
  const made = await createRole(core, 'author', { database, rest: ['*:note'], rules, json: false });
  expect(made).toBe('The role author is made. It may: rest=*:note.\n');
  expect(JSON.parse(await showRole(core, 'author', { database }))).toMatchObject({
    name: 'author',
    rest: ['*:note'],
    rules: { note: { q: { owner: '$user.sub' } } },
  });
  const changed = await updateRole(core, 'author', { database, listen: ['PATCH:note'], json: true });
  expect(JSON.parse(changed)).toMatchObject({ rest: ['*:note'], listen: ['PUT:note'] });
  expect(await listRoles(core, { database, json: false })).toMatch(/author +rest=\*:note listen=PUT:note +note/);
  expect(await deleteRole(core, 'author', { database })).toContain('is deleted');
  await expect(deleteRole(core, 'author', { database })).rejects.toThrow('no role with this name');
  const entries = (await core.audit.list({ actor: 'cli' }, 100)).data.map(({ action, subject }) => [action, subject]);
  expect(entries).toEqual(['role.delete', 'role.update', 'role.create'].map((action) => [action, 'author']));
});

test('what is wrong is named, and nothing is made', async () => {
  const { core, at } = place;
  const rules = at('wrong.json');
  writeFileSync(rules, '{"note":{"q":{"owner":"$user.name"}}}');
  const options = { database, json: false };
  await expect(createRole(core, 'wrong', { ...options, rules })).rejects.toThrow('/rules/note/q/owner');
  await expect(createRole(core, 'wrong', { ...options, rest: ['GET'] })).rejects.toThrow(UsageError);
  await expect(createRole(core, 'wrong', { ...options, rules: at('nosuch.json') })).rejects.toThrow(UsageError);
  expect(await listRoles(core, { database, json: true })).toBe('[]\n');
});
