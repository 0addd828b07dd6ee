/**
 * Random comparisons of the two evaluators. In each round a table is filled with random documents, and Postgres and memory are asked the same random queries of them. One
 * pair is one document and one query: for a filter, whether it matches; for an order, which document stands at that place, and whether it comes behind a random place; for an
 * aggregation, that it took part in a result that is equal. All follows from the seed.
 */
import type pg from 'pg';
import { aggregate } from './aggregate.js';
import { aggregateToSql } from './aggregate-to-sql.js';
import { parseAggregation } from './aggregation.js';
import { cursorOf, decodeCursor, encodeCursor } from './cursor.js';
import { declaredPaths, fillTable } from './documents-table.fixture.js';
import type { JsonObject } from './json.js';
import { canonicalJson } from './json-equality.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import {
  createRandom,
  makeAggregation,
  makeDocument,
  makeFilter,
  makeSort,
  type Random,
  times,
} from './random.fixture.js';
import { createComparator, parseSort, type Sort } from './sort.js';
import { keysetToSql, sortToSql } from './sort-to-sql.js';
import { SqlParameters } from './sql-parameters.js';
import { parseSearch } from './text-search.js';
import { toSql } from './to-sql.js';

/** What is compared. */
export const modes = ['filters', 'sort', 'aggregation'] as const;
/** One of them. */
export type Mode = (typeof modes)[number];
/** `hits`: pairs in which the query had something to say of the document. `refused`: queries that the parser refused. `samples`: some of the disagreements. */
export type Tally = { pairs: number; hits: number; refused: number; disagreements: number; samples: string[] };
/** How many pairs at least, from which seed. `tell` hears of the progress, every 100,000 pairs. */
export type ComparisonOptions = { pairs: number; seed: number; tell?: (progress: string) => void };

/** The answer to one query: how many documents were compared and found, and what differs. Null: the parser refused it. */
export type Answer = { compared: number; hits: number; differences: string[] } | null;
/** `isIndexed`: whether the query may use the indexes of the table. */
type Question = { client: pg.Client; documents: readonly JsonObject[]; random: Random; isIndexed: boolean };

const now = new Date('2024-05-15T10:00:00Z');
const rounds = {
  filters: {
    documents: 50,
    queries: 200,
    ask: (question: Question) => askFilter(question, makeFilter(question.random)),
  },
  sort: { documents: 100, queries: 25, ask: askSort },
  aggregation: { documents: 100, queries: 25, ask: askAggregation },
} as const satisfies Record<Mode, { documents: number; queries: number; ask(question: Question): Promise<Answer> }>;
const TOLD_EVERY = 100_000;
const SAMPLES = 5;

/** Compares until there are enough pairs; it goes on after a disagreement, and counts them all. */
export async function compareAtRandom(
  client: pg.Client,
  mode: Mode,
  { pairs, seed, tell = () => {} }: ComparisonOptions,
): Promise<Tally> {
  const random = createRandom(seed);
  const tally: Tally = { pairs: 0, hits: 0, refused: 0, disagreements: 0, samples: [] };
  let told = 0;
  while (tally.pairs < pairs) {
    const documents = times(rounds[mode].documents, (index) => makeDocument(random, index));
    await fillTable(client, documents);
    // Both plans: with the indexes wherever they can be used, and without.
    await client.query(`SET enable_seqscan = ${random() < 0.5 ? 'off' : 'on'}`);
    for (let left = rounds[mode].queries; left > 0; left -= 1) {
      count(tally, await rounds[mode].ask({ client, documents, random, isIndexed: random() < 0.5 }));
    }
    if (Math.floor(tally.pairs / TOLD_EVERY) === told) continue;
    told = Math.floor(tally.pairs / TOLD_EVERY);
    tell(`${mode}, seed ${seed}: ${tally.pairs} of ${pairs} pairs compared, ${tally.disagreements} disagreements`);
  }
  return tally;
}

function count(tally: Tally, answer: Answer): void {
  if (answer === null) {
    tally.refused += 1;
    return;
  }
  tally.pairs += answer.compared;
  tally.hits += answer.hits;
  tally.disagreements += answer.differences.length;
  tally.samples.push(...answer.differences.slice(0, SAMPLES - tally.samples.length));
}

async function run(client: pg.Client, raw: unknown, sql: string, { values }: SqlParameters) {
  const { rows } = await client.query<Record<string, unknown>>(sql, values).catch((cause: unknown) => {
    throw new Error(`Postgres refuses ${JSON.stringify({ raw, sql, values })}`, { cause });
  });
  return rows;
}

/** Asks both of all documents in the table whether the filter holds. */
export async function askFilter(
  { client, documents, isIndexed }: Omit<Question, 'random'>,
  raw: JsonObject,
): Promise<Answer> {
  const parsed = parseFilter(raw, { now });
  if (!parsed.ok) return null;
  const parameters = new SqlParameters();
  const where = toSql(parsed.filter, parameters, isIndexed ? { declaredPaths } : {});
  const rows = await run(client, raw, `SELECT id FROM documents WHERE ${where}`, parameters);
  const found = new Set(rows.map(({ id }) => id));
  const matches = createMatcher(parsed.filter);
  const differences = documents
    .filter((document) => matches(document) !== found.has(document._id))
    .map((document) => JSON.stringify({ filter: raw, document, inPostgres: found.has(document._id), where }));
  return { compared: documents.length, hits: found.size, differences };
}

async function askSort({ client, documents, random }: Question): Promise<Answer> {
  const raw = makeSort(random);
  const parsed = parseSort(raw, { search });
  if (!parsed.ok) return null;
  const { sort } = parsed;
  const expected = [...documents].sort(createComparator(sort));
  const parameters = new SqlParameters();
  const order = sortToSql(sort, parameters);
  const rows = await run(client, raw, `SELECT id FROM documents ORDER BY ${order}`, parameters);
  const differences = compareOrders(raw, expected, rows);
  if (random() < 0.25)
    differences.push(...(await askPage(client, sort, expected, Math.floor(random() * expected.length))));
  return { compared: documents.length, hits: documents.length, differences };
}

/** Everything behind one place, by a cursor that was a text in between. */
async function askPage(
  client: pg.Client,
  sort: Sort,
  expected: readonly JsonObject[],
  place: number,
): Promise<string[]> {
  const decoded = decodeCursor(sort, encodeCursor(sort, cursorOf(sort, expected[place] ?? {})));
  if (!decoded.ok) return [JSON.stringify({ sort, document: expected[place], errors: decoded.errors })];
  const parameters = new SqlParameters(['unused']);
  const after = keysetToSql(sort, decoded.values, parameters, { alias: 'd' });
  const order = sortToSql(sort, parameters, { alias: 'd' });
  const sql = `SELECT id FROM documents d WHERE $1::text IS NOT NULL AND ${after} ORDER BY ${order}`;
  return compareOrders(
    { sort, behind: expected[place] },
    expected.slice(place + 1),
    await run(client, sort, sql, parameters),
  );
}

function compareOrders(raw: unknown, expected: readonly JsonObject[], rows: readonly { id?: unknown }[]): string[] {
  return times(Math.max(expected.length, rows.length), (place) => ({ document: expected[place], id: rows[place]?.id }))
    .filter(({ document, id }) => document?._id !== id)
    .map(({ document, id }) => JSON.stringify({ order: raw, inMemory: document, inPostgres: id ?? null }));
}

/** The whole document, for MIN and MAX. */
const wholeDocument = `data || jsonb_build_object('_id', id, '_version', version, '_createdby', created_by, '_changedby', changed_by,
  '_created', to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), '_changed', to_char(changed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))`;

/** Over the documents that a filter lets through: mostly two thirds of them, else those of a random filter. */
async function askAggregation({ client, documents, random, isIndexed }: Question): Promise<Answer> {
  const raw = makeAggregation(random);
  const parsed = parseAggregation(raw);
  const filter = parseFilter(random() < 0.8 ? { _version: { $lt: 2 } } : makeFilter(random), { now });
  if (!parsed.ok || !filter.ok) return null;
  const parameters = new SqlParameters();
  const where = toSql(filter.filter, parameters, isIndexed ? { declaredPaths } : {});
  const { sql, read } = aggregateToSql(
    parsed.aggregation,
    { from: 'documents', where, document: wholeDocument },
    parameters,
  );
  const inPostgres = read(await run(client, raw, sql, parameters));
  const chosen = documents.filter(createMatcher(filter.filter));
  const inMemory = aggregate(parsed.aggregation, chosen);
  // The order of rows counts, that of an object's keys does not: jsonb keeps none.
  const isSame = canonicalJson(plain(inPostgres)) === canonicalJson(plain(inMemory));
  const differences = isSame ? [] : [JSON.stringify({ aggregation: raw, inMemory, inPostgres, documents: chosen })];
  return { compared: chosen.length, hits: chosen.length, differences };
}

/** As it would be sent. */
function plain(value: unknown): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}

/** The search whose score is one of the orders. */
const parsedSearch = parseSearch('a b', 'any');
const search = parsedSearch.ok ? parsedSearch.search : null;
