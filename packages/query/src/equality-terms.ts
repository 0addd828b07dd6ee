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

/** The set of equality terms with the fewest values, of which every matching document fulfils one at least; without any: nothing matches. Null when there is none. */
export function smallestCover(filter: Filter): EqualityTerm[] | null {
  return smallest(equalityCovers(filter));
}

/** Sets of equality terms, of each of which every matching document fulfils one at least. A set without any: nothing matches. None when the filter has none. */
function equalityCovers(filter: Filter): EqualityTerm[][] {
  switch (filter.kind) {
    case 'and':
      return filter.items.flatMap(equalityCovers);
    case 'or': {
      const covers = filter.items.map((item) => smallest(equalityCovers(item)));
      return covers.every((cover) => cover !== null) ? [covers.flat()] : [];
    }
    default:
      return equalityTerms(filter).map((term) => [term]);
  }
}

function smallest(covers: readonly EqualityTerm[][]): EqualityTerm[] | null {
  const sizeOf = (cover: readonly EqualityTerm[]) => cover.reduce((sum, { values }) => sum + values.length, 0);
  let best: EqualityTerm[] | null = null;
  for (const cover of covers) if (best === null || sizeOf(cover) < sizeOf(best)) best = cover;
  return best;
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
