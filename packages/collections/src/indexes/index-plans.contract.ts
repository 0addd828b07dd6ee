/**
 * The statements that the reader sends, exactly as it sends them, use the declared indexes: seen in Postgres's own plans. And they give the same answers when Postgres may not
 * use indexes.
 */
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import type { JsonObject } from '@tidewire/protocol/json';
import { parseAggregation } from '@tidewire/query/aggregation';
import { cursorOf } from '@tidewire/query/cursor';
import { parseFilter, parseTextFilter } from '@tidewire/query/parse-filter';
import { parseSort } from '@tidewire/query/sort';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentReader, type FoundPage } from '../read-documents.js';
import type { ReadGate } from '../read-gate.js';
import { declaredIndexesOf } from './declared-indexes.js';
import { databaseId, type IndexedDatabase, openIndexedDatabase } from './indexes.fixture.js';

/** Of another collection of the same table: its index of words takes most of the time. */
const NOTES = 50_000;

/** Every thousandth document has a list of names, every second one is open; two are of one day. */
const insert = `INSERT INTO documents (collection_id, id, body, data, created_at, changed_at, created_by, changed_by)
  SELECT $1, lpad(to_hex(n), 24, '0'), x.body::json, x.body::jsonb, now(), now(), 'test', 'test'
  FROM generate_series(1, $2::bigint) AS n, LATERAL (SELECT json_build_object(
    'email', 'user' || n || '@example.org', 'status', CASE n % 2 WHEN 0 THEN 'open' ELSE 'done' END, 'price', (n * 7919) % $3::bigint, 'weight', (n * 104729) % $3::bigint,
    'name', CASE WHEN n % 1000 = 0 THEN json_build_array('Name ' || n, 'Alias ' || n) ELSE to_json('Name ' || n) END,
    'at', to_char(timestamp '2020-01-01' + n * 350.0 / $2::bigint * interval '1 day', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'city', json_build_object('zip', n % ($2::bigint / 20)))::text AS body) AS x`;

const insertNotes = `INSERT INTO documents (collection_id, id, body, data, created_at, changed_at, created_by, changed_by)
  SELECT $1, lpad(to_hex(n), 24, '0'), x.body::json, x.body::jsonb, now(), now(), 'test', 'test'
  FROM generate_series(1, ${NOTES}) AS n, LATERAL (SELECT json_build_object('note', 'word' || n % 997 || ' and Word' || n % 101)::text AS body) AS x`;

type Sent = { text: string; values: unknown[] };

type Plan = {
  'Node Type': string;
  'Index Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  Plans?: Plan[];
};

function must<T>(parsed: ({ ok: true } & T) | { ok: false; errors: unknown }): T {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed;
}

type Case = {
  q?: JsonObject;
  words?: string;
  sort?: JsonObject;
  max?: number;
  after?: JsonObject;
  count?: number;
  isCompared?: boolean;
};

const isScanOfAll = ({ 'Node Type': type, 'Index Name': index }: Plan) =>
  type === 'Seq Scan' || (index?.endsWith('_pkey') ?? false);

const open = { status: 'open' };
const at = '2020-06-01T00:00:00.000Z';

/** How many documents there are, and a prime above that by which their numbers are spread. */
export type IndexPlansSize = { count: number; modulus: number };

/** To be called once in a test file. */
export function describeIndexPlans({ count, modulus }: IndexPlansSize): void {
  const heavy = Math.floor(modulus * 0.99);
  const declared: Record<string, IndexDefinition> = {
    email: { fields: ['email'], unique: true, where: null },
    status: { fields: ['status'], unique: false, where: null },
    price: { fields: ['price'], unique: false, where: null },
    name: { fields: ['name'], unique: false, where: null },
    zip: { fields: ['city.zip', 'at'], unique: false, where: null },
    // No other index has its weight: between two that serve, the plan would hang on the sample of ANALYZE.
    heavy: { fields: ['at'], unique: false, where: { status: 'open', weight: { $gt: heavy } } },
  };

  let database: IndexedDatabase;
  let collectionId: number;
  let notesId: number;
  /** Name of the declared index → name in Postgres. */
  const names = new Map<string, string>();

  beforeAll(async () => {
    database = await openIndexedDatabase((await createTestDatabase()).address);
    collectionId = await database.createCollection('things');
    notesId = await database.createCollection('notes');
    await database.connections.lanePool.query(insert, [collectionId, count, modulus]);
    await database.connections.lanePool.query(insertNotes, [notesId]);
    for (const [name, definition] of Object.entries(declared)) await database.build('things', definition, name);
    await database.build('notes', { text: [] }, 'text');
    const { rows } = await database.connections.pool.query('SELECT id, name FROM collection_indexes');
    for (const { id, name } of rows) names.set(name, `documents_declared_${id}`);
  }, 900_000);
  afterAll(() => database.close());

  /** A gate that notes the statements; `settings` hold for all of them. */
  function createNotingGate(pool: SqlPool, settings: string): { gate: ReadGate; sent: Sent[] } {
    const sent: Sent[] = [];
    const gate: ReadGate = async (work) => {
      const client = await pool.connect();
      const noting = new Proxy(client, {
        get: (target, key) =>
          key === 'query'
            ? (statement: string | Sent, values: unknown[] = []) => {
                sent.push(
                  typeof statement === 'string'
                    ? { text: statement, values }
                    : { text: statement.text, values: statement.values },
                );
                return Reflect.apply(
                  target.query,
                  target,
                  typeof statement === 'string' ? [statement, values] : [statement],
                );
              }
            : Reflect.get(target, key, target),
      });
      try {
        await client.query(`BEGIN; ${settings}`);
        return await work(noting as SqlClient);
      } finally {
        await client.query('ROLLBACK');
        client.release();
      }
    };
    return { gate, sent };
  }

  async function explain({ text, values }: Sent): Promise<Plan[]> {
    const { rows } = await database.connections.pool.query(`EXPLAIN (FORMAT JSON) ${text}`, values);
    const flat = (plan: Plan): Plan[] => [plan, ...(plan.Plans ?? []).flatMap(flat)];
    return flat(rows[0]?.['QUERY PLAN'][0].Plan);
  }

  async function indexesOf(id: number) {
    const snapshot = await database.catalog.byId(databaseId);
    if (snapshot === null) throw new Error('no database');
    return declaredIndexesOf(snapshot, id);
  }

  /** Words are looked for in notes. */
  function collectionOf({ q, words }: Case): number {
    return words === undefined && q?.$text === undefined ? collectionId : notesId;
  }

  async function pageOf({ q, words, sort: asked, max = 20, after }: Case): Promise<FoundPage> {
    const filter = words === undefined ? must(parseFilter(q)).filter : must(parseTextFilter(words)).filter;
    const { sort } = must(parseSort(asked));
    return {
      filter: q === undefined && words === undefined ? null : filter,
      sort: asked === undefined ? null : sort,
      after: after === undefined ? null : cursorOf(sort, after),
      indexes: await indexesOf(collectionOf({ q, words })),
      max,
      skip: 0,
      metafields: false,
      whole: asked !== undefined,
      totals: q !== undefined || words !== undefined,
    };
  }

  describe('with a filter', { timeout: 120_000 }, () => {
    it.each<[string, string, Case]>([
      ['equality', 'email', { q: { email: 'user77@example.org' }, count: 1 }],
      ['equality with a value that is in a list, too', 'name', { q: { name: 'Alias 5000' }, count: 1 }],
      ['a range', 'price', { q: { price: { $gte: 500, $lt: 520 } }, count: 20 }],
      ['a range of dates', 'zip', { q: { 'city.zip': 7, at: { $gt: { $date: at } } } }],
      ['$in', 'email', { q: { email: { $in: ['user1@example.org', 'user2@example.org', 'nobody'] } }, count: 2 }],
      ['a field of an object', 'zip', { q: { 'city.zip': 4_711 }, count: 20 }],
      ['the condition of a partial index', 'heavy', { q: { ...open, weight: { $gt: heavy } }, sort: { at: 1 } }],
      [
        'more than the condition of a partial index',
        'heavy',
        { q: { ...open, weight: { $gt: heavy + modulus / 1_000 }, at: { $gt: { $date: '2020-12-01' } } } },
      ],
      ['words', 'text', { words: 'word5 WORD6' }],
      ['words in a query', 'text', { q: { $text: { $search: '"word7 and word8"' } } }],
      ['one of two fields', 'email', { q: { $or: [{ email: 'user5@example.org' }, { price: 3 }] }, count: 2 }],
    ])('%s: the page and the count go by the index %s', async (_title, index, asked) => {
      const { gate, sent } = createNotingGate(database.connections.pool, 'SET LOCAL jit = off');
      const page = await pageOf(asked);
      const found = await createDocumentReader(database.connections.pool, gate).find(collectionOf(asked), page);
      if (asked.count !== undefined) expect(found.total).toBe(asked.count);
      expect(sent).toHaveLength(2);
      for (const statement of sent) {
        const plan = await explain(statement);
        expect(plan.map((node) => node['Index Name'])).toContain(names.get(index));
        expect(plan.filter(isScanOfAll)).toEqual([]);
      }
      expect(await withoutIndexes(collectionOf(asked), page)).toEqual({ texts: found.texts, total: found.total });
    });

    it('an aggregate goes by the index', async () => {
      const { gate, sent } = createNotingGate(database.connections.pool, 'SET LOCAL jit = off');
      const aggregation = must(parseAggregation({ groupby: ['status'], aggregate: ['SUM:price'] })).aggregation;
      const { filter } = must(parseFilter({ price: { $lt: 100 } }));
      const reader = createDocumentReader(database.connections.pool, gate);
      expect(await reader.aggregate(collectionId, filter, aggregation, await indexesOf(collectionId))).toMatchObject({
        ok: true,
      });
      const plan = await explain(sent[0] ?? { text: '', values: [] });
      expect(plan.map((node) => node['Index Name'])).toContain(names.get('price'));
      expect(plan.filter(isScanOfAll)).toEqual([]);
    });
  });

  it('a condition that most documents meet is not looked up in its index, for the first of them are found at once', async () => {
    const { gate, sent } = createNotingGate(database.connections.pool, 'SET LOCAL jit = off');
    const page = { ...(await pageOf({ q: { status: 'open' } })), totals: false };
    const found = await createDocumentReader(database.connections.pool, gate).find(collectionId, page);
    expect(found.texts).toHaveLength(20);
    expect(await rowsRead(sent[0])).toBeLessThan(3_000);
  });

  describe('in an order', { timeout: 120_000 }, () => {
    it.each<[string, string, Case]>([
      ['ascending', 'price', { sort: { price: 1 } }],
      ['descending', 'price', { sort: { price: -1 } }],
      ['of a field that is a list in some', 'name', { sort: { name: 1 }, isCompared: true }],
      [
        'from a cursor on',
        'price',
        { sort: { price: 1 }, after: { _id: '0'.repeat(24), price: Math.floor(modulus / 2) } },
      ],
      ['from a cursor back', 'name', { sort: { name: -1 }, after: { _id: '0'.repeat(24), name: 'Name 5' } }],
      ['of what is filtered by a fixed value', 'zip', { q: { 'city.zip': 7 }, sort: { at: -1 }, isCompared: true }],
      [
        'of that, from a cursor on',
        'zip',
        { q: { 'city.zip': 7 }, sort: { at: 1 }, max: 5, after: { _id: '0'.repeat(24), at } },
      ],
      ['of two fields', 'zip', { sort: { 'city.zip': 1, at: 1 } }],
      ['of a unique field', 'email', { sort: { email: -1 } }],
    ])('%s: the page is read along the index %s, and nothing else is sorted', async (_title, index, asked) => {
      const { gate, sent } = createNotingGate(database.connections.pool, 'SET LOCAL jit = off');
      const page = { ...(await pageOf(asked)), totals: false };
      const found = await createDocumentReader(database.connections.pool, gate).find(collectionId, page);
      expect(found.texts).toHaveLength(page.max);
      const plan = await explain(sent[0] ?? { text: '', values: [] });
      expect(plan.map((node) => node['Index Name'])).toContain(names.get(index));
      expect(plan.filter(isScanOfAll)).toEqual([]);
      // Along the index means: at the end of a page it has not read more than a page.
      expect(await rowsRead(sent[0])).toBeLessThan(3_000);
      // To sort all documents takes seconds; the small tables of the random test compare every order.
      if (asked.isCompared)
        expect(await withoutIndexes(collectionId, page)).toEqual({ texts: found.texts, total: null });
    });
  });

  /** The answer of a Postgres that reads all documents, without a hint of the declared indexes in the statement. */
  async function withoutIndexes(id: number, page: FoundPage) {
    const { gate } = createNotingGate(
      database.connections.pool,
      'SET LOCAL jit = off; SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off',
    );
    const reader = createDocumentReader(database.connections.pool, gate);
    const { texts, total } = await reader.find(id, { ...page, indexes: { fields: [], hasWords: false } });
    return { texts, total };
  }

  /** The rows that all scans gave together. */
  async function rowsRead(sent: Sent | undefined): Promise<number> {
    const { rows } = await database.connections.pool.query(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${sent?.text}`,
      sent?.values,
    );
    const count = (plan: Plan): number =>
      (plan['Node Type'].includes('Scan') && plan['Index Name'] !== undefined
        ? (plan['Actual Rows'] ?? 0) * (plan['Actual Loops'] ?? 0)
        : 0) + (plan.Plans ?? []).reduce((sum, child) => sum + count(child), 0);
    return count(rows[0]?.['QUERY PLAN'][0].Plan);
  }
}
