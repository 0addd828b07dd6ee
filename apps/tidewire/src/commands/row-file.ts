/** What import and export say of their collection and their file before Postgres is needed. */
import { extname } from 'node:path';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { UsageError } from '../exit.js';

const formatOfExtension: Record<string, string> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
  '.csv': 'csv',
};

/** Throws `UsageError`. */
export function checkCollectionName(collection: string): void {
  if (collectionNamePattern.test(collection)) return;
  throw new UsageError(`${collection} cannot be the name of a collection (allowed: ${collectionNameRule}).`);
}

/** The format that was asked for, else the one that the file's ending tells. Throws `UsageError`. */
export function formatOfFile<T extends string>(file: string, format: string | undefined, formats: readonly T[]): T {
  const wanted = format ?? formatOfExtension[extname(file).toLowerCase()];
  const found = formats.find((known) => known === wanted);
  if (found !== undefined) return found;
  const problem =
    format === undefined ? `The ending of ${file} does not tell its format` : `There is no format ${format}`;
  throw new UsageError(`${problem}; say one of --format ${formats.join(', ')}.`);
}
