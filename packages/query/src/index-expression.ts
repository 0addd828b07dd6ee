/**
 * Indexes on fields of documents. A declared path has one btree index on one expression: the sort key of its value as text under COLLATE "C", cut, so that a long
 * text cannot exceed what an index row holds. It serves equality, `$in`, and ranges of numbers, texts and dates alike.
 *
 * A document in which an array stands on the path could match by any element, so all of these share one key of their own, which every condition looks up as well. What the index
 * finds is a superset; `to-sql.ts` adds the exact condition.
 *
 * For Postgres to recognize the expression it must be the same in the index and in the query, with the path as a constant. That is why the path of a declared
 * index, and nothing else in this package, is written into SQL; its segments are letters, digits, `_` and `-`.
 */
import type { CompareOperator } from './ast.js';
import type { JsonValue } from './json.js';
import { queryLimits } from './query-limits.js';
import { firstCharacters, keyOf, writeKey } from './sort-key.js';
import { column, type SqlOptions } from './sql-parameters.js';

/** Characters of a text that the index tells apart. At most four bytes each, far below the third of a page that an index row may have. */
const TEXT_LENGTH = 128;
/** The key of documents with an array on the path. */
const ARRAYS = '5';
const segmentPattern = /^[A-Za-z_][A-Za-z0-9_-]{0,62}$/;

/** Whether the path can have an index: at most 8 plain names (letters, digits, `_`, `-`), none of them a metafield or a number. */
export function canDeclare(path: string): boolean {
  const segments = path.split('.');
  const isOwn = !/^_(id|created|changed|createdby|changedby|version)$/.test(segments[0] ?? '');
  return (
    path.length <= queryLimits.pathLength &&
    segments.length <= 8 &&
    isOwn &&
    segments.every((segment) => segmentPattern.test(segment))
  );
}

/**
 * The expression to index: `CREATE INDEX ON documents (collection_id, (<this>))`. Immutable, of type text under COLLATE "C". Throws a RangeError for a path that
 * `canDeclare` refuses.
 */
export function indexExpression(path: string, options: SqlOptions = {}): string {
  if (!canDeclare(path)) throw new RangeError('This path cannot have an index.');
  const data = column('data', options);
  const segments = path.split('.');
  const place = (length: number) => `(${data} #> '{${segments.slice(0, length).join(',')}}'::text[])`;
  const arrays = segments.map((_segment, index) => `jsonb_typeof(${place(index + 1)}) = 'array'`);
  const key = writeKey(place(segments.length), TEXT_LENGTH);
  return `(CASE WHEN ${arrays.join(' OR ')} THEN '${ARRAYS}' ELSE ${key} END) COLLATE "C"`;
}

/** Keys of which one is that of every document that has one of the values at the path; null when the index cannot tell. */
export function keysOfValues(values: readonly JsonValue[]): string[] | null {
  if (values.some((value) => typeof value === 'object' && value !== null && !Array.isArray(value))) return null;
  return [...new Set([...values.map((value) => cut(keyOf(value))), ARRAYS])];
}

/** The bounds between which the key of every matching document lies that has no array on the path; both inclusive. */
export function keysOfRange(
  operator: CompareOperator,
  value: number | string | boolean,
): { from: string; to: string } | null {
  if (typeof value === 'boolean') return null;
  const key = cut(keyOf(value));
  const [lowest, highest] = typeof value === 'number' ? ['2', '3'] : ['3', '4'];
  return operator === 'gt' || operator === 'gte' ? { from: key, to: highest } : { from: lowest, to: key };
}

/** The shared key of documents with an array on the path. */
export const arraysKey = ARRAYS;

function cut(key: string): string {
  return key.startsWith('3') ? firstCharacters(key, TEXT_LENGTH + 1) : key;
}
