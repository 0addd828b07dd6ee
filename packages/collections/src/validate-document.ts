/**
 * What a body must be to become a document, or to change one.
 *
 * Names that begin with `_` belong to the server. A client that sends back what it read sends our metafields along; they cannot change anything and
 * are left out in silence, except `_id`, which would be a lie in a POST and must be the path's in a PUT or PATCH. Any other name with `_` in
 * front is refused, and so is a key that begins with `$`, at any depth, because the query language would read it as an operator.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { metafields } from '@tidewire/protocol/names';
import { invalid } from '@tidewire/protocol/problem';

const serverOwned: ReadonlySet<string> = new Set(metafields);

/** The fields of a new document. `at` is its JSON Pointer in the body, '' for the body itself. Throws `validation_failed`. */
export function validateNewDocument(body: JsonValue, at = ''): JsonObject {
  const fields = validateFields(body, at);
  if (!Object.hasOwn(fields, '_id')) return withoutMetafields(fields);
  throw invalid(
    `${at}/_id`,
    'a new document gets its _id from the server',
    'no _id; to change a document, PUT or PATCH it by its id',
  );
}

/** The changes to the document of that id; null when several documents are meant. Throws `validation_failed`. */
export function validateChanges(body: JsonValue, id: string | null): JsonObject {
  const fields = validateFields(body, '');
  if (!Object.hasOwn(fields, '_id') || fields._id === id) return withoutMetafields(fields);
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
  refuseOperators(body, at);
  return body;
}

function refuseOperators(value: JsonValue, at: string): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) refuseWithin(value[index], at, String(index));
    return;
  }
  for (const name of Object.keys(value)) {
    if (name.startsWith('$'))
      throw invalid(place(at, name), 'keys that begin with $ are operators', 'keys that begin otherwise');
    refuseWithin(value[name], at, name);
  }
}

/** The path is only spelled out for what can hold something. */
function refuseWithin(value: JsonValue | undefined, at: string, name: string): void {
  if (typeof value === 'object' && value !== null) refuseOperators(value, place(at, name));
}

function place(at: string, name: string): string {
  return `${at}/${name.replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100)}`;
}

function withoutMetafields(fields: JsonObject): JsonObject {
  const names = Object.keys(fields);
  if (!names.some((name) => serverOwned.has(name))) return fields;
  return Object.fromEntries(names.filter((name) => !serverOwned.has(name)).map((name) => [name, fields[name] ?? null]));
}
