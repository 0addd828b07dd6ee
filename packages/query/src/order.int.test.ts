/** Order, paging by key, projection's sources and aggregation: Postgres and memory are asked the same of random documents. */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregate } from './aggregate.js';
import { aggregateToSql } from './aggregate-to-sql.js';
import { parseAggregation } from './aggregation.js';
import { cursorOf, decodeCursor, encodeCursor } from './cursor.js';
import { createDocumentsTable, fillTable } from './documents-table.fixture.js';
import type { JsonObject } from './json.js';
import { createRandom, makeDocument, makePath, pick, type Random, times } from './random.fixture.js';
import { createComparator, parseSort, type Sort } from './sort.js';
import { keysetToSql, sortToSql } from './sort-to-sql.js';
import { SqlParameters } from './sql-parameters.js';
import { parseSearch, type TextSearch } from './text-search.js';

const { env } = process;
const rounds = Number(env.ROUNDS ?? 40);
const seed = Number(env.SEED ?? 7);

/** The whole document, for MIN and MAX. */
const wholeDocument = `data || jsonb_build_object('_id', id, '_version', version, '_createdby', created_by, '_changedby', changed_by,
  '_created', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '_changed', to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;

describe(`with seed ${seed}`, () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createDocumentsTable());
  });
  afterAll(() => close());

  async function eachRound(test: (random: Random, documents: JsonObject[]) => Promise<void>): Promise<void> {
    const random = createRandom(seed);
    for (let round = 0; round < rounds; round += 1) {
      const documents = times(60, (index) => makeDocument(random, index));
      await fillTable(client, documents);
      for (let left = 15; left > 0; left -= 1) await test(random, documents);
    }
  }

  it('Postgres and memory put random documents in the same order', { timeout: 600_000 }, () =>
    eachRound(async (random, documents) => {
      const sort = makeSort(random);
      const parameters = new SqlParameters();
      const order = sortToSql(sort, parameters);
      const { rows } = await client.query(`SELECT id FROM documents ORDER BY ${order}`, parameters.values);
      expect(
        rows.map(({ id }) => id),
        JSON.stringify(sort),
      ).toEqual(idsOf(documents, sort));
    }),
  );

  it('pages by cursor hold each document once, in order, and a cursor survives its text', { timeout: 600_000 }, () =>
    eachRound(async (random, documents) => {
      const sort = makeSort(random);
      const sorted = idsOf(documents, sort);
      const at = Math.floor(random() * documents.length);
      const document = documents.find(({ _id }) => _id === sorted[at]);
      const decoded = decodeCursor(sort, encodeCursor(sort, cursorOf(sort, document ?? {})));
      if (!decoded.ok) throw new Error(JSON.stringify(decoded.errors));
      const parameters = new SqlParameters(['unused']);
      const after = keysetToSql(sort, decoded.values, parameters, { alias: 'd' });
      const order = sortToSql(sort, parameters, { alias: 'd' });
      const { rows } = await client.query(
        `SELECT id FROM documents d WHERE $1::text IS NOT NULL AND ${after} ORDER BY ${order}`,
        parameters.values,
      );
      expect(
        rows.map(({ id }) => id),
        JSON.stringify([sort, document]),
      ).toEqual(sorted.slice(at + 1));
    }),
  );

  it('Postgres and memory aggregate random documents alike', { timeout: 600_000 }, () =>
    eachRound(async (random, documents) => {
      const raw = makeAggregation(random);
      const parsed = parseAggregation(raw);
      if (!parsed.ok) throw new Error(JSON.stringify([raw, parsed.errors]));
      const parameters = new SqlParameters();
      const source = { from: 'documents', where: `version < ${parameters.add(2)}::int`, document: wholeDocument };
      const { sql, read } = aggregateToSql(parsed.aggregation, source, parameters);
      const { rows } = await client.query(sql, parameters.values);
      const expected = aggregate(
        parsed.aggregation,
        documents.filter(({ _version }) => Number(_version) < 2),
      );
      expect(read(rows), JSON.stringify(raw)).toEqual(JSON.parse(JSON.stringify(expected)));
    }),
  );
});

function idsOf(documents: readonly JsonObject[], sort: Sort): unknown[] {
  return [...documents].sort(createComparator(sort)).map(({ _id }) => _id);
}

const search = searchFor('a b');

function searchFor(text: string): TextSearch {
  const parsed = parseSearch(text, 'any');
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.search;
}

function makeSort(random: Random): Sort {
  const entries = times(Math.floor(random() * 4), () => {
    if (random() < 0.1) return ['score', { $meta: 'textScore' }] as const;
    return [
      random() < 0.5 ? pick(random, ['a', 'b', 'a.b', 'a.0']) : makePath(random),
      random() < 0.5 ? 1 : -1,
    ] as const;
  });
  const parsed = parseSort(Object.fromEntries(entries), { search });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.sort;
}

function makeAggregation(random: Random) {
  const path = () => (random() < 0.6 ? pick(random, ['a', 'b', 'a.b', 'a.0', 'a.-1', '_version']) : makePath(random));
  const key = () => {
    const kind = random();
    if (kind < 0.6) return path();
    const field = random() < 0.5 ? path() : pick(random, ['_created', '_changed', '_changedby']);
    if (kind < 0.8) return `$${pick(random, ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MIN', 'SEC'])}:${field}`;
    return `$DATE.${pick(random, ['YYYY-MM-DD', 'YY/Q MMMM MMM M D', 'HH:mm:ss.SSS', 'hh h H m s A a', "[it's] $1 T", "'; YYYY"])}:${field}`;
  };
  const item = () => `${pick(random, ['SUM', 'AVG', 'MIN', 'MAX', 'COUNT', 'sum'])}:${path()}`;
  return {
    groupby: times(Math.floor(random() * 3), key),
    aggregate: times(Math.floor(random() * 4), item),
    grandTotal: random() < 0.3,
  };
}
