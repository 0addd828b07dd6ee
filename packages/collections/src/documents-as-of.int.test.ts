/**
 * A list as of an event against the same list on a copy of the table that was taken after that event: random writes, random queries, random events. `SEED` and `ROUNDS` make it another or
 * longer.
 */
import { captureWrites } from '@tidewire/change-log/capture-extension';
import { type CommitLanes, createCommitLanes } from '@tidewire/change-log/commit-lanes';
import type { WriteScope } from '@tidewire/change-log/document-writes';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { type Catalog, type CatalogDatabase, createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { JsonObject } from '@tidewire/protocol/json';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseGetRequest, parseListRequest } from './read-request.js';
import { createReading, type ListAnswer, type Reading } from './reading.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const rounds = Number(env.ROUNDS ?? 200);

let connections: PostgresConnections;
let lanes: CommitLanes;
let catalog: Catalog;
let reading: Reading;
let prisma: ReturnType<typeof captureWrites>;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  const { pool, lanePool } = connections;
  catalog = createCatalog(pool);
  const bus = createMemoryChangeBus({ onError: () => undefined });
  lanes = createCommitLanes({ pool: lanePool, catalog, bus, onRetry: () => undefined });
  prisma = captureWrites(connections.prisma, lanes.submit);
  // The differential test is about meaning; how long a read may take is the gate's own test.
  reading = createReading(pool, { statementTimeoutMs: 20_000 });
});
afterAll(async () => {
  await lanes.idle();
  await connections.close();
});

/** mulberry32: the same seed gives the same numbers from 0 to below 1. */
function createRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = createRandom(seed);
const below = (bound: number) => Math.floor(random() * bound);
function pick<T>(items: readonly [T, ...T[]]): T {
  return items[below(items.length)] ?? items[0];
}

const words = ['ada', 'bob "b"', 'Zoë', 'x,"_created":"y', '東京 🦊', ''] as const;

/** Fields that come, go and change their order; names and texts that look like those of the server. */
function randomFields(): JsonObject {
  const fields: [string, JsonObject[string]][] = [
    ['n', below(10)],
    ['city', pick(['Oslo', 'Lund', 'Rom'])],
    ['text', pick(words)],
    ['nested', { _created: pick(words), deep: [below(3), null, { _version: 1 }] }],
    ['flag', random() < 0.5],
    ['big', 12345678901234],
  ];
  return Object.fromEntries(fields.sort(() => random() - 0.5).slice(0, below(fields.length + 1)));
}

async function createDatabase(name: string): Promise<WriteScope> {
  const { id } = await connections.prisma.database.create({ data: { name, log: { create: {} } } });
  return { databaseId: id, author: { actor: 'key:test', by: pick(['api', 'a "quoted" ,"_created": person']) } };
}

async function databaseOf({ databaseId }: WriteScope): Promise<CatalogDatabase> {
  const database = await catalog.refresh(databaseId);
  if (database === null) throw new Error('the database is gone');
  return database;
}

/** One random write of the collection, or of another one; null when nothing came of it. */
async function writeOnce(scope: WriteScope, collection: string, ids: string[]): Promise<number | null> {
  const other = () => ({ scope: { ...scope, author: { actor: 'key:test', by: pick(['api', 'x', 'a "q" {}']) } } });
  const id = ids[below(ids.length)] ?? '';
  const kind = random();
  if (kind < 0.1) return eventOf(await prisma.event.create({ ...other(), name: 'GOAL', data: 1 }));
  if (kind < 0.2) return eventOf(await prisma.document.create({ ...other(), collection: 'other', data: { n: 1 } }));
  if (kind < 0.45 || ids.length === 0) {
    const count = 1 + below(3);
    const data = Array.from({ length: count }, () => ({ body: randomFields() }));
    const created = await prisma.document.createMany({ ...other(), collection, data });
    if (created.status === 'written') ids.push(...created.documents.map((document) => document.id));
    return eventOf(created);
  }
  if (kind < 0.8) {
    const change = randomFields();
    const isReplaced = random() < 0.3;
    const data = (before: JsonObject) => (isReplaced ? change : { ...before, ...change });
    return eventOf(await prisma.document.update({ ...other(), collection, where: { id }, data }));
  }
  if (kind < 0.9) {
    // Created again under its old _id, as an import does.
    const gone = await prisma.document.delete({ ...other(), collection, where: { id } });
    if (gone.status === 'missing')
      return eventOf(
        await prisma.document.createMany({ ...other(), collection, data: [{ id, body: randomFields() }] }),
      );
    return eventOf(gone);
  }
  return eventOf(await prisma.document.deleteMany({ ...other(), collection, where: { ids: [id, ids[0] ?? ''] } }));
}

function eventOf(outcome: { status: string; eventId?: number | null }): number | null {
  return outcome.eventId ?? null;
}

function randomQuery(): string {
  const parts = new Map<string, string>();
  const maybe = (chance: number, name: string, value: () => string) => {
    if (random() < chance) parts.set(name, value());
  };
  maybe(0.6, 'q', () =>
    JSON.stringify(
      pick<JsonObject>([
        { n: { $gt: below(8) } },
        { city: pick(['Oslo', 'Lund']) },
        { 'nested.deep': below(3) },
        { $or: [{ flag: true }, { text: pick(words) }] },
        { _version: { $gte: 1 } },
        { _createdby: 'api' },
        { n: { $exists: false } },
        {},
      ]),
    ),
  );
  maybe(0.2, 'filter', () => pick(['ada', 'bob', 'oslo']));
  maybe(0.4, 'metafields', () => 'true');
  maybe(0.1, 'flatten', () => 'true');
  maybe(0.2, 'format', () => 'csv');
  if (random() < 0.25) {
    maybe(0.7, 'groupby', () => pick(['city', 'flag']));
    parts.set('aggregate', pick(['SUM:n', 'COUNT:x', 'MAX:n', 'AVG:n']));
  } else {
    maybe(0.5, 'sort', () => pick(['n', 'city', '_changed', '_version', 'text']));
    maybe(0.3, 'totals', () => 'true');
    maybe(0.6, 'max', () => String(below(8)));
    maybe(0.2, 'skip', () => String(below(6)));
    maybe(0.2, 'h', () =>
      JSON.stringify(pick<JsonObject>([{ $fields: { n: 1, _version: 1 } }, { $orderby: { n: -1 } }])),
    );
  }
  return new URLSearchParams([...parts]).toString();
}

/** The same query, page after page by cursor: at most five. */
async function pagesOf(list: (query: string) => Promise<ListAnswer>, query: string): Promise<ListAnswer[]> {
  const pages: ListAnswer[] = [];
  let cursor: string | null = null;
  do {
    const parameters = new URLSearchParams(query);
    if (cursor !== null) parameters.set('cursor', cursor);
    const page = await list(parameters.toString());
    pages.push(page);
    cursor = new URLSearchParams(query).has('skip') ? null : page.next;
  } while (cursor !== null && pages.length < 5);
  return pages;
}

test(`a list as of an event is the list on a copy of the table of that time (${rounds} lists, seed ${seed})`, {
  timeout: 120_000,
}, async () => {
  const collection = 'company';
  const scope = await createDatabase('live');
  const copies = await createDatabase('copies');
  const ids: string[] = [];
  const moments: number[] = [];
  await prisma.document.create({ scope, collection, data: randomFields() });
  const collectionId = (await databaseOf(scope)).collections.get(collection) ?? 0;
  for (let n = 0; n < 150; n += 1) {
    const eventId = await writeOnce(scope, collection, ids);
    if (eventId === null) continue;
    moments.push(eventId);
    const copy = await connections.prisma.collection.create({
      data: { databaseId: copies.databaseId, name: `c${eventId}` },
    });
    await connections.lanePool.query(
      `INSERT INTO documents SELECT $1, id, body, data, version, created_at, changed_at, created_by, changed_by FROM documents WHERE collection_id = $2`,
      [copy.id, collectionId],
    );
  }
  const live = await databaseOf(scope);
  const past = await databaseOf(copies);
  const listOf = (database: CatalogDatabase, name: string) => (query: string) =>
    reading.list({ database, collection: name }, parseListRequest(query));
  for (let n = 0; n < rounds; n += 1) {
    const at = moments[below(moments.length)] ?? 0;
    const query = randomQuery();
    const seen = await pagesOf(listOf(live, collection), `${query}&asof=${at}`);
    const wanted = await pagesOf(listOf(past, `c${at}`), query);
    expect(seen, `as of ${at}: ${query}`).toEqual(wanted);
  }
  // One document, at all moments.
  for (const at of moments) {
    const id = ids[below(ids.length)] ?? '';
    const seen = await reading
      .get({ database: live, collection }, id, parseGetRequest(`metafields=true&asof=${at}`))
      .catch(({ code }) => code);
    const wanted = await reading
      .get({ database: past, collection: `c${at}` }, id, parseGetRequest('metafields=true'))
      .catch(({ code }) => code);
    expect(seen).toEqual(wanted);
  }
});

test('a log whose beginning was dropped still answers as far as it reaches, and refuses what lies before and behind with the range', async () => {
  const scope = await createDatabase('short');
  const collection = 'c';
  const create = (n: number) => prisma.document.create({ scope, collection, data: { n } });
  await create(1);
  const second = await create(2);
  await create(3);
  const id = second.status === 'written' ? (second.documents[0]?.id ?? '') : '';
  await prisma.document.update({ scope, collection, where: { id }, data: () => ({ n: 22 }) });
  await prisma.document.delete({ scope, collection, where: { id } });
  await connections.lanePool.query('DELETE FROM events WHERE database_id = $1 AND id < 4', [scope.databaseId]);
  await connections.pool.query('UPDATE log_heads SET oldest = 4 WHERE database_id = $1', [scope.databaseId]);
  const database = await databaseOf(scope);
  const list = async (query: string, name = collection) => {
    const { text } = await reading.list({ database, collection: name }, parseListRequest(query));
    return (JSON.parse(text) as { n: number }[]).map(({ n }) => n);
  };
  expect(await list('asof=3')).toEqual([1, 2, 3]);
  expect(await list('asof=4')).toEqual([1, 22, 3]);
  expect(await list('asof=5')).toEqual([1, 3]);
  expect(await list('asof=5', 'unknown')).toEqual([]);
  for (const [query, name] of [
    ['asof=2', 'c'],
    ['asof=6', 'c'],
    ['asof=6&q={"n":1}', 'c'],
    ['asof=2&aggregate=COUNT:n', 'c'],
    ['asof=2', 'unknown'],
  ] as const)
    await expect(list(query, name)).rejects.toMatchObject({
      code: 'bad_request',
      detail: expect.stringContaining('an event from 3 to 5'),
    });
  const shape = parseGetRequest('asof=6');
  await expect(reading.get({ database, collection }, id, shape)).rejects.toMatchObject({ code: 'bad_request' });
});

test('a collection is read under the name that it has today', async () => {
  const scope = await createDatabase('renamed');
  await prisma.document.create({ scope, collection: 'old', data: { n: 1 } });
  await prisma.document.createMany({ scope, collection: 'old', data: [{ body: { n: 2 } }] });
  await prisma.collection.rename({ scope, where: { name: 'old' }, data: { name: 'fresh' } });
  await prisma.document.create({ scope, collection: 'old', data: { n: 9 } });
  const database = await databaseOf(scope);
  const list = async (collection: string, at: number) => {
    const { text } = await reading.list({ database, collection }, parseListRequest(`asof=${at}`));
    return (JSON.parse(text) as { n: number }[]).map(({ n }) => n);
  };
  expect(await list('fresh', 1)).toEqual([1]);
  expect(await list('fresh', 2)).toEqual([1, 2]);
  expect(await list('old', 2)).toEqual([]);
  expect(await list('old', 4)).toEqual([9]);
});
