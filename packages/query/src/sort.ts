/**
 * The order of documents: by fields, ascending or descending, in the order of values that `sort-key.ts` defines; `_id` is always last, in the direction of
 * the field before it, so that no two documents are alike. Where a path reaches many values (arrays), ascending order takes the least, descending the greatest;
 * an array at the end of the path counts as its elements. A search's score can be one of the terms.
 */
import { isMetafield } from './ast.js';
import { compareCodePoints } from './code-points.js';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { parsePath, somewhere } from './paths.js';
import { below, type Parsed, type QueryProblem, refuse } from './problems.js';
import { queryLimits } from './query-limits.js';
import { emptyArrayKey, keyOf, nullKey } from './sort-key.js';
import { scoreOf, type TextSearch } from './text-search.js';

/** 1 ascending, -1 descending. */
export type Direction = 1 | -1;
/** A field, or the score of a search. */
export type SortTerm =
  | { kind: 'field'; path: readonly string[]; direction: Direction }
  | { kind: 'score'; search: TextSearch; direction: Direction };
/** A total order: the last term is always `_id`. */
export type Sort = { terms: readonly SortTerm[] };
/** `search`: the one of the filter (`searchOf`), for `{"$meta": "textScore"}`. */
export type ParseSortOptions = { search?: TextSearch | null };

/** By `_id`, ascending: the order of creation. */
export const defaultSort: Sort = { terms: [{ kind: 'field', path: ['_id'], direction: 1 }] };

/** Parses an `$orderby` object such as `{"name": 1, "age": -1}`. Nothing and `{}` are `defaultSort`. */
export function parseSort(value: unknown, { search = null }: ParseSortOptions = {}): Parsed<{ sort: Sort }> {
  if (value === undefined) return { ok: true, sort: defaultSort };
  if (!isJsonObject(value)) return refuse('', 'An order is an object of fields.', ['{"name": 1, "age": -1}']);
  const errors: QueryProblem[] = [];
  const terms = Object.entries(value).map(([key, direction]) => parseTerm(key, direction, search, errors));
  return finish(terms, errors);
}

/**
 * Parses the repeated parameters `sort=field` and `dir=1|-1`, which pair up by their order; a field without a direction is ascending, and of a field that is named again
 * the first counts.
 */
export function parseSortParameters(
  sort: string | readonly string[] | undefined,
  dir?: string | readonly string[],
): Parsed<{ sort: Sort }> {
  const fields = listOf(sort).filter((field) => field !== '');
  const directions = listOf(dir);
  const errors: QueryProblem[] = [];
  const terms = fields.map((field, index) => {
    const direction = directions[index] ?? '1';
    if (direction === '1' || direction === '-1')
      return parseTerm(field, direction === '1' ? 1 : -1, null, errors, '/sort');
    errors.push({
      field: below('/dir', index),
      message: 'A direction is 1 (ascending) or -1 (descending).',
      allowed: ['1', '-1'],
    });
    return null;
  });
  return finish(terms, errors);
}

const listOf = (value: string | readonly string[] | undefined) =>
  value === undefined ? [] : typeof value === 'string' ? [value] : [...value];

function parseTerm(
  key: string,
  direction: JsonValue,
  search: TextSearch | null,
  errors: QueryProblem[],
  place = '',
): SortTerm | null {
  const field = below(place, key);
  if (isJsonObject(direction) && direction.$meta === 'textScore') {
    if (search !== null) return { kind: 'score', search, direction: -1 };
    errors.push({ field, message: 'There is a score only where the query has a $text.' });
    return null;
  }
  if (direction !== 1 && direction !== -1) {
    errors.push({
      field,
      message: 'A direction is 1 (ascending) or -1 (descending).',
      allowed: ['1', '-1', '{"$meta": "textScore"}'],
    });
    return null;
  }
  const parsed = parsePath(key);
  if (parsed.ok) return { kind: 'field', path: parsed.path, direction };
  errors.push({ field, message: parsed.message });
  return null;
}

function finish(parsed: readonly (SortTerm | null)[], errors: QueryProblem[]): Parsed<{ sort: Sort }> {
  if (parsed.length > queryLimits.sortFields) {
    return refuse('', `An order has at most ${queryLimits.sortFields} fields.`);
  }
  if (errors.length > 0) return { ok: false, errors: errors.slice(0, queryLimits.problems) };
  const terms: SortTerm[] = [];
  for (const term of parsed) {
    if (term !== null && !terms.some((other) => textOfTerm(other) === textOfTerm(term))) terms.push(term);
    if (term !== null && isId(term)) return { ok: true, sort: { terms } };
  }
  const direction = terms.at(-1)?.kind === 'field' ? (terms.at(-1)?.direction ?? 1) : 1;
  return { ok: true, sort: { terms: [...terms, { kind: 'field', path: ['_id'], direction }] } };
}

const isId = (term: SortTerm) => term.kind === 'field' && term.path.length === 1 && term.path[0] === '_id';
const textOfTerm = (term: SortTerm) => (term.kind === 'field' ? `f${term.path.join('.')}` : 's');

/** A text that tells orders apart: equal for equal orders. */
export function sortText({ terms }: Sort): string {
  return JSON.stringify(
    terms.map((term) => [term.direction, term.kind === 'field' ? term.path.join('.') : { ...term.search }]),
  );
}

/** Compares documents (with their metafields), for Array.sort. */
export function createComparator(sort: Sort): (a: JsonObject, b: JsonObject) => number {
  return (a, b) => {
    for (const term of sort.terms) {
      const order = compareTerm(term, a, b);
      if (order !== 0) return order * term.direction;
    }
    return 0;
  };
}

function compareTerm(term: SortTerm, a: JsonObject, b: JsonObject): number {
  if (term.kind === 'score') return scoreOf(term.search, a) - scoreOf(term.search, b);
  return compareCodePoints(sortKeyAt(a, term.path, term.direction), sortKeyAt(b, term.path, term.direction));
}

/** The key of the least (1) or greatest (-1) value that the path reaches. */
export function sortKeyAt(document: JsonObject, path: readonly string[], direction: Direction): string {
  let best: string | null = null;
  const note = (value: JsonValue | undefined): false => {
    const keys = Array.isArray(value) ? (value.length === 0 ? [emptyArrayKey] : value.map(keyOf)) : [keyOf(value)];
    for (const key of keys) if (best === null || compareCodePoints(key, best) * direction < 0) best = key;
    return false;
  };
  somewhere(document, path, { atKey: note, single: note });
  return best ?? nullKey;
}

/** Whether the term is a metafield, which sorts by its column. */
export function isMetafieldTerm(term: SortTerm): boolean {
  return term.kind === 'field' && term.path.length === 1 && isMetafield(term.path[0]);
}
