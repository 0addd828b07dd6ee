/** `tidewire schema get COLLECTION [FILE]`, `tidewire schema set COLLECTION FILE` */
import { readFileSync, writeFileSync } from 'node:fs';
import type { SchemaCheck } from '@tidewire/protocol/collection-schema';
import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { parseJsonText } from '@tidewire/server-kit/json-text';
import { cliDoer } from '../cli-doer.js';
import { UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';
import { checkCollectionName } from './row-file.js';

export type SetSchemaOptions = { database: string; dryRun: boolean; acceptFailing: boolean };

/** So many failing documents are printed. */
const printedDocuments = 20;

/** The schema as JSON, printed or written to a file. Throws a Problem when there is none. */
export async function getSchema(
  core: Core,
  collection: string,
  file: string | undefined,
  { database }: { database: string },
): Promise<string> {
  checkCollectionName(collection);
  const { schema } = await core.collectionSchemas.get({ databaseId: await findDatabaseId(core, database), collection });
  if (schema === null) throw new Problem('not_found', `The collection ${collection} has no schema.`);
  const text = `${JSON.stringify(schema, null, 2)}\n`;
  if (file === undefined) return text;
  writeFileSync(file, text);
  return `Wrote the schema of ${collection} to ${file}.\n`;
}

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function readSchemaFile(collection: string, file: string): JsonValue {
  checkCollectionName(collection);
  try {
    return parseJsonText(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof Problem) throw new UsageError(`${file}: ${error.detail}`);
    throw new UsageError(`There is no file ${file} that can be read.`);
  }
}

/** Makes the collection when it is not there. Returns what is printed: how many documents were looked at, and which of them fail. */
export async function setSchema(
  core: Core,
  collection: string,
  schema: JsonValue,
  options: SetSchemaOptions,
): Promise<string> {
  const target = { databaseId: await findDatabaseId(core, options.database), collection };
  if (options.dryRun) return describeCheck(await core.collectionSchemas.check(target, schema));
  await core.collectionSchemas.create(target, cliDoer);
  try {
    const check = await core.collectionSchemas.put(target, schema, { acceptFailing: options.acceptFailing }, cliDoer);
    return `${describeCheck(check)}${collection} is held to the schema now.\n`;
  } catch (error) {
    if (!(error instanceof Problem) || !('failing' in error.extension)) throw error;
    const list = describeCheck(error.extension as SchemaCheck);
    throw new Problem('conflict', `${list}The schema was not taken. Mend the documents, or give --accept-failing.`, {
      cause: error,
    });
  }
}

function describeCheck({ checked, failingCount, failing }: SchemaCheck): string {
  const lines = failing.slice(0, printedDocuments).map(({ _id, errors }) => {
    const places = errors.map(
      ({ field, message, allowed }) => `${field}: ${message}${allowed ? ` (allowed: ${allowed})` : ''}`,
    );
    return `  ${_id}  ${places.join('; ')}\n`;
  });
  const more = failingCount > lines.length ? `  and ${failingCount - lines.length} more\n` : '';
  return `${failingCount} of ${checked} documents fail the schema.\n${lines.join('')}${more}`;
}
