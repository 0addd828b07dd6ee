import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../exit.js';
import { disableAdminTotp, inviteAdmin, listAdmins, resetAdminPassword } from './admin.js';
import { type CommandPlace, openCommandPlace } from './commands.fixture.js';
import { createDatabase, deleteDatabase, listDatabases, renameDatabase } from './database.js';

let place: CommandPlace;

beforeAll(async () => {
  place = await openCommandPlace('default');
});
afterAll(() => place.close());

const actions = async () => (await place.core.audit.list({ actor: 'cli' }, 100)).data.map(({ action }) => action);

test('admins are invited, listed and let in again from the command line, and all of it is in the audit log', async () => {
  const { core } = place;
  expect(await listAdmins(core, { json: false })).toContain('no admin yet');
  const asked = { role: 'editor', url: 'https://tw.example/', json: false };
  const made = await inviteAdmin(core, 'Ed@example.org', asked);
  expect(made).toMatch(/^https:\/\/tw\.example\/invite\?token=inv_\w{32}\n/);
  expect(await listAdmins(core, { json: true })).toContain('"email":"ed@example.org"');
  await expect(inviteAdmin(core, 'nobody', asked)).rejects.toThrow(UsageError);
  await expect(inviteAdmin(core, 'a@example.org', { ...asked, role: 'boss' })).rejects.toThrow('role');
  await core.prisma.admin.create({ data: { email: 'ada@example.org', passwordHash: '-', totpSecret: 'x' } });
  expect(await listAdmins(core, { json: false })).toMatch(
    /ada@example\.org +owner +on +0 +never\nInvited: ed@example\.org as editor/,
  );
  const password = (await resetAdminPassword(core, 'ada@example.org')).split('\n')[0] ?? '';
  const { passwordHash } = await core.prisma.admin.findUniqueOrThrow({ where: { email: 'ada@example.org' } });
  expect(await core.passwords.verify(passwordHash, password)).toBe(true);
  expect(await disableAdminTotp(core, 'ADA@example.org')).toContain('no code');
  await expect(resetAdminPassword(core, 'nobody@example.org')).rejects.toMatchObject({ code: 'not_found' });
  expect(await actions()).toEqual(['admin.totp', 'admin.password', 'invite.create']);
});

test('databases are made, renamed and, with the name typed again, deleted from the command line', async () => {
  const { core } = place;
  expect(await createDatabase(core, 'shop')).toBe('Created the database shop.\n');
  await expect(createDatabase(core, 'shop')).rejects.toMatchObject({ code: 'conflict' });
  expect(await renameDatabase(core, 'shop', 'store')).toContain('store');
  const { id } = await core.databases.ensure('store');
  const scope = { databaseId: id, author: { actor: 'system', by: 'test' } };
  await core.client.document.createMany({ scope, collection: 'item', data: [{ body: { n: 1 } }, { body: { n: 2 } }] });
  await expect(deleteDatabase(core, 'store', {})).rejects.toThrow(UsageError);
  await expect(deleteDatabase(core, 'default', { confirm: 'default' })).rejects.toMatchObject({ code: 'conflict' });
  expect(await deleteDatabase(core, 'store', { confirm: 'store' })).toBe('The database store is gone.\n');
  expect(JSON.parse(await listDatabases(core, { json: true }))).toMatchObject([{ name: 'default' }]);
  expect((await actions()).slice(0, 3)).toEqual(['database.delete', 'database.rename', 'database.create']);
});
