/**
 * What the schemas of a database say about how its collections belong together: fields that hold references to documents of another collection (`relation`,
 * `relations`), lists of children (`child`), and fields that hold ids of files. Read from the catalog's snapshot, without I/O.
 */
import type { CatalogDatabase, CatalogShape } from '@tidewire/db/catalog';
import type { JsonObject } from '@tidewire/protocol/json';
import { collectionNamePattern } from '@tidewire/protocol/names';
import { isObject } from './document-path.js';

/** Of one collection, by the names of its fields; `relations` and `children` give the other collection. */
export type RelationFields = {
  relations: ReadonlyMap<string, string>;
  children: ReadonlyMap<string, string>;
  files: ReadonlySet<string>;
};

/** Names of paths below a document, which no field of children can have. */
export const reservedChildFields: ReadonlySet<string> = new Set(['history', 'asof', 'stream']);

const noFields: RelationFields = { relations: new Map(), children: new Map(), files: new Set() };

/** A shape that did not change is the same object in the next snapshot. */
const known = new WeakMap<CatalogShape, RelationFields>();

/** The same empty object for every collection without a schema. */
export function relationFieldsOf(database: CatalogDatabase, collectionId: number | null): RelationFields {
  const shape = collectionId === null ? undefined : database.shapes.get(collectionId);
  if (shape === undefined || shape.schema === null) return noFields;
  const present = known.get(shape);
  if (present !== undefined) return present;
  const fields = readFields(shape.schema);
  known.set(shape, fields);
  return fields;
}

/** The fields of other collections (and of this one) that refer to documents of the collection, those of each together, in the order of the collections' names. */
export function fieldsReferringTo(
  database: CatalogDatabase,
  collection: string,
): { collection: string; collectionId: number; fields: string[] }[] {
  const referring = [];
  for (const [name, collectionId] of database.collections) {
    const { relations } = relationFieldsOf(database, collectionId);
    const fields = [...relations].filter(([, other]) => other === collection).map(([field]) => field);
    if (fields.length > 0) referring.push({ collection: name, collectionId, fields });
  }
  return referring.sort((a, b) => (a.collection < b.collection ? -1 : 1));
}

/** The collection of the children that stand under the field; null when the collection has no such field. */
export function childCollectionOf(database: CatalogDatabase, collection: string, field: string): string | null {
  const collectionId = database.collections.get(collection) ?? null;
  return relationFieldsOf(database, collectionId).children.get(field) ?? null;
}

function readFields({ properties }: JsonObject): RelationFields {
  const relations = new Map<string, string>();
  const children = new Map<string, string>();
  const files = new Set<string>();
  for (const [name, field] of isObject(properties) ? Object.entries(properties) : []) {
    if (!isObject(field)) continue;
    const { fieldType, collection } = field;
    if (typeof fieldType !== 'string') continue;
    if (fileTypes.has(fieldType)) files.add(name);
    if (typeof collection !== 'string' || !collectionNamePattern.test(collection)) continue;
    if (fieldType === 'relation' || fieldType === 'relations') relations.set(name, collection);
    if (fieldType === 'child' && !reservedChildFields.has(name)) children.set(name, collection);
  }
  return { relations, children, files };
}

const fileTypes: ReadonlySet<string> = new Set(['image', 'images', 'file', 'files']);
