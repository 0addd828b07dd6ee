/** `tidewire import COLLECTION FILE` */
import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { extname } from 'node:path';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { SilentFailure, UsageError } from '../exit.js';
import { importDocuments } from '../import/import-documents.js';
import { createImportProgress } from '../import/import-progress.js';
import { type ImportFormat, type ImportRow, importFormats } from '../import/import-row.js';
import { readCsv } from '../import/read-csv.js';
import { readJsonArray } from '../import/read-json-array.js';
import { readNdjson } from '../import/read-ndjson.js';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';

export type ImportOptions = { database: string; format: string | undefined };

const readers: Record<ImportFormat, (chunks: AsyncIterable<string>) => AsyncGenerator<ImportRow>> = {
  ndjson: readNdjson,
  json: readJsonArray,
  csv: readCsv,
};
const formatOfExtension: Record<string, ImportFormat> = {
  '.ndjson': 'ndjson',
  '.jsonl': 'ndjson',
  '.json': 'json',
  '.csv': 'csv',
};

/** So many bad rows are listed; the rest is counted. */
const listedRows = 100;

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function checkImport(collection: string, file: string, format: string | undefined): ImportFormat {
  if (!collectionNamePattern.test(collection)) {
    throw new UsageError(`${collection} cannot be the name of a collection (allowed: ${collectionNameRule}).`);
  }
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
  const wanted = format ?? formatOfExtension[extname(file).toLowerCase()];
  const found = importFormats.find((known) => known === wanted);
  if (found !== undefined) return found;
  const problem =
    format === undefined ? `The ending of ${file} does not tell its format` : `There is no format ${format}`;
  throw new UsageError(`${problem}; say one of --format ${importFormats.join(', ')}.`);
}

/** Returns what is printed. Bad rows go to stderr, each with its line and the reason; any of them makes the command fail. */
export async function runImport(core: Core, collection: string, file: string, options: ImportOptions): Promise<string> {
  const read = readers[checkImport(collection, file, options.format)];
  const databaseId = await findDatabaseId(core, options.database);
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 });
  const progress = createImportProgress({ totalBytes: statSync(file).size, stream: process.stderr });
  const bad: string[] = [];
  const outcome = await importDocuments(read(textOf(stream)), {
    documents: core.client.document,
    scope: { databaseId, author: { actor: 'system', by: 'import' } },
    collection,
    onBadRow: ({ line, reason }) => {
      if (bad.length < listedRows) bad.push(`line ${line}: ${reason}\n`);
    },
    onBatch: (documents) => progress.update({ bytes: stream.bytesRead, documents }),
  }).finally(() => progress.stop());
  const summary = `Imported ${outcome.documents} documents into ${collection}.\n`;
  if (outcome.bad === 0) return summary;
  process.stderr.write(bad.join(''));
  if (outcome.bad > bad.length) process.stderr.write(`… and ${outcome.bad - bad.length} more.\n`);
  process.stdout.write(`${summary}${outcome.bad} rows were not imported; they are listed above.\n`);
  throw new SilentFailure();
}

/** A stream of text with `encoding` set hands out strings. */
async function* textOf(stream: ReadStream): AsyncGenerator<string> {
  for await (const chunk of stream) yield String(chunk);
}
