/** What makes a document the child of another: three fields of the server in its body (`parentFields`). Pure. */
import type { JsonObject } from '@tidewire/protocol/json';
import { collectionNamePattern, documentIdPattern, parentFields } from '@tidewire/protocol/names';
import type { Filter } from '@tidewire/query/ast';

/** The parent's collection and `_id`, and the field of its schema that the child stands under. */
export type ParentLink = { collection: string; id: string; field: string };

/** Null when the document is nobody's child. */
export function parentOf({
  _parent_id: id,
  _parent_def: collection,
  _parent_field: field,
}: JsonObject): ParentLink | null {
  const isLink = typeof id === 'string' && typeof collection === 'string' && typeof field === 'string';
  return isLink && documentIdPattern.test(id) && collectionNamePattern.test(collection)
    ? { collection, id, field }
    : null;
}

/** The fields with those of the link behind them, whatever was there under their names; without a link the same fields. */
export function withParent(fields: JsonObject, link: ParentLink | null | undefined): JsonObject {
  if (link == null) return fields;
  return { ...withoutParent(fields), _parent_id: link.id, _parent_def: link.collection, _parent_field: link.field };
}

/** The document's own fields. */
export function withoutParent({ _parent_id, _parent_def, _parent_field, ...own }: JsonObject): JsonObject {
  return own;
}

/** Whether the document is a child of exactly this parent. */
export function isChildOf(document: JsonObject, { collection, id, field }: ParentLink): boolean {
  return document._parent_id === id && document._parent_def === collection && document._parent_field === field;
}

/** The condition on the children of a parent: `{"_parent_id":…,"_parent_def":…,"_parent_field":…}`. */
export function childrenFilter({ collection, id, field }: ParentLink): Filter {
  const values = [id, collection, field];
  const items = parentFields.map(
    (name, index): Filter => ({ kind: 'field', path: [name], test: { kind: 'in', values: [values[index] ?? null] } }),
  );
  return { kind: 'and', items };
}
