/**
 * Queries give the same answers with declared indexes as the matcher and the comparator in memory do, whatever the indexes are and however Postgres is made to use them. Each run has its
 * seed in its name; SEED and ROUNDS set others.
 */
import { createSqlPool, type SqlPool } from '@tidewire/db/sql-pool';
import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { everything, type Filter } from '@tidewire/query/ast';
import { cursorOf } from '@tidewire/query/cursor';
import { createMatcher } from '@tidewire/query/matcher';
import { parseFilter } from '@tidewire/query/parse-filter';
import {
  createRandom,
  makeDocument,
  makeFilter,
  makeScalar,
  makeSort,
  pick,
  type Random,
  times,
} from '@tidewire/query/random.fixture';
import { createComparator, parseSort, type Sort } from '@tidewire/query/sort';
import { searchOf } from '@tidewire/query/text-search';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentReader, type DocumentReader } from '../read-documents.js';
import { createReadGate } from '../read-gate.js';
import { declaredIndexesOf } from './declared-indexes.js';
import { databaseId, type IndexedDatabase, openIndexedDatabase } from './indexes.fixture.js';

const { env } = process;
const seed = Number(env.SEED ?? 20_261);
const rounds = Number(env.ROUNDS ?? 4);
const queriesOfRound = 150;
const paths: [string, ...string[]] = ['a', 'b', 'c', 'a.b', 'b.a', 'n'];

/** How Postgres is made to take one way or another. */
const sessions = [
  '-c enable_seqscan=off',
  '-c enable_seqscan=off -c enable_bitmapscan=off',
  '-c enable_seqscan=off -c enable_sort=off',
  '',
];

let database: IndexedDatabase;
const pools: SqlPool[] = [];
let readers: DocumentReader[] = [];

beforeAll(async () => {
  database = await openIndexedDatabase((await createTestDatabase()).address);
  readers = sessions.map((sessionOptions) => {
    const pool = createSqlPool(database.address, { max: 2, onError: () => undefined, sessionOptions });
    pools.push(pool);
    return createDocumentReader(pool, createReadGate(pool, { statementTimeoutMs: 10_000 }));
  });
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await database.close();
});

/** Few values, so that orders have ties; arrays in some, so that each branch has its documents. */
function makeIndexed(random: Random, number: number): JsonObject {
  const { a, ...document } = makeDocument(random, number);
  const value = (): JsonValue => (random() < 0.85 ? makeScalar(random) : [makeScalar(random), makeScalar(random)]);
  const long: JsonObject =
    random() < 0.05
      ? { c: `${'x'.repeat(pick(random, [127, 128, 129, 255, 256, 257]))}${pick(random, ['', 'a', 'b'])}` }
      : {};
  return { ...document, ...(random() < 0.9 ? { a: random() < 0.6 ? value() : (a ?? null) } : {}), n: value(), ...long };
}

const conditions: [JsonObject, ...JsonObject[]] = [
  { n: 1 },
  { a: { $gt: 0 } },
  { n: { $in: [0, 1, 2] } },
  { a: { $exists: true } },
  { b: { $regex: '^a' } },
  { $or: [{ n: 1 }, { a: 'a' }] },
  { a: { $ne: 1 } },
  { "it's": { $exists: false }, n: { $gte: 0 } },
];

function makeIndexes(random: Random): IndexDefinition[] {
  const definitions = times(5, (): IndexDefinition => {
    const fields = [...new Set(times(1 + Math.floor(random() * 4), () => pick(random, paths)))];
    return { fields, unique: false, where: random() < 0.4 ? pick(random, conditions) : null };
  });
  return random() < 0.6 ? [...definitions, { text: [] }] : definitions;
}

function makeQuery(random: Random): { filter: Filter; sort: Sort; raw: JsonValue } | null {
  const parts: JsonObject[] = [];
  if (random() < 0.4) parts.push(makeFilter(random));
  if (random() < 0.4) parts.push(pick(random, conditions));
  if (random() < 0.5) parts.push({ [pick(random, paths)]: makeScalar(random) });
  if (random() < 0.2) parts.push({ [pick(random, paths)]: { [pick(random, ['$gt', '$lte'])]: makeScalar(random) } });
  if (random() < 0.15)
    parts.push({ $text: { $search: pick(random, ['ab', 'AB c', 'É', '"a b"', 'k', 's', '日本語 -a']) } });
  const raw = parts.length === 1 ? (parts[0] ?? {}) : parts.length === 0 ? {} : { $and: parts };
  const filter = parseFilter(raw);
  if (!filter.ok) return null;
  const direction = random() < 0.5 ? 1 : -1;
  const asked =
    random() < 0.25
      ? makeSort(random)
      : Object.fromEntries(
          times(1 + Math.floor(random() * 2), () => [pick(random, paths), random() < 0.85 ? direction : -direction]),
        );
  const sort = parseSort(asked, { search: searchOf(filter.filter) });
  return sort.ok ? { filter: filter.filter, sort: sort.sort, raw: { q: raw, sort: asked } } : null;
}

describe.each(times(rounds, (round) => seed + round))('with seed %i', (roundSeed) => {
  it('pages and totals are those of the evaluators in memory', { timeout: 120_000 }, async () => {
    const random = createRandom(roundSeed);
    const collection = `c${roundSeed}`;
    const id = await database.createCollection(collection);
    const documents = times(120, (number) => makeIndexed(random, number));
    await database.insert(id, documents);
    for (const definition of makeIndexes(random)) {
      // A definition that is there already is refused.
      await database.build(collection, definition, `i${Math.floor(random() * 1e9)}`).catch((error: unknown) => {
        if (!/covers the same/.test(String(error))) throw error;
      });
    }
    const snapshot = await database.catalog.byId(databaseId);
    const indexes = snapshot === null ? null : declaredIndexesOf(snapshot, id);
    if (indexes === null || indexes.fields.length === 0) throw new Error('there are no indexes');
    for (let left = queriesOfRound; left > 0; left -= 1) {
      const query = makeQuery(random);
      if (query === null) continue;
      const { filter, sort, raw } = query;
      const expected = documents.filter(createMatcher(filter)).sort(createComparator(sort));
      const reader = pick(random, [readers[0], ...readers.slice(1)]);
      const from = Math.floor(random() * (expected.length + 1));
      const [last] = from > 0 ? expected.slice(from - 1) : [];
      const after = last === undefined || random() < 0.4 ? null : cursorOf(sort, last);
      const skip = Math.floor(random() * 3);
      const page = {
        filter: filter === everything ? null : filter,
        sort,
        max: 7,
        skip,
        after,
        metafields: false,
        whole: true,
        totals: true,
        indexes,
      };
      const found = await reader?.find(id, page);
      const start = (after === null ? 0 : from) + skip;
      const message = JSON.stringify({
        raw,
        after,
        skip,
        indexes: indexes.fields.map(({ paths, where }) => [paths, where !== null]),
      });
      expect(
        found?.texts.map((text) => String(JSON.parse(text)._id)),
        message,
      ).toEqual(expected.slice(start, start + 7).map(({ _id }) => _id));
      expect(found?.total, message).toBe(expected.length);
      expect(found?.hasMore, message).toBe(expected.length > start + 7);
    }
    const used = await database.connections.pool.query(
      `SELECT FROM pg_stat_user_indexes WHERE starts_with(indexrelname, 'documents_declared_') AND idx_scan > 0`,
    );
    expect(used.rowCount).toBeGreaterThan(0);
    // The next round has its own, and a server has only so many.
    for (const { name } of await database.indexes.list({ databaseId, collection }))
      await database.indexes.drop({ databaseId, collection }, name);
    await database.builder.run();
  });
});
