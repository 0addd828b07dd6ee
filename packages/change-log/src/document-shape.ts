/**
 * The port between the commit lane and the shapes of collections: the lane calls it with the shape of the configuration version that the batch is bound to, so
 * that no document is written past the schema of its time.
 */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { JsonObject } from '@tidewire/protocol/json';

/** A root field that the lane numbers: `start`, `start + step`, …; `step` is 1 or more. */
export type ShapeCounter = { field: string; start: number; step: number };

/**
 * What a collection makes of the documents that are written to it. Pure and fast: the lane waits for it, and may call it again for a retried commit. What it is
 * given is never changed; what it returns may share parts with it, and is the same object when there was nothing to do.
 *
 * Names that begin with `_` belong to the server: they are passed on as they are, and no schema looks at them.
 */
export interface DocumentShape {
  /** In the order of the schema. A number is given once, to one document, and never comes back when its document goes. */
  readonly counters: readonly ShapeCounter[];
  /**
   * The fields of a new document, complete: defaults, the `numbers` of the counters, relations in their stored form, computed fields. With `isValidated` false the
   * schema is not asked. Throws `validation_failed`, which names each failing field by its JSON Pointer in the document.
   */
  prepareNew(fields: JsonObject, options: { numbers: ReadonlyMap<string, number>; isValidated: boolean }): JsonObject;
  /**
   * The fields of a changed document: what clients cannot change is as it was, computed fields are anew, defaults are filled in when it `isReplaced` as a whole.
   * Throws `validation_failed`, as above.
   */
  prepareChanged(before: JsonObject, after: JsonObject, options: { isReplaced: boolean }): JsonObject;
}

/** The shape of a collection, by its id; null when it takes any JSON object. Called often: what is made of a shape is kept by whoever makes it. */
export type ShapeOf = (database: CatalogDatabase, collectionId: number) => DocumentShape | null;
