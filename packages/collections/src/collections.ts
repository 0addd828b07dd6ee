/**
 * What the routes of the collections API do. Whether the caller may do it has been decided before. Answers are JSON text; refusals are
 * Problems.
 */
import type { DocumentWrites, WriteScope } from '@tidewire/change-log/document-writes';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { createReading, type Reading } from './reading.js';
import { createWriting, type Writing } from './writing.js';

/** Where and by whom. */
export type Target = { database: CatalogDatabase; collection: string; scope: WriteScope };

export interface Collections extends Reading, Writing {}

export type CollectionsDeps = { pool: SqlPool; documents: DocumentWrites };

export function createCollections({ pool, documents }: CollectionsDeps): Collections {
  return { ...createReading(pool), ...createWriting(documents) };
}
