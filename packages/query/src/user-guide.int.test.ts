/** The examples of docs/query.md are true: each row of its tables is parsed, and asked of memory and of Postgres, on the documents that the page gives. */
import { readFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggregate } from './aggregate.js';
import { aggregateToSql } from './aggregate-to-sql.js';
import type { Filter } from './ast.js';
import { createDocumentsTable, fillTable } from './documents-table.fixture.js';
import { parseHints } from './hints.js';
import type { JsonObject } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter, parseTextFilter } from './parse-filter.js';
import type { Parsed, QueryProblem } from './problems.js';
import { parseProjection, project } from './projection.js';
import { createComparator, parseSort } from './sort.js';
import { sortToSql } from './sort-to-sql.js';
import { SqlParameters } from './sql-parameters.js';
import { toSql } from './to-sql.js';

const page = readFileSync(new URL('../../../docs/query.md', import.meta.url), 'utf8');
/** The moment of which the page speaks. */
const now = new Date('2024-05-15T10:00:00Z');

const given = JSON.parse(/```json documents\n(.*?)```/s.exec(page)?.[1] ?? '[]') as JsonObject[];
const metafields = {
  _created: '2024-05-01T00:00:00.000Z',
  _changed: '2024-05-01T00:00:00.000Z',
  _createdby: 'api',
  _changedby: 'api',
  _version: 0,
};
const documents = given.map((document): JsonObject => ({ ...document, ...metafields }));

/** The rows of all tables with this head, their cells without marks. */
function rowsUnder(head: string): string[][] {
  const tables = page.split(/\n\n+/).filter((block) => block.startsWith(`${head}\n|---`));
  return tables.flatMap((table) => table.trim().split('\n').slice(2).map(cellsOf));
}

function cellsOf(row: string): string[] {
  return row
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim().replace(/^`(.*)`$/, '$1'));
}

const idsIn = (cell: string | undefined) => (cell ? cell.split(', ') : []);

function good<T extends object>(parsed: Parsed<T>): { ok: true } & T {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed;
}

describe('the examples of docs/query.md', () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createDocumentsTable());
    await fillTable(client, documents);
  });
  afterAll(() => close());

  async function expectFound(filter: Filter, ids: string[]): Promise<void> {
    expect(documents.filter(createMatcher(filter)).map(({ _id }) => _id)).toEqual(ids);
    const parameters = new SqlParameters();
    const sql = `SELECT id FROM documents WHERE ${toSql(filter, parameters)} ORDER BY id`;
    const { rows } = await client.query<{ id: string }>(sql, parameters.values);
    expect(rows.map(({ id }) => id)).toEqual(ids);
  }

  it.each(rowsUnder('| `q` | finds |'))('%s finds %s', async (q, ids) => {
    await expectFound(good(parseFilter(JSON.parse(q ?? ''), { now })).filter, idsIn(ids));
  });

  it.each(rowsUnder('| `filter` | finds |'))('filter=%s finds %s', async (text, ids) => {
    await expectFound(good(parseTextFilter(text ?? '')).filter, idsIn(ids));
  });

  it.each(rowsUnder('| `$orderby` | order |'))('%s gives the order %s', async (orderby, ids) => {
    const { sort } = good(parseSort(JSON.parse(orderby ?? '')));
    expect([...documents].sort(createComparator(sort)).map(({ _id }) => _id)).toEqual(idsIn(ids));
    const parameters = new SqlParameters();
    const order = sortToSql(sort, parameters);
    const { rows } = await client.query<{ id: string }>(
      `SELECT id FROM documents ORDER BY ${order}`,
      parameters.values,
    );
    expect(rows.map(({ id }) => id)).toEqual(idsIn(ids));
  });

  it.each(rowsUnder('| `$fields` | of document 2 |'))('%s shows %s', (fields, shown) => {
    const { projection } = good(parseProjection(JSON.parse(fields ?? '')));
    expect(project(projection, given[1] ?? {})).toEqual(JSON.parse(shown ?? ''));
  });

  it.each(rowsUnder('| `h` | answer |'))('%s answers %s', async (h, answer) => {
    const { aggregation } = good(parseHints(JSON.parse(h ?? ''))).hints;
    if (aggregation === undefined) throw new Error('This hint asks for no aggregation.');
    const outcome = { ok: true, result: JSON.parse(answer ?? '') };
    expect(aggregate(aggregation, documents)).toEqual(outcome);
    const parameters = new SqlParameters();
    const { sql, read } = aggregateToSql(aggregation, { from: 'documents', where: 'true' }, parameters);
    expect(read((await client.query(sql, parameters.values)).rows)).toEqual(outcome);
  });

  it.each(rowsUnder('| `q` | place | because |'))('%s is refused at %s', (q, place, because) => {
    const parsed = parseFilter(JSON.parse(q ?? ''), { now });
    const [problem]: QueryProblem[] = parsed.ok ? [] : parsed.errors;
    expect(problem?.field).toBe(place);
    expect(problem?.message).toContain(because);
  });

  it('are found, all of them', () => {
    const examples = page
      .split('\n')
      .filter((line) => /^\| `[^`]*` \|/.test(line) && /^\| `(?:\{|math|NAVY|navy|"|elise)/.test(line));
    const heads = [
      '`q` | finds',
      '`filter` | finds',
      '`$orderby` | order',
      '`$fields` | of document 2',
      '`h` | answer',
    ];
    const tested = [...heads, '`q` | place | because'].flatMap((head) => rowsUnder(`| ${head} |`));
    expect(tested).toHaveLength(examples.length);
    expect(tested.length).toBeGreaterThan(100);
  });
});
