/** `tidewire index …`: the declared indexes of a collection. */
import { createIndexBuilder, type IndexBuilder } from '@tidewire/collections/indexes/index-builder';
import { createIndexRequestSchema, type IndexAnswer, type IndexDefinition } from '@tidewire/protocol/collection-schema';
import { Problem } from '@tidewire/protocol/problem';
import { cliDoer } from '../cli-doer.js';
import { SilentFailure, UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';
import { createStepProgress } from '../step-progress.js';
import { renderTable } from '../table.js';
import { checkCollectionName } from './row-file.js';

export type IndexCreateOptions = {
  database: string;
  name?: string | undefined;
  unique: boolean;
  where?: string | undefined;
  text: boolean;
};

/** Between two looks at a build. */
const lookIntervalMs = 200;

export async function listIndexes(
  core: Core,
  collection: string,
  { database, json }: { database: string; json: boolean },
): Promise<string> {
  checkCollectionName(collection);
  const indexes = await core.collectionIndexes.list({ databaseId: await findDatabaseId(core, database), collection });
  if (json) return `${JSON.stringify(indexes)}\n`;
  if (indexes.length === 0) return `The collection ${collection} has no index.\n`;
  const rows = indexes.map((index) => [
    index.name,
    describe(index.definition),
    stateOf(index),
    `${Math.ceil(index.sizeBytes / 1024)} KiB`,
  ]);
  return renderTable(['NAME', 'ON', 'STATE', 'SIZE'], rows);
}

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function checkIndex(collection: string, fields: string[], options: IndexCreateOptions) {
  checkCollectionName(collection);
  const { name, unique, text } = options;
  const where = options.where === undefined ? undefined : parseWhere(options.where);
  const given = text ? { text: [], ...(fields.length > 0 ? { fields } : {}) } : { fields };
  const parsed = createIndexRequestSchema.safeParse({
    ...given,
    ...(name === undefined ? {} : { name }),
    ...(unique ? { unique } : {}),
    ...(where === undefined ? {} : { where }),
  });
  if (parsed.success) return parsed.data;
  throw new UsageError(
    parsed.error.issues.map(({ path, message }) => `${String(path[0] ?? 'index')}: ${message}`).join('\n'),
  );
}

function parseWhere(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`--where is a query as JSON, such as '{"status":"open"}'`, { cause });
  }
}

/** Waits until the index is ready, whoever builds it: a server that runs, or this command. */
export async function createIndex(
  core: Core,
  collection: string,
  fields: string[],
  options: IndexCreateOptions,
): Promise<string> {
  const request = checkIndex(collection, fields, options);
  const target = { databaseId: await findDatabaseId(core, options.database), collection };
  const { name } = await core.collectionIndexes.create(target, request, cliDoer);
  const index = await withBuilder(core, async () => {
    const progress = createStepProgress(process.stderr);
    try {
      for (;;) {
        const present = await core.collectionIndexes.get(target, name);
        if (present.state !== 'building') return present;
        progress.update({ share: present.progress?.progress ?? 0, step: present.progress?.phase ?? '' });
        await delay(lookIntervalMs);
      }
    } finally {
      progress.stop();
    }
  });
  if (index.state === 'ready') return `The index ${name} of ${collection} is ready.\n`;
  process.stderr.write(`The index ${name} of ${collection} was not built. ${index.error?.message ?? ''}\n`);
  for (const ids of index.error?.documents ?? []) process.stderr.write(`the same in: ${ids.join(' ')}\n`);
  throw new SilentFailure();
}

/** Waits until it is gone. */
export async function dropIndex(
  core: Core,
  collection: string,
  name: string,
  { database }: { database: string },
): Promise<string> {
  checkCollectionName(collection);
  const target = { databaseId: await findDatabaseId(core, database), collection };
  await core.collectionIndexes.drop(target, name, cliDoer);
  await withBuilder(core, async () => {
    while (await isThere(core, target, name)) await delay(lookIntervalMs);
  });
  return `The index ${name} of ${collection} is dropped.\n`;
}

async function isThere(core: Core, target: { databaseId: number; collection: string }, name: string): Promise<boolean> {
  try {
    return (await core.collectionIndexes.get(target, name)).state === 'dropping';
  } catch (error) {
    if (error instanceof Problem && error.code === 'not_found') return false;
    throw error;
  }
}

/** Of all builders one builds, so it does not matter whether a server runs, too. What fails here is seen in the state of the index. */
async function withBuilder<T>({ pool, maintenancePool, notify }: Core, use: () => Promise<T>): Promise<T> {
  const builder: IndexBuilder = createIndexBuilder({ pool, maintenancePool, notify, onError: () => undefined });
  try {
    return await use();
  } finally {
    await builder.close();
  }
}

function describe(definition: IndexDefinition): string {
  if ('text' in definition) return 'words';
  const { fields, unique, where } = definition;
  return `${unique ? 'unique ' : ''}${fields.join(', ')}${where === null ? '' : ` where ${JSON.stringify(where)}`}`;
}

function stateOf({ state, progress, error }: IndexAnswer): string {
  if (progress !== null) return `${state} ${Math.floor(progress.progress * 100)} %`;
  return error === null ? state : `${state}: ${error.message}`;
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
