/** Where documents refer to others: in fields that the schema declares, and by `{"$ref","$id"}` anywhere. Pure; the inputs stay as they are. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { documentIdPattern } from '@tidewire/protocol/names';
import { isObject } from './document-path.js';
import { isReference } from './document-reference.js';

/** `declared`: the reference stands in a field of the schema, as `{"_id"}`; else it is a `{"$ref","$id"}`. */
export type FoundReference = { collection: string; id: string; declared: boolean };

/** Where references are looked for: `relations`, fields of the root with their collections; with `anywhere` also at any depth of the fields that `isShown`. */
export type ReferencePlaces = {
  relations: ReadonlyMap<string, string>;
  anywhere: boolean;
  isShown: (field: string) => boolean;
};

/** What stands in the place of a reference. */
export type Replace = (reference: FoundReference) => JsonValue;

/**
 * The document with each reference replaced. A declared field that refers to something becomes an array: of what replaces ids (texts, or objects with an `_id`), and of whatever
 * else stood there, as it was.
 */
export function mapReferences(
  document: JsonObject,
  { relations, anywhere, isShown }: ReferencePlaces,
  replace: Replace,
): JsonObject {
  const entries = Object.entries(document).map(([name, value]): [string, JsonValue] => {
    if (!isShown(name)) return [name, value];
    const collection = relations.get(name);
    if (collection !== undefined) return [name, mapRelation(value, collection, replace)];
    return [name, anywhere ? mapWithin(value, replace) : value];
  });
  return Object.fromEntries(entries);
}

function mapRelation(value: JsonValue, collection: string, replace: Replace): JsonValue {
  const mapItem = (item: JsonValue) => {
    const id = idOf(item);
    return id === null ? item : replace({ collection, id, declared: true });
  };
  if (Array.isArray(value)) return value.map(mapItem);
  return idOf(value) === null ? value : [mapItem(value)];
}

function idOf(item: JsonValue): string | null {
  const id = isObject(item) ? item._id : item;
  return typeof id === 'string' && documentIdPattern.test(id) ? id : null;
}

/** Stored documents are at most 64 levels deep. */
function mapWithin(value: JsonValue, replace: Replace): JsonValue {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => mapWithin(item, replace));
  if (isReference(value)) return replace({ collection: value.$ref, id: value.$id, declared: false });
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, mapWithin(item, replace)]));
}
