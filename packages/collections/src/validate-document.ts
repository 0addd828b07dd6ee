/**
 * What a body must be to become a document, or to change one.
 *
 * Names that begin with `_` belong to the server. A client that sends back what it read sends our metafields along; they cannot change anything and
 * are left out in silence, except `_id`, which would be a lie in a POST and must be the path's in a PUT or PATCH. Any other name with `_` in
 * front is refused, and so is a key that begins with `$`, at any depth, because the query language would read it as an operator. The two keys of a
 * reference to another document (`document-reference.ts`) are the exception; what stands beside them is left out, because reads put it there.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { metafields, parentFields } from '@tidewire/protocol/names';
import { invalid } from '@tidewire/protocol/problem';
import { checkReference, hasReferenceKey, referencesAlone } from './document-reference.js';

const neverSent: ReadonlySet<string> = new Set(metafields);
const serverOwned: ReadonlySet<string> = new Set([...metafields, ...parentFields]);

/**
 * The fields of a new document. `at` is its JSON Pointer in the body, '' for the body itself; `keepsParent`: those that name a parent stay as they are. Throws
 * `validation_failed`.
 */
export function validateNewDocument(body: JsonValue, at = '', { keepsParent = false } = {}): JsonObject {
  const fields = validateFields(body, at);
  if (!Object.hasOwn(fields, '_id')) return without(fields, keepsParent ? neverSent : serverOwned);
  throw invalid(
    `${at}/_id`,
    'a new document gets its _id from the server',
    'no _id; to change a document, PUT or PATCH it by its id',
  );
}

/** The changes to the document of that id; null when several documents are meant. Throws `validation_failed`. */
export function validateChanges(body: JsonValue, id: string | null): JsonObject {
  const fields = validateFields(body, '');
  if (!Object.hasOwn(fields, '_id') || fields._id === id) return without(fields, serverOwned);
  const allowed = id === null ? 'none' : `none, or the one in the path, ${id}`;
  throw invalid('/_id', 'the _id of a document never changes', allowed);
}

function validateFields(body: JsonValue, at: string): JsonObject {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalid(at, 'a document is a JSON object', 'an object, as in {"name":"value"}');
  }
  for (const name of Object.keys(body)) {
    if (!name.startsWith('_') || serverOwned.has(name)) continue;
    throw invalid(place(at, name), 'names that begin with _ belong to the server', 'names that begin otherwise');
  }
  return refuseOperators(body, at, true) ? (referencesAlone(body) as JsonObject) : body;
}

/** Returns whether something stands beside the keys of a reference. */
function refuseOperators(value: JsonValue, at: string, isRoot = false): boolean {
  if (typeof value !== 'object' || value === null) return false;
  let isMore = false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1)
      isMore = refuseWithin(value[index], at, String(index)) || isMore;
    return isMore;
  }
  if (!isRoot && hasReferenceKey(value)) return checkReference(value, at);
  for (const name of Object.keys(value)) {
    if (name.startsWith('$'))
      throw invalid(place(at, name), 'keys that begin with $ are operators', 'keys that begin otherwise');
    isMore = refuseWithin(value[name], at, name) || isMore;
  }
  return isMore;
}

/** The path is only spelled out for what can hold something. */
function refuseWithin(value: JsonValue | undefined, at: string, name: string): boolean {
  return typeof value === 'object' && value !== null && refuseOperators(value, place(at, name));
}

function place(at: string, name: string): string {
  return `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100)}`;
}

function without(fields: JsonObject, left: ReadonlySet<string>): JsonObject {
  const names = Object.keys(fields);
  if (!names.some((name) => left.has(name))) return fields;
  return Object.fromEntries(names.filter((name) => !left.has(name)).map((name) => [name, fields[name] ?? null]));
}
