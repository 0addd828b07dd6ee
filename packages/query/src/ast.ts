/**
 * The query language of Tidewire: one language, one meaning, two evaluators. It is MongoDB's (and restdb.io's `q`), with MongoDB's meaning on
 * JSON documents. `parse-filter.ts` turns what a user sent into the tree below, `to-sql.ts` evaluates it in Postgres, `matcher.ts` in memory; the
 * differential test holds them together. `docs/query.md` is the reference for users.
 *
 * The tree is already lowered: `$ne`, `$nin`, `$nor`, `$bt`, `$all` and several operators on one field have become the few forms below, dates have
 * become texts, and no form knows where it was written.
 *
 * How a path reaches values (as in MongoDB's matcher). A path is walked through objects by key. Where it meets an array before its end, it goes on in each
 * element that is an object, and, when the next segment is a number, also in the element of that index. Arrays directly in arrays are entered only
 * by index. Where it ends by key at an array, it reaches each element and then the array itself; where it ends by index, the element alone. It
 * reaches "missing" where an object lacks the key, or a scalar that is not an element stands in its way. A condition holds when one reached value
 * satisfies it; `not` is the plain negation of that.
 */
import type { JsonValue } from './json.js';
import type { Pattern } from './pattern.js';
import type { TextSearch } from './text-search.js';

/** A condition on a document (or, within `$elemMatch`, on an element). Frozen by convention: share it, never change it. */
export type Filter = AllFilter | AnyFilter | NotFilter | FieldFilter | TextFilter;

/** All items hold; with no items it always holds. */
export type AllFilter = { kind: 'and'; items: readonly Filter[] };
/** One item holds at least; with no items it never holds. */
export type AnyFilter = { kind: 'or'; items: readonly Filter[] };
/** The item does not hold. */
export type NotFilter = { kind: 'not'; item: Filter };
/** One of the values that the path reaches passes the test. The empty path, only within `$elemMatch`, means the element itself, undivided. */
export type FieldFilter = { kind: 'field'; path: readonly string[]; test: ValueTest };
/** The strings of the document's own fields have the words. Never within `$elemMatch`. */
export type TextFilter = { kind: 'text'; search: TextSearch };

/** What one value must be. Types do not mix: a number never equals or exceeds a string. */
export type ValueTest =
  /** Equal to one of the values: numbers by value, objects whatever the order of their keys. `null` is also equal to a missing value. */
  | { kind: 'in'; values: readonly JsonValue[] }
  /** Greater or less. Strings by code point. `isDate`: only strings that begin like a date (`0000-00-00`) take part. */
  | { kind: 'compare'; operator: CompareOperator; value: number | string | boolean; isDate: boolean }
  /** A string in which the pattern is found. */
  | { kind: 'regex'; pattern: Pattern }
  /** There is a value, be it null. */
  | { kind: 'exists' }
  /** Of one of the types. */
  | { kind: 'type'; types: readonly JsonType[] }
  /** An array of so many elements. */
  | { kind: 'size'; size: number }
  /** An array with an element for which the filter holds. `isObject`: the filter names fields of the element, and elements that are no objects never pass. */
  | { kind: 'element'; filter: Filter; isObject: boolean };

/** The order operators. */
export type CompareOperator = 'gt' | 'gte' | 'lt' | 'lte';
/** What `$type` knows. */
export type JsonType = (typeof jsonTypes)[number];
/** The types of JSON, by the names that MongoDB gives them. */
export const jsonTypes = ['null', 'bool', 'number', 'string', 'object', 'array'] as const;

/** The filter that every document passes: that of `{}`. */
export const everything: Filter = { kind: 'and', items: [] };

/** Fields that the server keeps, and that queries see like the document's own: all strings, times as `2024-05-01T12:00:00.000Z`, `_version` a number. */
export const metafields = ['_id', '_created', '_changed', '_createdby', '_changedby', '_version'] as const;
/** A field that the server keeps. */
export type Metafield = (typeof metafields)[number];

/** Whether the first segment of a path names a metafield. */
export function isMetafield(name: string | undefined): name is Metafield {
  return (metafields as readonly (string | undefined)[]).includes(name);
}
