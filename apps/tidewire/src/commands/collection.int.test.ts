import { createTestDatabase } from '@tidewire/testing/test-database';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../exit.js';
import { type Core, openCore } from '../open-core.js';
import {
  createCollection,
  dropCollection,
  listCollections,
  renameCollection,
  truncateCollection,
} from './collection.js';

const database = 'default';
let core: Core;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  core = openCore(address, pino({ level: 'silent' }));
  await core.databases.ensure(database);
});
afterAll(() => core.close());

const names = async () =>
  JSON.parse(await listCollections(core, { database, json: true })).map(
    ({ name, documents }: { name: string; documents: number }) => [name, documents],
  );

test('a collection is created, renamed, truncated and dropped from the command line, with its events', async () => {
  expect(await listCollections(core, { database, json: false })).toContain('has no collection');
  expect(await createCollection(core, 'company', { database })).toBe('Created company.\n');
  expect(await createCollection(core, 'company', { database })).toContain('already');
  const { id } = await core.databases.ensure(database);
  const scope = { databaseId: id, author: { actor: 'system', by: 'test' } };
  const data = Array.from({ length: 3 }, (_, n) => ({ body: { n } }));
  await core.client.document.createMany({ scope, collection: 'company', data });
  const key = { name: 'shop', rest: ['GET:company'], listen: [], publish: [], origins: [] };
  const { id: keyId } = await core.apiKeys.create(id, key);
  const role = { name: 'clerk', rest: ['GET:company'], listen: [], publish: [], rules: { company: { q: { n: 1 } } } };
  await core.roles.create(id, role);
  const renamed = await renameCollection(core, 'company', 'firm', { database });
  expect(renamed).toContain('The collection company is firm now (event 4).');
  expect(renamed).toContain(`${keyId} (shop)`);
  expect(renamed).toContain('These roles have grants for company, which do not follow:\n  clerk: GET:company\n');
  expect(renamed).toContain('These roles have a rule for company, which does not bind firm:\n  clerk\n');
  expect(await names()).toEqual([['firm', 3]]);
  expect(await truncateCollection(core, 'firm', { database, confirm: 'firm' })).toBe('Deleted 3 documents of firm.\n');
  expect(await names()).toEqual([['firm', 0]]);
  expect(await dropCollection(core, 'firm', { database, confirm: 'firm' })).toBe('Dropped firm with 0 documents.\n');
  expect(await names()).toEqual([]);
  const events = await core.log.readAfter(id, 3, 10);
  expect(events.map(({ type }) => type)).toEqual(['rename', 'delete', 'delete', 'delete', 'drop']);
});

test('nothing is deleted without the name typed again', async () => {
  await createCollection(core, 'kept', { database });
  for (const confirm of [undefined, 'Kept', 'yes']) {
    await expect(truncateCollection(core, 'kept', { database, confirm })).rejects.toThrow(UsageError);
    await expect(dropCollection(core, 'kept', { database, confirm })).rejects.toThrow('--confirm kept');
  }
  await expect(dropCollection(core, 'nobody', { database, confirm: 'nobody' })).rejects.toThrow('no collection nobody');
  expect(await names()).toEqual([['kept', 0]]);
});
