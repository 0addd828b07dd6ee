/**
 * What the routes of the collections API do. Whether the caller may do it has been decided before. Answers are JSON text; refusals are
 * Problems.
 */
import type { DocumentWrites } from '@tidewire/change-log/document-writes';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { createReading, type Reading, type ReadTarget } from './reading.js';
import { createWriting, type WriteTarget, type Writing } from './writing.js';

/** Where and by whom; see `ReadTarget` and `WriteTarget`. */
export type Target = ReadTarget & WriteTarget;

export interface Collections extends Reading, Writing {}

export type CollectionsDeps = { pool: SqlPool; documents: DocumentWrites };

export function createCollections({ pool, documents }: CollectionsDeps): Collections {
  return { ...createReading(pool), ...createWriting(documents) };
}
