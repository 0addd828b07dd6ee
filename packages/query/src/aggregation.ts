/**
 * Sums, averages, counts, least and greatest documents, of all or in groups (restdb.io's `$groupby` and `$aggregate`). What they mean:
 *
 * - A path enters arrays by index only; what it does not reach is null.
 * - Group keys: the value itself (equal as in queries), or a part of a date; null where there is no date.
 * - `SUM` adds the numbers and passes over all else: exactly, in decimal, rounded once to a double; null when beyond a double. `AVG` is that sum divided by the number of
 *   its numbers; null when there are none. `COUNT` is the number of documents.
 * - `MIN` and `MAX` give the whole document whose value comes first or last in the order of `sort.ts`, among documents with a value that is not null; of equals the
 *   one with the least (`MIN`) or greatest (`MAX`) `_id`; null when there is none.
 * - Groups come in the order of their keys. The grand total is one more row at the end, with the group key `[]`.
 */

import { compareCodePoints } from './code-points.js';
import { type DateUnit, dateUnits, type FormatPiece, formatTokens, parseFormat } from './date-parts.js';
import type { JsonObject, JsonValue } from './json.js';
import { canonicalJson } from './json-equality.js';
import { isStorable, parsePath, shorten } from './paths.js';
import { below, type Parsed, type QueryProblem, refuse } from './problems.js';
import { queryLimits } from './query-limits.js';
import { keyOf } from './sort-key.js';

/** What documents are grouped by. */
export type GroupKey = {
  path: readonly string[];
  part: { unit: DateUnit } | { format: readonly FormatPiece[] } | null;
};
/** `name`: the property of the answer, function, space, field: `SUM price`, and `COUNT ` for `COUNT:`. */
export type AggregateItem =
  | { function: 'COUNT'; name: string }
  | { function: 'SUM' | 'AVG' | 'MIN' | 'MAX'; name: string; path: readonly string[] };
/** A parsed aggregation; without group keys its answer is one object. */
export type Aggregation = { groupKeys: readonly GroupKey[]; items: readonly AggregateItem[]; hasGrandTotal: boolean };
/** `groupkey` is there when there are group keys. */
export type AggregateRow = { groupkey?: JsonValue[]; [name: string]: JsonValue | undefined };
/** The answer; refused when there are more groups than `queryLimits.groups`. */
export type AggregateOutcome = Parsed<{ result: AggregateRow | AggregateRow[] }>;

const functions = ['SUM', 'AVG', 'MIN', 'MAX', 'COUNT'] as const;

/** Parses the hints `$groupby`, `$aggregate`, `$aggregate-grand-total`, or the parameters `groupby` and `aggregate`; one text or an array of them each. */
export function parseAggregation(parts: {
  groupby?: unknown;
  aggregate?: unknown;
  grandTotal?: unknown;
}): Parsed<{ aggregation: Aggregation }> {
  const errors: QueryProblem[] = [];
  const keys = listOf(parts.groupby, '/groupby', queryLimits.groupKeys, errors);
  const items = listOf(parts.aggregate, '/aggregate', queryLimits.aggregateItems, errors);
  if (parts.grandTotal !== undefined && typeof parts.grandTotal !== 'boolean') {
    errors.push({
      field: '/aggregate-grand-total',
      message: 'The grand total is asked for with true.',
      allowed: ['true', 'false'],
    });
  }
  const groupKeys = keys
    .map((text, index) => parseGroupKey(text, below('/groupby', index), errors))
    .filter((key) => key !== null);
  const parsed = items
    .map((text, index) => parseItem(text, below('/aggregate', index), errors))
    .filter((item) => item !== null);
  if (errors.length > 0) return { ok: false, errors: errors.slice(0, queryLimits.problems) };
  const distinct = [...new Map(parsed.map((item) => [item.name, item])).values()];
  return {
    ok: true,
    aggregation: { groupKeys, items: distinct, hasGrandTotal: parts.grandTotal === true && groupKeys.length > 0 },
  };
}

function listOf(value: unknown, field: string, limit: number, errors: QueryProblem[]): string[] {
  const list = value === undefined ? [] : Array.isArray(value) ? value : [value];
  if (list.length > limit) errors.push({ field, message: `There are at most ${limit} of these.` });
  else if (!list.every((item) => typeof item === 'string'))
    errors.push({ field, message: 'An array of texts is wanted here.' });
  else return list;
  return [];
}

function parseGroupKey(text: string, field: string, errors: QueryProblem[]): GroupKey | null {
  if (!text.startsWith('$')) return withPath(text, field, errors, (path) => ({ path, part: null }));
  const colon = text.lastIndexOf(':');
  const name = text.slice(1, Math.max(1, colon));
  const part = colon < 0 ? null : parsePart(name);
  if (part === null) {
    const allowed = [...dateUnits.map((unit) => `$${unit}:field`), '$DATE.YYYY-MM:field', 'field'];
    const message = name.startsWith('DATE.')
      ? `A date format has the tokens ${formatTokens.join(' ')}, other letters in [ ], and at most ${queryLimits.nameLength} characters.`
      : `"${shorten(text)}" is nothing to group by.`;
    errors.push({ field, message, allowed });
    return null;
  }
  return withPath(text.slice(colon + 1), field, errors, (path) => ({ path, part }));
}

function parsePart(name: string): GroupKey['part'] {
  const unit = dateUnits.find((candidate) => candidate === name);
  if (unit !== undefined) return { unit };
  const format =
    name.startsWith('DATE.') && name.length <= queryLimits.nameLength && isStorable(name)
      ? parseFormat(name.slice(5))
      : null;
  return format === null || format.length === 0 ? null : { format };
}

function parseItem(text: string, field: string, errors: QueryProblem[]): AggregateItem | null {
  const [head = ''] = text.split(':', 1);
  const rest = text.slice(head.length + 1);
  const name = functions.find((candidate) => candidate === head.toUpperCase());
  if (name === undefined || !text.includes(':')) {
    errors.push({
      field,
      message: `"${shorten(text)}" is no function with a field.`,
      allowed: functions.map((item) => `${item}:field`),
    });
    return null;
  }
  if (name !== 'COUNT')
    return withPath(rest, field, errors, (path) => ({ function: name, name: `${name} ${rest}`, path }));
  if (rest.length <= queryLimits.nameLength && isStorable(rest)) return { function: name, name: `COUNT ${rest}` };
  errors.push({ field, message: `The name of a count has at most ${queryLimits.nameLength} characters.` });
  return null;
}

function withPath<T>(
  text: string,
  field: string,
  errors: QueryProblem[],
  make: (path: readonly string[]) => T,
): T | null {
  const parsed = parsePath(text);
  if (parsed.ok) return make(parsed.path);
  errors.push({ field, message: parsed.message });
  return null;
}

/** Rows in their order, with the total at the end; or the one object of an aggregation without groups. */
export function arrange(
  aggregation: Aggregation,
  groups: AggregateRow[],
  total: AggregateRow | null,
): AggregateOutcome {
  if (aggregation.groupKeys.length === 0) return { ok: true, result: groups[0] ?? {} };
  if (groups.length > queryLimits.groups) {
    return refuse(
      '/groupby',
      `There are more than ${queryLimits.groups} groups. Group by something coarser, or narrow the query.`,
    );
  }
  const sorted = groups.sort((a, b) => compareKeys(a.groupkey ?? [], b.groupkey ?? []));
  return { ok: true, result: total === null ? sorted : [...sorted, total] };
}

function compareKeys(a: readonly JsonValue[], b: readonly JsonValue[]): number {
  for (const [index, value] of a.entries()) {
    const other = b[index] ?? null;
    const order =
      compareCodePoints(keyOf(value), keyOf(other)) || compareCodePoints(canonicalJson(value), canonicalJson(other));
    if (order !== 0) return order;
  }
  return 0;
}

export type { JsonObject };
