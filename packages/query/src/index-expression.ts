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
import { firstCharacters, keyOf, keyTextLength, writeKey } from './sort-key.js';
import { column, type SqlOptions } from './sql-parameters.js';

/**
 * Characters of a text that an index of so many fields tells apart. At most four bytes each: the fields and an _id stay below the 2,704 bytes that Postgres allows an entry of a
 * btree. With one or two fields it is as many as an order looks at, so that the index has the order.
 */
export function textLengthOf(fields: number): number {
  return fields <= 2 ? keyTextLength : keyTextLength / 2;
}

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

/** The name of the function of keys. It ends in a version, because indexes must be built anew when its meaning changes. */
const keyFunction = 'tidewire_key_1';

/**
 * The statement that makes the function of keys; it may be run again. A function, and none that Postgres would write out: it reads the expression of every index and of its statistics for each
 * plan, and a short one costs little.
 */
export function createKeyFunction(): string {
  return `CREATE OR REPLACE FUNCTION ${keyFunction}(document jsonb, path text[], text_length int) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $key$
    DECLARE
      item jsonb := document;
      name text;
    BEGIN
      FOREACH name IN ARRAY path LOOP
        item := item -> name;
        IF jsonb_typeof(item) = 'array' THEN RETURN '${ARRAYS}'; END IF;
      END LOOP;
      RETURN ${writeKey('item', 'text_length')};
    END $key$`;
}

/**
 * The expression to index: `CREATE INDEX ON documents (collection_id, (<this>))`. Immutable, of type text under COLLATE "C"; needs `createKeyFunction`. Throws a RangeError for a path that
 * `canDeclare` refuses.
 */
export function indexExpression(path: string, options: SqlOptions = {}, textLength: number = keyTextLength): string {
  const segments = segmentsOf(path).join(',');
  return `${keyFunction}(${column('data', options)}, '{${segments}}'::text[], ${Math.trunc(textLength)}) COLLATE "C"`;
}

/**
 * The expression that makes a btree index unique, of type bytea: the SHA-256 of the values at the paths, whole and exact; equal for equal values alone. NULL, which no index holds to be
 * equal to anything, when one of them is missing or null. Nothing is looked for within arrays; an array at the end of a path is one value. Immutable.
 */
export function uniqueExpression(paths: readonly string[], options: SqlOptions = {}): string {
  // The text of jsonb is the same for the same value, for numbers come as JavaScript writes them; texts of JSON with a comma between them stay apart.
  const values = paths.map((path) => `nullif(${placeOf(segmentsOf(path), options)}::text, 'null')`);
  // The cast of a text reads escapes, and is immutable, as convert_to() is not.
  return `sha256(replace(${values.join(` || ',' || `)}, '\\', '\\\\')::bytea)`;
}

function segmentsOf(path: string): string[] {
  if (!canDeclare(path)) throw new RangeError('This path cannot have an index.');
  return path.split('.');
}

/** The value at a path, as jsonb; NULL for a missing one. */
function placeOf(segments: readonly string[], options: SqlOptions): string {
  return `(${column('data', options)} #> '{${segments.join(',')}}'::text[])`;
}

/** Keys of which one is that of every document that has one of the values at the path; null when the index cannot tell. */
export function keysOfValues(values: readonly JsonValue[], textLength: number = keyTextLength): string[] | null {
  if (values.some((value) => typeof value === 'object' && value !== null && !Array.isArray(value))) return null;
  return [...new Set([...values.map((value) => cutKey(keyOf(value), textLength)), ARRAYS])];
}

/** The bounds between which the key of every matching document lies that has no array on the path; both inclusive. */
export function keysOfRange(
  operator: CompareOperator,
  value: number | string | boolean,
  textLength: number = keyTextLength,
): { from: string; to: string } | null {
  if (typeof value === 'boolean') return null;
  const key = cutKey(keyOf(value), textLength);
  const [lowest, highest] = typeof value === 'number' ? ['2', '3'] : ['3', '4'];
  return operator === 'gt' || operator === 'gte' ? { from: key, to: highest } : { from: lowest, to: key };
}

/** The shared key of documents with an array on the path. */
export const arraysKey = ARRAYS;

/** A sort key as an index of this length has it. */
export function cutKey(key: string, textLength: number): string {
  return key.startsWith('3') ? firstCharacters(key, textLength + 1) : key;
}
