/** `tidewire import COLLECTION FILE` */
import { createReadStream, type ReadStream, statSync } from 'node:fs';
import { importDocuments } from '@tidewire/collections/import/import-documents';
import { type ImportFormat, importFormats, UnreadableTextError } from '@tidewire/collections/import/import-row';
import { readRows } from '@tidewire/collections/import/read-rows';
import { parseJsonText } from '@tidewire/server-kit/json-text';
import { SilentFailure, UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { createRowProgress } from '../row-progress.js';
import { findDatabaseId } from '../run-command.js';
import { checkCollectionName, formatOfFile } from './row-file.js';

export type ImportOptions = { database: string; format: string | undefined; keepIds: boolean };

/** So many bad rows are listed; the rest is counted. */
const listedRows = 100;

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function checkImport(collection: string, file: string, format: string | undefined): ImportFormat {
  checkCollectionName(collection);
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) throw new UsageError(`There is no file ${file}.`);
  return formatOfFile(file, format, importFormats);
}

/** Returns what is printed. Bad rows go to stderr, each with its line and the reason; any of them makes the command fail. */
export async function runImport(core: Core, collection: string, file: string, options: ImportOptions): Promise<string> {
  const format = checkImport(collection, file, options.format);
  const databaseId = await findDatabaseId(core, options.database);
  const stream = createReadStream(file, { encoding: 'utf8', highWaterMark: 256 * 1024 });
  const progress = createRowProgress({ total: statSync(file).size, stream: process.stderr });
  const bad: string[] = [];
  const outcome = await importDocuments(readRows(format, textOf(stream), parseJsonText), {
    documents: core.client.document,
    scope: { databaseId, author: { actor: 'system', by: 'import' } },
    collection,
    keepIds: options.keepIds,
    mayGet: () => true,
    onBadRow: ({ line, reason }) => {
      if (bad.length < listedRows) bad.push(`line ${line}: ${reason}\n`);
    },
    onBatch: (documents) => progress.update({ done: stream.bytesRead, documents }),
  })
    .catch((error: unknown) => {
      throw error instanceof UnreadableTextError ? new UsageError(error.message, { cause: error }) : error;
    })
    .finally(() => progress.stop());
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
