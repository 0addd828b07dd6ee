/** Dotted paths: how they are read, and what they reach in a document. */
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from './json.js';
import { queryLimits } from './query-limits.js';

/** The segments of a path, or a sentence that says why it is none. */
export function parsePath(text: string): { ok: true; path: string[] } | { ok: false; message: string } {
  const fail = (message: string) => ({ ok: false, message }) as const;
  if (text === '') return fail('A field name is missing.');
  if (text.length > queryLimits.pathLength) return fail(`A path has at most ${queryLimits.pathLength} characters.`);
  if (!isStorable(text)) return fail('A field name holds U+0000 or half of a surrogate pair, which no document has.');
  const path = text.split('.');
  if (path.length > queryLimits.pathSegments) return fail(`A path has at most ${queryLimits.pathSegments} segments.`);
  if (path.slice(1).filter(isIndex).length > queryLimits.numericSegments) {
    return fail(`A path has at most ${queryLimits.numericSegments} segments that are numbers.`);
  }
  const operator = path.find((segment, index) => segment.startsWith('$') && !(index > 0 && isReferenceKey(segment)));
  if (operator !== undefined)
    return fail(`"${shorten(operator)}" is not a field: names that begin with $ are operators.`);
  return { ok: true, path };
}

/** The keys of a reference to another document, `{"$ref","$id"}`, as in `owner.$id`; no other key of a document begins with `$`. */
function isReferenceKey(segment: string): boolean {
  return segment === '$id' || segment === '$ref';
}

/** Whether a segment can be an index into an array: digits without leading zeros. */
export function isIndex(segment: string): boolean {
  return /^(?:0|[1-9][0-9]{0,9})$/.test(segment);
}

/** Whether the text can stand in a document: no U+0000 (Postgres stores none), no lone surrogates (UTF-8 has none). */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && !/\p{Surrogate}/u.test(text);
}

/** For messages: what users sent is shown in part only. */
export function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** Tests of what a path reaches. `undefined` stands for "missing". Answering true ends the walk. */
export type Visitor = {
  /** A value at a path that ends with a key; an array has not been divided into its elements. */
  atKey(value: JsonValue): boolean;
  /** A value that is not divided, or missing. */
  single(value: JsonValue | undefined): boolean;
};

/** Walks the path as `ast.ts` says; true as soon as the visitor is satisfied. */
export function somewhere(object: JsonObject, path: readonly string[], visitor: Visitor, from = 0): boolean {
  let within = object;
  for (let at = from; ; at += 1) {
    const value = memberOf(within, path[at] ?? '');
    if (value === undefined) return visitor.single(undefined);
    if (at === path.length - 1) return visitor.atKey(value);
    if (Array.isArray(value)) return somewhereInArray(value, path, visitor, at + 1);
    if (!isJsonObject(value)) return visitor.single(undefined);
    within = value;
  }
}

function somewhereInArray(array: JsonValue[], path: readonly string[], visitor: Visitor, at: number): boolean {
  for (const element of array) {
    if (isJsonObject(element) && somewhere(element, path, visitor, at)) return true;
  }
  const segment = path[at] ?? '';
  const element = isIndex(segment) ? array[Number(segment)] : undefined;
  if (element === undefined) return false;
  if (at === path.length - 1) return visitor.single(element);
  if (Array.isArray(element)) return somewhereInArray(element, path, visitor, at + 1);
  return isJsonObject(element) && somewhere(element, path, visitor, at + 1);
}

/** The one value at a path that enters arrays by index only; undefined when there is none. Grouping and sums read fields so. */
export function valueAt(document: JsonObject, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = document;
  for (const segment of path) {
    if (Array.isArray(value)) value = isIndex(segment) ? value[Number(segment)] : undefined;
    else value = isJsonObject(value) ? memberOf(value, segment) : undefined;
    if (value === undefined) return undefined;
  }
  return value;
}
