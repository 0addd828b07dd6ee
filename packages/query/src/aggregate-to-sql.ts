/** Aggregation in Postgres; the meaning is in `aggregation.ts`. Everything of the user is bound, names of formats and fields included. */
import { finishSum } from './aggregate.js';
import {
  type AggregateItem,
  type AggregateOutcome,
  type AggregateRow,
  type Aggregation,
  arrange,
  type GroupKey,
} from './aggregation.js';
import { isMetafield } from './ast.js';
import { formatToSql, unitToSql } from './date-parts.js';
import type { JsonObject, JsonValue } from './json.js';
import { isIndex } from './paths.js';
import { queryLimits } from './query-limits.js';
import { nullKey } from './sort-key.js';
import { sortKeyToSql } from './sort-to-sql.js';
import { column, type SqlOptions, type SqlParameters } from './sql-parameters.js';
import { metafieldValue } from './to-sql.js';

/**
 * SQL of the caller's own: `from` (`documents d`), `where` (with its parameters bound in the same `parameters`, and which ids belong to one row each), and `document`, the
 * expression of the whole document that `MIN` and `MAX` give, of type json or jsonb; by default the own fields with `_id`.
 */
export type AggregateSource = SqlOptions & { from: string; where: string; document?: string };
/** Run `sql` with the values of the parameters, and give its rows, with column names as they are, to `read`. */
export type AggregateStatement = { sql: string; read(rows: readonly Record<string, unknown>[]): AggregateOutcome };

/** The statement of an aggregation. */
export function aggregateToSql(
  aggregation: Aggregation,
  source: AggregateSource,
  parameters: SqlParameters,
): AggregateStatement {
  const { groupKeys, items, hasGrandTotal } = aggregation;
  const keys = groupKeys.map((key, index) => `${keyToSql(key, parameters, source)} AS k${index}`);
  const picked = items.flatMap((item, index) => pick(item, index, parameters, source));
  const columns = [...keys, ...picked, '1 AS one'].join(', ');
  const names = groupKeys.map((_key, index) => `k${index}`);
  const results = items.flatMap((item, index) => summarize(item, index));
  const isTotal = hasGrandTotal ? [`grouping(${names[0]}) AS is_total`] : [];
  const grouping =
    names.length === 0
      ? ''
      : hasGrandTotal
        ? ` GROUP BY GROUPING SETS ((${names.join(', ')}), ())`
        : ` GROUP BY ${names.join(', ')}`;
  const inner = `SELECT ${[...names, ...results, ...isTotal, 'count(*) AS rows'].join(', ')} FROM (SELECT ${columns} FROM ${source.from} WHERE ${source.where}) AS picked${grouping} LIMIT ${queryLimits.groups + 2}`;
  const shown = [
    ...names.map((name) => `groups.${name}::text`),
    ...items.flatMap((item, index) => show(item, index, source)),
    ...(hasGrandTotal ? ['groups.is_total'] : []),
  ];
  const sql = `SELECT ${[...shown, 'groups.rows::text'].join(', ')} FROM (${inner}) AS groups`;
  return { sql, read: (rows) => readRows(aggregation, rows) };
}

function keyToSql({ path, part }: GroupKey, parameters: SqlParameters, source: SqlOptions): string {
  const value = valueToSql(path, parameters, source);
  const key =
    part === null ? value : 'unit' in part ? unitToSql(value, part.unit) : formatToSql(value, part.format, parameters);
  return `coalesce(${key}, 'null'::jsonb)`;
}

/** What `valueAt` gives, as jsonb; NULL for a missing value. */
function valueToSql(path: readonly string[], parameters: SqlParameters, options: SqlOptions): string {
  const [name, ...rest] = path;
  if (isMetafield(name)) return rest.length > 0 ? 'NULL::jsonb' : `to_jsonb(${metafieldValue(name, options)})`;
  let value = column('data', options);
  let plain: string[] = [];
  const enter = () => {
    if (plain.length > 0) value = `(${value} #> ${parameters.add(plain)}::text[])`;
    plain = [];
  };
  for (const segment of path) {
    // The operator #> would take "-1", "+1" and "01" for indexes of an array; -> with a text takes keys only.
    if (isIndex(segment) || !/^\s*[+-]?[0-9]+$/.test(segment)) plain.push(segment);
    else {
      enter();
      value = `(${value} -> ${parameters.add(segment)}::text)`;
    }
  }
  enter();
  return value;
}

function pick(item: AggregateItem, index: number, parameters: SqlParameters, source: SqlOptions): string[] {
  switch (item.function) {
    case 'COUNT':
      return [];
    case 'SUM':
    case 'AVG': {
      const value = valueToSql(item.path, parameters, source);
      return [`CASE jsonb_typeof(${value}) WHEN 'number' THEN (${value})::numeric END AS v${index}`];
    }
    case 'MIN':
    case 'MAX': {
      const key = sortKeyToSql(item.path, item.function === 'MIN' ? 1 : -1, parameters, source);
      return [`ARRAY[(${key}) COLLATE "C", ${column('id', source)} COLLATE "C"] AS v${index}`];
    }
  }
}

function summarize(item: AggregateItem, index: number): string[] {
  const value = `v${index}`;
  switch (item.function) {
    case 'COUNT':
      return [];
    case 'SUM':
    case 'AVG':
      return [`coalesce(sum(${value}), 0) AS s${index}`, `count(${value}) AS n${index}`];
    case 'MIN':
    case 'MAX':
      return [
        `${item.function === 'MIN' ? 'min' : 'max'}(${value} COLLATE "C") FILTER (WHERE ${value}[1] COLLATE "C" > '${nullKey}') AS s${index}`,
      ];
  }
}

function show(item: AggregateItem, index: number, source: AggregateSource): string[] {
  switch (item.function) {
    case 'COUNT':
      return [];
    case 'SUM':
    case 'AVG':
      return [`groups.s${index}::text`, `groups.n${index}::text`];
    case 'MIN':
    case 'MAX': {
      const id = column('id', source);
      const document = source.document ?? `${column('data', source)} || jsonb_build_object('_id', ${id})`;
      return [
        `(SELECT (${document})::text FROM ${source.from} WHERE ${source.where} AND ${id} = groups.s${index}[2]) AS s${index}`,
      ];
    }
  }
}

function readRows(aggregation: Aggregation, rows: readonly Record<string, unknown>[]): AggregateOutcome {
  const isTotal = (row: Record<string, unknown>) => Number(row.is_total ?? 0) === 1;
  const groups = rows.filter((row) => !isTotal(row)).map((row) => readRow(aggregation, row, false));
  const total = rows.find(isTotal);
  return arrange(aggregation, groups, total === undefined ? null : readRow(aggregation, total, true));
}

function readRow({ groupKeys, items }: Aggregation, row: Record<string, unknown>, isTotal: boolean): AggregateRow {
  const values = Object.fromEntries(items.map((item, index) => [item.name, readItem(item, index, row)]));
  if (groupKeys.length === 0) return values;
  const groupkey = isTotal ? [] : groupKeys.map((_key, index) => JSON.parse(String(row[`k${index}`])) as JsonValue);
  return { groupkey, ...values };
}

function readItem(item: AggregateItem, index: number, row: Record<string, unknown>): JsonValue {
  const value = row[`s${index}`];
  switch (item.function) {
    case 'COUNT':
      return Number(row.rows);
    case 'SUM':
    case 'AVG':
      return finishSum(String(value), Number(row[`n${index}`]), item.function === 'AVG');
    case 'MIN':
    case 'MAX':
      return value === null || value === undefined ? null : (JSON.parse(String(value)) as JsonObject);
  }
}
