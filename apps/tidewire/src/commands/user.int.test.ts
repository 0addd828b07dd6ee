import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OpenedUsers, openUsers } from '../open-users.js';
import { type CommandPlace, openCommandPlace } from './commands.fixture.js';
import { createUser, listUsers, resetUser, signOutUser } from './user.js';

let place: CommandPlace;
let users: OpenedUsers;
const errors: unknown[] = [];
const asked = { database: 'shop', json: false };

beforeAll(async () => {
  place = await openCommandPlace('shop');
  const onError = (error: unknown) => void errors.push(error);
  users = openUsers(place.core, { serverSecret: 'a secret for tests only, of some length', trustedHosts: [], onError });
});
afterAll(async () => {
  users.close();
  await place.close();
  expect(errors).toEqual([]);
});

it('makes an account whose password is set with the token that is shown, lists it, and signs it out', async () => {
  const here = { core: place.core, users };
  expect(await listUsers(here, asked)).toContain('has no user');
  const made = await createUser(here, 'Ada@example.org', { ...asked, role: 'member' });
  const token = /^rs_\w+$/m.exec(made)?.[0] ?? '';
  const database = await place.core.catalog.byName('shop');
  if (database === null) throw new Error('the database is missing');
  await users.accounts.reset(database, { token, password: 'correct horse battery' });
  const login = { email: 'ada@example.org', password: 'correct horse battery' };
  await users.accounts.logIn(database, login, '10.0.0.1');
  expect(await listUsers(here, asked)).toMatch(/ada@example\.org\s+member\s+active\s+1\s/);
  expect(await signOutUser(here, 'ada@example.org', asked)).toContain('1 session has ended');
  expect(JSON.parse(await resetUser(here, 'ada@example.org', { ...asked, json: true }))).toHaveProperty('token');
  const { data } = await place.core.audit.list({ actor: 'cli' }, 100);
  expect(data.map(({ action }) => action)).toEqual(['user.reset', 'user.sessions', 'user.create']);
  expect(JSON.stringify(data)).not.toContain('rs_');
});

it('refuses what is no address, a taken one, and who is not there', async () => {
  const here = { core: place.core, users };
  await expect(createUser(here, 'nobody', asked)).rejects.toThrow('email');
  await expect(createUser(here, 'ada@example.org', asked)).rejects.toMatchObject({ code: 'conflict' });
  await expect(resetUser(here, 'bob@example.org', asked)).rejects.toMatchObject({ code: 'not_found' });
  await expect(signOutUser(here, 'bob@example.org', asked)).rejects.toMatchObject({ code: 'not_found' });
  await expect(listUsers(here, { database: 'missing', json: false })).rejects.toMatchObject({ code: 'not_found' });
});
