/** The hints of restdb.io: what `h` holds beside the query. */
import { type Aggregation, parseAggregation } from './aggregation.js';
import { isJsonObject, type JsonValue } from './json.js';
import { shorten } from './paths.js';
import { below, type Parsed, type QueryProblem, refuse } from './problems.js';
import { type Projection, parseProjection } from './projection.js';
import { queryLimits } from './query-limits.js';
import { type ParseSortOptions, parseSort, type Sort } from './sort.js';

/** Each part is there when it was given. `aggregation` is there when there is a `$groupby` or an `$aggregate`. */
export type Hints = { fields?: Projection; max?: number; skip?: number; sort?: Sort; aggregation?: Aggregation };

const names = ['$fields', '$max', '$skip', '$orderby', '$groupby', '$aggregate', '$aggregate-grand-total'];

/** Parses the value of `h` after `JSON.parse`. */
export function parseHints(value: unknown, options: ParseSortOptions = {}): Parsed<{ hints: Hints }> {
  if (value === undefined) return { ok: true, hints: {} };
  if (!isJsonObject(value)) return refuse('', 'Hints are a JSON object.', names);
  const errors: QueryProblem[] = Object.keys(value)
    .filter((key) => !names.includes(key))
    .map((key) => ({ field: below('', key), message: `There is no hint "${shorten(key)}".`, allowed: names }));
  const hints: Hints = {};
  const { $fields, $max, $skip, $orderby, $groupby, $aggregate, '$aggregate-grand-total': grandTotal } = value;
  if ($fields !== undefined) {
    const parsed = parseProjection($fields);
    if (parsed.ok) hints.fields = parsed.projection;
    else errors.push(...within('/$fields', parsed.errors));
  }
  if ($orderby !== undefined) {
    const parsed = parseSort($orderby, options);
    if (parsed.ok) hints.sort = parsed.sort;
    else errors.push(...within('/$orderby', parsed.errors));
  }
  if ($max !== undefined) hints.max = count('/$max', $max, queryLimits.max, errors);
  if ($skip !== undefined) hints.skip = count('/$skip', $skip, queryLimits.skip, errors);
  if ($groupby !== undefined || $aggregate !== undefined) {
    const parsed = parseAggregation({ groupby: $groupby, aggregate: $aggregate, grandTotal });
    if (parsed.ok) hints.aggregation = parsed.aggregation;
    else
      errors.push(...parsed.errors.map(({ field, ...problem }) => ({ field: field.replace('/', '/$'), ...problem })));
  }
  return errors.length === 0 ? { ok: true, hints } : { ok: false, errors: errors.slice(0, queryLimits.problems) };
}

function within(place: string, errors: readonly QueryProblem[]): QueryProblem[] {
  return errors.map(({ field, ...problem }) => ({ field: `${place}${field}`, ...problem }));
}

function count(field: string, value: JsonValue, limit: number, errors: QueryProblem[]): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= limit) return value;
  errors.push({ field, message: `A whole number from 0 to ${limit} is wanted here.` });
  return 0;
}
