/** Nothing that a user writes becomes SQL: not as a value, and not as a name. */
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { aggregate } from './aggregate.js';
import { aggregateToSql } from './aggregate-to-sql.js';
import { parseAggregation } from './aggregation.js';
import { decodeCursor } from './cursor.js';
import { createDocumentsTable, declaredPaths, fillTable } from './documents-table.fixture.js';
import { indexExpression } from './index-expression.js';
import { type JsonObject, type JsonValue, setMember } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { isStorable } from './paths.js';
import { payloads } from './payloads.fixture.js';
import { parseProjection, project } from './projection.js';
import { createRandom, makeDocument, times } from './random.fixture.js';
import { createComparator, parseSort, parseSortParameters } from './sort.js';
import { keysetToSql, sortToSql } from './sort-to-sql.js';
import { SqlParameters } from './sql-parameters.js';
import { toSql } from './to-sql.js';

const random = createRandom(1);
/** Some documents have the payloads as values and as names. */
const documents = [
  ...times(20, (index) => makeDocument(random, index)),
  ...payloads.filter(isStorable).map((payload, index) => {
    const document = makeDocument(random, 100 + index);
    document.a = payload;
    document.nested = {};
    setMember(document.nested, payload, payload);
    if (!payload.startsWith('_')) setMember(document, payload, index);
    return document;
  }),
];

/** One pair with the value under a name that may be `__proto__`. */
function pair(name: string, value: JsonValue): JsonObject {
  const object: JsonObject = {};
  setMember(object, name, value);
  return object;
}

const filterPlaces: Record<string, (payload: string) => JsonObject> = {
  value: (payload) => ({ a: payload }),
  'value of $gt': (payload) => ({ a: { $gt: payload } }),
  'value of $in': (payload) => ({ a: { $in: [payload, 1] } }),
  'value in a long $in': (payload) => ({ a: { $in: [...times(20, String), payload] } }),
  'value of a metafield': (payload) => ({ _createdby: payload }),
  'value of $lt on a time': (payload) => ({ _created: { $lt: payload } }),
  'value within an object': (payload) => ({ a: pair(payload, [payload]) }),
  'value of $elemMatch': (payload) => ({ a: { $elemMatch: { $eq: payload } } }),
  'value of $all': (payload) => ({ a: { $all: [payload] } }),
  path: (payload) => pair(payload, 1),
  'path below a field': (payload) => pair(`nested.${payload}`, payload),
  'path below a metafield': (payload) => pair(`_created.${payload}`, null),
  'path after an index': (payload) => pair(`a.0.${payload}`, { $exists: false }),
  'path in $elemMatch': (payload) => ({ a: { $elemMatch: pair(payload, payload) } }),
  'operator of a field': (payload) => ({ a: pair(payload, 1) }),
  'operator with a dollar': (payload) => ({ a: pair(`$${payload}`, 1) }),
  'logical operator': (payload) => pair(`$${payload}`, [{ a: 1 }]),
  $regex: (payload) => ({ a: { $regex: payload } }),
  '$regex with i': (payload) => ({ a: { $regex: payload, $options: 'i' } }),
  $options: (payload) => ({ a: { $regex: 'a', $options: payload } }),
  $search: (payload) => ({ $text: { $search: payload } }),
  $type: (payload) => ({ a: { $type: payload } }),
  $date: (payload) => ({ a: { $date: payload } }),
  $size: (payload) => ({ a: { $size: payload } }),
};

const neverAccepted = ['operator with a dollar', 'logical operator', '$options', '$type', '$date', '$size'];

/** As JSON has it, and so the database: there is no negative zero. */
function asStored(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

describe(`${payloads.length} payloads`, () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createDocumentsTable());
    await fillTable(client, documents);
    await client.query("SET statement_timeout = '2s'");
  });
  afterEach(async () => {
    expect((await client.query('SELECT count(*)::int AS count FROM documents')).rows).toEqual([
      { count: documents.length },
    ]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toHaveLength(12);
  });
  afterAll(() => close());

  const ids = (rows: readonly Record<string, unknown>[]) => rows.map(({ id }) => id).sort();

  it.each(Object.keys(filterPlaces))(
    'as %s find what the matcher finds, or are refused with a reason',
    async (place) => {
      let accepted = 0;
      const statements = new Set<string>();
      for (const payload of payloads) {
        const raw = filterPlaces[place]?.(payload);
        const parsed = parseFilter(raw);
        if (!parsed.ok) {
          expect(parsed.errors[0]?.message.length, payload).toBeGreaterThan(10);
          continue;
        }
        accepted += 1;
        const parameters = new SqlParameters();
        const sql = toSql(parsed.filter, parameters, { declaredPaths });
        statements.add(sql);
        const { rows } = await client.query(`SELECT id FROM documents WHERE ${sql}`, parameters.values);
        const expected = documents.filter(createMatcher(parsed.filter)).map(({ _id }) => _id);
        expect(ids(rows), payload).toEqual(expected.sort());
      }
      // The text of the statement depends on the kind of the condition alone: no payload is in it.
      expect(statements.size).toBeLessThanOrEqual(place === '$search' ? 12 : 4);
      for (const sql of statements) expect(sql).not.toMatch(/sleep|DROP|UNION|polluted|pg_user/);
      if (!neverAccepted.includes(place)) expect(accepted).toBeGreaterThan(0);
    },
  );

  it('as sort fields order as in memory, or are refused', async () => {
    const statements = new Set<string>();
    for (const payload of payloads) {
      for (const parsed of [
        parseSort(pair(`nested.${payload}`, -1)),
        parseSortParameters([payload, 'a'], ['1', '-1']),
      ]) {
        if (!parsed.ok) continue;
        const parameters = new SqlParameters();
        const sql = sortToSql(parsed.sort, parameters);
        statements.add(sql.replace(/\$[0-9]+/g, '$'));
        const { rows } = await client.query(`SELECT id FROM documents ORDER BY ${sql}`, parameters.values);
        expect(
          rows.map(({ id }) => id),
          payload,
        ).toEqual([...documents].sort(createComparator(parsed.sort)).map(({ _id }) => _id));
      }
    }
    for (const sql of statements) expect(sql).not.toMatch(/sleep|DROP|UNION SELECT version|polluted|pg_user/);
  });

  it('as directions of a sort are refused', () => {
    for (const payload of payloads.filter((text) => text !== '-1')) {
      expect(parseSortParameters('a', payload).ok, payload).toBe(false);
      expect(parseSort({ a: payload }).ok, payload).toBe(false);
    }
  });

  it('as places in a cursor, or as whole cursors, are refused or mean a place', async () => {
    const sort = parseSort({ a: 1, _created: -1 });
    if (!sort.ok) throw new Error('not parsed');
    for (const payload of payloads) {
      expect(decodeCursor(sort.sort, payload).ok, payload).toBe(false);
      const text = (values: string[]) =>
        Buffer.from(JSON.stringify({ v: 1, s: sortText, k: values })).toString('base64url');
      const time = decodeCursor(sort.sort, text(['3a', payload, 'id']));
      expect(time.ok, payload).toBe(false);
      const place = decodeCursor(sort.sort, text([payload, '2024-05-01T00:00:00.000Z', payload]));
      if (!place.ok) continue;
      const parameters = new SqlParameters();
      await client.query(
        `SELECT id FROM documents WHERE ${keysetToSql(sort.sort, place.values, parameters)}`,
        parameters.values,
      );
    }
  });
  const sortText = JSON.stringify([
    [1, 'a'],
    [-1, '_created'],
    [-1, '_id'],
  ]);

  it('as group keys, formats, fields and names of an aggregation count what memory counts, or are refused', async () => {
    for (const payload of payloads) {
      const raws = [
        { groupby: [payload], aggregate: ['COUNT:n'] },
        { groupby: [`nested.${payload}`], aggregate: [`SUM:${payload}`, `COUNT:${payload}`] },
        { groupby: [`$DATE.${payload}:_created`], aggregate: [`AVG:nested.${payload}`], grandTotal: true },
        { groupby: [`$YEAR:${payload}`, `$${payload}:a`], aggregate: [`${payload}:a`] },
        { aggregate: [`MIN:${payload}`, `MAX:nested.${payload}`] },
      ];
      for (const raw of raws) {
        const parsed = parseAggregation(raw);
        if (!parsed.ok) continue;
        const parameters = new SqlParameters();
        const { sql, read } = aggregateToSql(parsed.aggregation, { from: 'documents', where: 'true' }, parameters);
        expect(sql).not.toMatch(/sleep|DROP|UNION SELECT version|polluted|pg_user/);
        const { rows } = await client.query(sql, parameters.values);
        const bare = documents.map(({ _created, _changed, _createdby, _changedby, _version, ...own }) => own);
        const usesMetafields = JSON.stringify(raw).includes(':_created');
        const expected = aggregate(parsed.aggregation, usesMetafields ? documents : bare);
        expect(asStored(read(rows)), JSON.stringify(raw)).toEqual(asStored(expected));
      }
    }
  });

  it('as fields of a projection leave documents unharmed', () => {
    for (const payload of payloads) {
      for (const choice of [1, 0]) {
        const parsed = parseProjection(pair(payload, choice));
        if (parsed.ok)
          for (const document of documents) expect(project(parsed.projection, document)).toBeTypeOf('object');
      }
    }
  });

  it('as declared paths or aliases never reach the statement', () => {
    const filter = parseFilter({ a: 1 });
    if (!filter.ok) throw new Error('not parsed');
    const plain = toSql(filter.filter, new SqlParameters());
    for (const payload of payloads.filter(
      (text) => !/^[A-Za-z_][A-Za-z0-9_-]*(\.[A-Za-z_][A-Za-z0-9_-]*)*$/.test(text),
    )) {
      expect(toSql(filter.filter, new SqlParameters(), { declaredPaths: [payload] })).toBe(plain);
      expect(() => indexExpression(payload), payload).toThrow(RangeError);
      expect(() => toSql(filter.filter, new SqlParameters(), { alias: payload }), payload).toThrow(RangeError);
      expect(() => sortToSql({ terms: [] }, new SqlParameters(), { alias: payload })).not.toThrow();
    }
  });
});
