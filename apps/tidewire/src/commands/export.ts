/** `tidewire export COLLECTION FILE` */
import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import {
  type DocumentExport,
  type ExportFormat,
  exportDocuments,
  exportFormats,
} from '@tidewire/collections/export-documents';
import { Problem } from '@tidewire/protocol/problem';
import { UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { createRowProgress } from '../row-progress.js';
import { findDatabaseId } from '../run-command.js';
import { checkCollectionName, formatOfFile } from './row-file.js';

export type ExportOptions = { database: string; format: string | undefined; metafields: boolean };

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function checkExport(collection: string, file: string, format: string | undefined): ExportFormat {
  checkCollectionName(collection);
  if (!existsSync(dirname(file))) throw new UsageError(`There is no folder ${dirname(file)}.`);
  return formatOfFile(file, format, exportFormats);
}

/** Returns what is printed. The file appears when it is whole: until then its text stands beside it, under the name with `.part`. */
export async function runExport(core: Core, collection: string, file: string, options: ExportOptions): Promise<string> {
  const format = checkExport(collection, file, options.format);
  const databaseId = await findDatabaseId(core, options.database);
  const database = await core.catalog.refresh(databaseId);
  const collectionId = database?.collections.get(collection);
  if (collectionId === undefined) throw noCollection(collection, [...(database?.collections.keys() ?? [])]);
  const opened = await exportDocuments(core.pool, collectionId, { format, metafields: options.metafields });
  const part = `${file}.part`;
  try {
    await write(opened, part);
    renameSync(part, file);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  return `Exported ${opened.total} documents of ${collection} to ${file}.\n`;
}

async function write({ total, chunks }: DocumentExport, part: string): Promise<void> {
  const output = createWriteStream(part);
  const written = finished(output);
  const progress = createRowProgress({ total, stream: process.stderr });
  try {
    for await (const { text, documents } of chunks) {
      if (!output.write(text)) await Promise.race([once(output, 'drain'), written]);
      progress.update({ done: documents, documents });
    }
    output.end();
    await written;
  } finally {
    output.destroy();
    // When it has failed already, the loop has thrown the reason.
    await written.catch(() => undefined);
    progress.stop();
  }
}

function noCollection(collection: string, names: string[]): Problem {
  const there = names.length === 0 ? 'There is none at all' : `There are: ${names.sort().join(', ')}`;
  return new Problem('not_found', `There is no collection ${collection}. ${there}.`);
}
