/** Indexes are built beside the writers, by one process at a time, and whatever is cut off is made good by the next. */
import { captureWrites } from '@tidewire/change-log/capture-extension';
import { createCommitLanes } from '@tidewire/change-log/commit-lanes';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { indexExpression } from '@tidewire/query/index-expression';
import { eventually } from '@tidewire/testing/eventually';
import { spawnSource } from '@tidewire/testing/spawn-source';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createIndexBuilder } from './index-builder.js';
import { databaseId, type IndexedDatabase, openIndexedDatabase } from './indexes.fixture.js';

let database: IndexedDatabase;
beforeAll(async () => {
  database = await openIndexedDatabase((await createTestDatabase()).address);
});
afterAll(() => database.close());

const unique = (fields: string[], where: JsonObject | null = null): IndexDefinition => ({
  fields,
  unique: true,
  where,
});
const plain = (...fields: string[]): IndexDefinition => ({ fields, unique: false, where: null });

let made = 0;
async function collectionOf(documents: readonly JsonObject[]): Promise<{ id: number; collection: string }> {
  made += 1;
  const collection = `c${made}`;
  const id = await database.createCollection(collection);
  await database.insert(
    id,
    documents.map((document, index) => ({ _id: idOf(index), ...document })),
  );
  return { id, collection };
}

const idOf = (number: number) => number.toString(16).padStart(24, '0');

async function declare(collection: string, definition: IndexDefinition) {
  const { name } = await database.indexes.create({ databaseId, collection }, { name: undefined, definition });
  await database.builder.run();
  return database.indexes.get({ databaseId, collection }, name);
}

/** Name and validity of the declared indexes that Postgres has. */
async function present(): Promise<Map<string, boolean>> {
  const { rows } = await database.connections.pool.query<{ name: string; valid: boolean }>(
    `SELECT c.relname AS name, x.indisvalid AS valid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid WHERE c.relname LIKE 'documents\\_declared\\_%'`,
  );
  return new Map(rows.map(({ name, valid }) => [name, valid]));
}

async function postgresName(collection: string, name: string): Promise<string> {
  const { rows } = await database.connections.pool.query(
    'SELECT i.id FROM collection_indexes i JOIN collections c ON c.id = i.collection_id WHERE c.name = $1 AND i.name = $2',
    [collection, name],
  );
  return `documents_declared_${rows[0]?.id}`;
}

it('an index goes from building to ready, with its size, and raises the configuration version', async () => {
  const { collection } = await collectionOf([{ a: 1 }]);
  const { name } = await database.indexes.create(
    { databaseId, collection },
    { name: undefined, definition: plain('a', 'b.c') },
  );
  expect(await database.indexes.get({ databaseId, collection }, name)).toMatchObject({
    name: 'a_b.c',
    state: 'building',
    progress: { phase: 'waiting' },
    sizeBytes: 0,
  });
  const before = (await database.catalog.byId(databaseId))?.configVersion ?? 0;
  await database.builder.run();
  expect(await database.indexes.get({ databaseId, collection }, name)).toMatchObject({
    state: 'ready',
    progress: null,
    error: null,
  });
  expect((await database.indexes.get({ databaseId, collection }, name)).sizeBytes).toBeGreaterThan(0);
  expect((await database.catalog.refresh(databaseId))?.configVersion).toBeGreaterThan(before);
});

it('a unique index that documents stand in the way of fails, names them, and leaves nothing behind', async () => {
  const { id, collection } = await collectionOf([
    { a: 'x' },
    { a: 'y' },
    { a: 'x' },
    { a: 'z' },
    { a: 'x' },
    { a: 'y' },
  ]);
  const index = await declare(collection, unique(['a']));
  expect(index).toMatchObject({
    state: 'failed',
    error: {
      message: 'Documents share a value that is to be unique.',
      documents: [
        [idOf(0), idOf(2), idOf(4)],
        [idOf(1), idOf(5)],
      ],
    },
  });
  expect(await present()).not.toContain(await postgresName(collection, index.name));
  await database.insert(id, [{ _id: idOf(100), a: 'x' }]);
});

it('of many documents that stand in the way a hundred are named', async () => {
  const { collection } = await collectionOf(
    Array.from({ length: 400 }, (_, index) => ({ a: index < 300 ? 'all' : index % 50 })),
  );
  const { error } = await declare(collection, unique(['a']));
  expect(error?.documents?.flat()).toHaveLength(100);
});

it.each<[string, readonly JsonObject[], IndexDefinition, boolean]>([
  ['the same text', [{ a: 'x' }, { a: 'x' }], unique(['a']), false],
  [
    'texts that differ behind 4,000 characters',
    [{ a: `${'é'.repeat(4_000)}1` }, { a: `${'é'.repeat(4_000)}2` }],
    unique(['a']),
    true,
  ],
  ['the same long text', [{ a: 'é'.repeat(4_000) }, { a: 'é'.repeat(4_000) }], unique(['a']), false],
  ['texts with backslashes', [{ a: '\\\\x41' }, { a: '\\x41' }, { a: 'A' }, { a: '\\' }], unique(['a']), true],
  ['a number and its text', [{ a: 1 }, { a: '1' }], unique(['a']), true],
  ['the same number', [{ a: 1e21 }, { a: 1000000000000000000000 }], unique(['a']), false],
  ['nothing and null', [{}, {}, { a: null }, { a: null }], unique(['a']), true],
  ['the text null', [{ a: 'null' }, { a: 'null' }], unique(['a']), false],
  ['the same list', [{ a: [1, 2] }, { a: [1, 2] }], unique(['a']), false],
  ['lists that share an item', [{ a: [1, 2] }, { a: [1, 3] }, { a: 1 }], unique(['a']), true],
  ['the same object', [{ a: { x: 1, y: 2 } }, { a: { y: 2, x: 1 } }], unique(['a']), false],
  ['the same within lists', [{ a: [{ b: 1 }] }, { a: [{ b: 1 }] }], unique(['a.b']), true],
  [
    'one of two fields',
    [
      { a: 1, b: 1 },
      { a: 1, b: 2 },
    ],
    unique(['a', 'b']),
    true,
  ],
  [
    'both of two fields',
    [
      { a: 1, b: 1 },
      { a: 1, b: 1 },
    ],
    unique(['a', 'b']),
    false,
  ],
  ['one of two fields, the other missing', [{ a: 1 }, { a: 1 }], unique(['a', 'b']), true],
  [
    'texts that could run into each other',
    [
      { a: 'x","y', b: 'z' },
      { a: 'x', b: 'y","z' },
    ],
    unique(['a', 'b']),
    true,
  ],
  [
    'outside of the condition',
    [
      { a: 1, on: false },
      { a: 1, on: true },
    ],
    unique(['a'], { on: true }),
    true,
  ],
  [
    'within the condition',
    [
      { a: 1, on: true },
      { a: 1, on: true },
    ],
    unique(['a'], { on: true }),
    false,
  ],
])('unique and %s', async (_name, documents, definition, isFine) => {
  const { collection } = await collectionOf(documents);
  expect((await declare(collection, definition)).state).toBe(isFine ? 'ready' : 'failed');
});

it.each<JsonValue>([
  "it's",
  'a\\',
  "\\'; DROP TABLE documents; --",
  '"',
  '$1',
  "E'x'",
  '$$',
  '\u2028',
  '😀',
  '%',
  'é\n',
])('a condition may hold %j, and covers what it says', async (text) => {
  const { id, collection } = await collectionOf([
    { a: 1, b: text },
    { a: 2, b: 'other' },
  ]);
  const index = await declare(collection, { fields: ['a'], unique: false, where: { b: text } });
  expect(index).toMatchObject({ state: 'ready', definition: { where: { b: text } } });
  const { rows } = await database.connections.pool.query('SELECT reltuples FROM pg_class WHERE relname = $1', [
    await postgresName(collection, index.name),
  ]);
  expect(Number(rows[0]?.reltuples)).toBe(1);
  expect((await database.connections.pool.query('SELECT FROM documents WHERE collection_id = $1', [id])).rowCount).toBe(
    2,
  );
});

it('values of any size can be indexed, in four fields at once', async () => {
  const long = '長い'.repeat(20_000);
  const { collection } = await collectionOf([{ a: long, b: [long], c: { deep: long }, d: `${long}.` }]);
  expect((await declare(collection, plain('a', 'b', 'c', 'd'))).state).toBe('ready');
  expect((await declare(collection, unique(['a', 'd']))).state).toBe('ready');
  expect((await declare(collection, { text: [] })).state).toBe('ready');
});

it('a dropped index is gone, and so are those of a collection that is gone', async () => {
  const { id, collection } = await collectionOf([{ a: 1 }]);
  await declare(collection, plain('a'));
  await declare(collection, plain('b'));
  const [a, b] = [await postgresName(collection, 'a'), await postgresName(collection, 'b')];
  expect(await database.indexes.drop({ databaseId, collection }, 'a')).toMatchObject({ state: 'dropping' });
  await database.builder.run();
  expect(await database.indexes.list({ databaseId, collection })).toMatchObject([{ name: 'b' }]);
  const { lanePool, pool, maintenancePool } = database.connections;
  await lanePool.query('DELETE FROM documents WHERE collection_id = $1', [id]);
  await lanePool.query('DELETE FROM collections WHERE id = $1', [id]);
  expect([...(await present()).keys()]).toContain(b);
  const sweeper = createIndexBuilder({ pool, maintenancePool, notify: () => undefined, onError: () => undefined });
  await sweeper.run();
  await sweeper.close();
  const left = [...(await present()).keys()];
  expect(left).not.toContain(a);
  expect(left).not.toContain(b);
  const statistics = await pool.query(
    `SELECT stxname FROM pg_statistic_ext WHERE starts_with(stxname, $1) OR starts_with(stxname, $2)`,
    [`${a}_`, `${b}_`],
  );
  expect(statistics.rows).toEqual([]);
});

it('two builders at once build an index once', async () => {
  const { collection } = await collectionOf(Array.from({ length: 2_000 }, (_, a) => ({ a })));
  await database.indexes.create({ databaseId, collection }, { name: 'a', definition: plain('a') });
  const other = await openSecond();
  await Promise.all([database.builder.run(), other.run()]);
  await eventually(async () => {
    await database.builder.run();
    expect(await database.indexes.get({ databaseId, collection }, 'a')).toMatchObject({ state: 'ready' });
  });
  await other.close();
  expect((await present()).get(await postgresName(collection, 'a'))).toBe(true);
});

async function openSecond() {
  const { connectPostgres } = await import('@tidewire/db/client');
  const connections = connectPostgres(database.address, { onConnectionError: () => undefined });
  const builder = createIndexBuilder({
    ...connections,
    notify: () => undefined,
    onError: () => undefined,
    intervalMs: 1e8,
  });
  return {
    run: () => builder.run(),
    async close() {
      await builder.close();
      await connections.close();
    },
  };
}

it('a build that is killed in the middle leaves no trace: the next process builds the index', {
  timeout: 240_000,
}, async () => {
  const id = await database.createCollection('big');
  await database.connections.lanePool.query(
    `INSERT INTO documents (collection_id, id, body, data, created_at, changed_at, created_by, changed_by)
     SELECT $1, lpad(to_hex(n), 24, '0'), x.b::json, x.b::jsonb, now(), now(), 't', 't'
     FROM generate_series(1, 60000) n, LATERAL (SELECT json_build_object('a', n, 'note', repeat('word' || n || ' ', 20))::text AS b) x`,
    [id],
  );
  const where = { databaseId, collection: 'big' };
  await database.indexes.create(where, { name: 'text', definition: { text: [] } });
  const child = spawnSource(new URL('./index-builder-process.fixture.ts', import.meta.url).pathname, [
    JSON.stringify(database.address),
  ]);
  try {
    await eventually(
      async () => {
        const { progress } = await database.indexes.get(where, 'text');
        expect(progress?.phase).toMatch(/^building index/);
        expect(progress?.progress).toBeGreaterThan(0);
      },
      { timeoutMs: 60_000 },
    );
  } finally {
    child.kill('SIGKILL');
  }
  await child.ended;
  expect((await present()).get(await postgresName('big', 'text'))).toBe(false);
  // Postgres ends the session of a client that is gone within a second, and the lock goes with it.
  await eventually(
    async () => {
      await database.builder.run();
      expect(await database.indexes.get(where, 'text')).toMatchObject({ state: 'ready' });
    },
    { timeoutMs: 90_000 },
  );
  expect((await present()).get(await postgresName('big', 'text'))).toBe(true);
});

it('a build beside 16 writers holds none of them up, and misses none of their documents', {
  timeout: 120_000,
}, async () => {
  const { prisma, lanePool } = database.connections;
  const bus = createMemoryChangeBus({ onError: () => undefined });
  const lanes = createCommitLanes({ pool: lanePool, catalog: database.catalog, bus, onRetry: () => undefined });
  const { document } = captureWrites(prisma, lanes.submit);
  const { id, collection } = await collectionOf(Array.from({ length: 20_000 }, (_, n) => ({ n: -1 - n })));
  const scope = { databaseId, author: { actor: 'system', by: 'test' } } as const;
  let isBuilt = false;
  let written = 0;
  const write = async () => {
    for (let at = 0; !isBuilt || at < 20; at += 1) {
      written += 1;
      const outcome = await document.create({ scope, collection, data: { n: written } });
      const created = outcome.status === 'written' ? outcome.documents[0]?.id : undefined;
      if (created !== undefined && at % 3 === 0)
        await document.update({
          scope,
          collection,
          where: { id: created },
          data: (before) => ({ ...before, changed: true }),
        });
    }
  };
  const writers = Array.from({ length: 16 }, write);
  const index = await declare(collection, unique(['n']));
  const duringBuild = written;
  isBuilt = true;
  await Promise.all(writers);
  await lanes.idle();
  await bus.close();
  expect(index.state).toBe('ready');
  expect(duringBuild).toBeGreaterThan(0);
  // Counted through the index alone.
  const client = await database.connections.pool.connect();
  try {
    await client.query('BEGIN; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off');
    const counting = `SELECT count(*) AS count FROM documents WHERE collection_id = ${id} AND ${indexExpression('n')} > '2' ORDER BY 1`;
    const plan = JSON.stringify((await client.query(`EXPLAIN (FORMAT JSON) ${counting}`)).rows);
    expect(plan).toContain(await postgresName(collection, index.name));
    expect((await client.query(counting)).rows).toEqual([{ count: 20_000 + written }]);
  } finally {
    await client.query('ROLLBACK');
    client.release();
  }
});
