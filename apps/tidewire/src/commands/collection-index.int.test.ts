import { createTestDatabase } from '@tidewire/testing/test-database';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SilentFailure, UsageError } from '../exit.js';
import { type Core, openCore } from '../open-core.js';
import { checkIndex, createIndex, dropIndex, listIndexes } from './collection-index.js';

const database = 'default';
const options = { database, unique: false, text: false };
let core: Core;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  core = openCore(address, pino({ level: 'silent' }));
  const { id } = await core.databases.ensure(database);
  const scope = { databaseId: id, author: { actor: 'system', by: 'test' } };
  const data = Array.from({ length: 500 }, (_, n) => ({ body: { n, half: n % 250 } }));
  await core.client.document.createMany({ scope, collection: 'company', data });
});
afterAll(() => core.close());

test('an index is created, listed and dropped from the command line; each command ends when it is done', async () => {
  expect(await listIndexes(core, 'company', { database, json: false })).toBe('The collection company has no index.\n');
  expect(await createIndex(core, 'company', ['n'], { ...options, unique: true })).toBe(
    'The index n_unique of company is ready.\n',
  );
  expect(
    await createIndex(core, 'company', ['half'], { ...options, where: '{"n":{"$gt":7}}', name: 'some' }),
  ).toContain('ready');
  expect(await createIndex(core, 'company', [], { ...options, text: true })).toContain('text of company is ready');
  const table = await listIndexes(core, 'company', { database, json: false });
  expect(table).toMatch(/n_unique +unique n +ready +\d+ KiB/);
  expect(table).toContain('half where {"n":{"$gt":7}}');
  expect(await dropIndex(core, 'company', 'n_unique', { database })).toBe(
    'The index n_unique of company is dropped.\n',
  );
  const names = JSON.parse(await listIndexes(core, 'company', { database, json: true })).map(
    ({ name }: { name: string }) => name,
  );
  expect(names).toEqual(['some', 'text']);
});

test('an index that cannot be built says why and fails the command', async () => {
  await expect(createIndex(core, 'company', ['half'], { ...options, unique: true })).rejects.toThrow(SilentFailure);
  expect(await listIndexes(core, 'company', { database, json: false })).toContain('failed: Documents share a value');
});

test('what is called wrongly is said before anything is done', async () => {
  expect(() => checkIndex('company', [], options)).toThrow(UsageError);
  expect(() => checkIndex('company', ['a'], { ...options, text: true })).toThrow('either fields or text');
  expect(() => checkIndex('company', ['a'], { ...options, where: '{a' })).toThrow('--where');
  expect(() => checkIndex('no name', ['a'], options)).toThrow(UsageError);
  await expect(createIndex(core, 'nobody', ['a'], options)).rejects.toThrow('no collection');
  await expect(dropIndex(core, 'company', 'nobody', { database })).rejects.toThrow('no index');
});
