/** Declared indexes are used by the conditions they are for, and hold values of any size. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLinguisticDatabase } from './documents-table.fixture.js';
import { canDeclare, indexExpression } from './index-expression.js';
import type { JsonObject } from './json.js';
import { parseFilter } from './parse-filter.js';
import { SqlParameters } from './sql-parameters.js';
import { toSql } from './to-sql.js';

describe('among 20,000 documents', () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createLinguisticDatabase());
    await client.query(`CREATE TABLE documents (
      collection_id integer NOT NULL, id text COLLATE "C" NOT NULL, data jsonb NOT NULL, version integer NOT NULL DEFAULT 0, created_at timestamptz(3) NOT NULL,
      changed_at timestamptz(3) NOT NULL DEFAULT now(), created_by text NOT NULL DEFAULT 'api', changed_by text NOT NULL DEFAULT 'api', PRIMARY KEY (collection_id, id))`);
    await client.query(`INSERT INTO documents (collection_id, id, data, created_at)
      SELECT 1, lpad(to_hex(n), 24, '0'),
        jsonb_build_object('a', jsonb_build_object('b', n), 'name', 'name ' || n, 'tags', jsonb_build_array('t' || n % 500, 'u'), 'day', to_char(timestamp '2020-01-01' + n * interval '1 hour', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')),
        timestamptz '2020-01-01' + n * interval '1 hour'
      FROM generate_series(1, 20000) AS n`);
    for (const path of ['a.b', 'name', 'tags', 'day']) {
      await client.query(`CREATE INDEX ON documents (collection_id, (${indexExpression(path)}))`);
    }
    await client.query('CREATE INDEX ON documents (collection_id, created_at, id)');
    await client.query('ANALYZE documents');
  });
  afterAll(() => close());

  const prepare = (raw: JsonObject) => {
    const parsed = parseFilter(raw);
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
    const parameters = new SqlParameters([1]);
    const where = toSql(parsed.filter, parameters, {
      alias: 'd',
      declaredPaths: ['a.b', 'name', 'tags', 'day', 'not.there'],
    });
    return {
      text: `SELECT d.id FROM documents d WHERE d.collection_id = $1::int AND ${where}`,
      values: parameters.values,
    };
  };

  it.each<[string, JsonObject, number]>([
    ['equality with a number', { 'a.b': 77 }, 1],
    ['equality with a text', { name: 'name 77' }, 1],
    ['$in', { name: { $in: ['name 1', 'name 2', 'nobody'] } }, 2],
    ['a range of numbers', { 'a.b': { $gt: 10, $lte: 20 } }, 10],
    ['a range of texts', { name: { $gte: 'name 999', $lt: 'name 99a' } }, 11],
    ['a range of dates', { day: { $gte: { $date: '2020-01-02' }, $lt: { $date: '2020-01-03' } } }, 24],
    ['one of two fields', { $or: [{ 'a.b': 5 }, { name: 'name 6' }] }, 2],
    ['equality beside what has no index', { name: 'name 5', other: { $ne: 1 } }, 1],
    ['a metafield of its own column', { _id: '000000000000000000000010' }, 1],
    ['a range of times of creation', { _created: { $lt: { $date: '2020-01-01T05:00:00Z' } } }, 4],
  ])('%s is answered by an index', async (_name, raw, count) => {
    const { text, values } = prepare(raw);
    expect((await client.query(text, values)).rows).toHaveLength(count);
    const { rows } = await client.query(`EXPLAIN ${text}`, values);
    const plan = rows.map((row) => String(row['QUERY PLAN'])).join('\n');
    expect(plan).toMatch(/Index/);
    expect(plan).not.toMatch(/Seq Scan/);
  });

  it('a GIN index on the fields answers equality on any path, arrays on it or not', async () => {
    await client.query('CREATE INDEX everything ON documents USING gin (data jsonb_path_ops)');
    await client.query('SET enable_seqscan = off');
    const parsed = parseFilter({ 'a.b': 4, tags: 't4', other: { $exists: false } });
    if (!parsed.ok) throw new Error('not parsed');
    const parameters = new SqlParameters();
    const where = toSql(parsed.filter, parameters);
    const { rows } = await client.query(`EXPLAIN SELECT id FROM documents WHERE ${where}`, parameters.values);
    expect(JSON.stringify(rows)).toMatch(/Bitmap Index Scan on everything/);
    await client.query('DROP INDEX everything; RESET enable_seqscan');
  });

  it('a value in arrays is found through the index as well as without', async () => {
    const { text, values } = prepare({ tags: 't7' });
    expect((await client.query(text, values)).rows).toHaveLength(40);
  });

  it('a value that is too long for an index row can be stored and found', async () => {
    const long = '長い'.repeat(50_000);
    const insert = `INSERT INTO documents (collection_id, id, data, created_at) VALUES (2, $1, $2::jsonb, now())`;
    await client.query(insert, [
      'long',
      JSON.stringify({ name: long, a: { b: [long] }, tags: { deep: long }, day: 1e300 }),
    ]);
    const { text, values } = prepare({ name: long.slice(0, 8_000) });
    expect((await client.query(text, [2, ...values.slice(1)])).rows).toEqual([]);
    const prefix = prepare({ name: { $gte: long.slice(0, 8_000) } });
    expect((await client.query(prefix.text, [2, ...prefix.values.slice(1)])).rows).toEqual([{ id: 'long' }]);
  });
});

it.each([
  ['a', true],
  ['a.b_c-d', true],
  ['_mine', true],
  ['_id', false],
  ['_created.a', false],
  ['a.0', false],
  ['', false],
  ["a'b", false],
  ['a..b', false],
  ['a b', false],
])('whether %j can have an index is %s', (path, expected) => {
  expect(canDeclare(path)).toBe(expected);
});
