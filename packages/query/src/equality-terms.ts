/** What a filter needs of a document in plain values, so that many filters can be found by the values of one changed document. */
import type { Filter } from './ast.js';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { somewhere } from './paths.js';

/** A value that can be a key of a lookup. */
export type Scalar = null | boolean | number | string;
/** A condition that every matching document fulfils: one of its values at the path is among these. A missing value counts as null. */
export type EqualityTerm = { path: readonly string[]; values: readonly Scalar[] };

/** The equality terms that all matching documents fulfil; none when the filter has none. */
export function equalityTerms(filter: Filter): EqualityTerm[] {
  if (filter.kind === 'and') return filter.items.flatMap(equalityTerms);
  if (filter.kind !== 'field' || filter.test.kind !== 'in') return [];
  const { values } = filter.test;
  return values.every(isScalar) ? [{ path: filter.path, values }] : [];
}

/** The values by which a document, with its metafields, is to be looked up under terms of the path; without doubles. */
export function termValuesOf(document: JsonObject, path: readonly string[]): Scalar[] {
  const found = new Set<Scalar>();
  const note = (value: JsonValue | undefined): false => {
    if (value === undefined) found.add(null);
    else if (isScalar(value)) found.add(value);
    return false;
  };
  const divide = (value: JsonValue): false => {
    if (Array.isArray(value)) value.forEach(note);
    return note(value);
  };
  somewhere(document, path, { atKey: divide, single: note });
  return [...found];
}

function isScalar(value: JsonValue): value is Scalar {
  return !Array.isArray(value) && !isJsonObject(value);
}
