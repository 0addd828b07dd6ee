/** `tidewire collection …`: the collections of a database. */
import { keysThatName } from '@tidewire/access/api-keys';
import { rolesThatName } from '@tidewire/access/roles';
import { createCollectionLife, type EmptyingProgress, type LifeTarget } from '@tidewire/collections/collection-life';
import { cliDoer } from '../cli-doer.js';
import { UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { createRowProgress } from '../row-progress.js';
import { findDatabaseId } from '../run-command.js';
import { renderTable } from '../table.js';
import { checkCollectionName } from './row-file.js';

/** What every one of the commands says about its place. */
export type CollectionOptions = { database: string };
/** `confirm`: the name, typed again. */
export type EmptyingOptions = CollectionOptions & { confirm: string | undefined };

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function checkConfirmation(collection: string, { confirm }: Pick<EmptyingOptions, 'confirm'>): void {
  checkCollectionName(collection);
  if (confirm === collection) return;
  throw new UsageError(`This deletes all documents of ${collection}. Say that it is meant: --confirm ${collection}`);
}

export async function listCollections(
  core: Core,
  { database, json }: CollectionOptions & { json: boolean },
): Promise<string> {
  const collections = await core.databases.collections(await findDatabaseId(core, database));
  if (json) return `${JSON.stringify(collections)}\n`;
  if (collections.length === 0) return `The database ${database} has no collection.\n`;
  const rows = collections.map(({ name, documents, createdAt }) => [name, String(documents), createdAt]);
  return renderTable(['NAME', 'DOCUMENTS', 'CREATED'], rows);
}

export async function createCollection(
  core: Core,
  collection: string,
  { database }: CollectionOptions,
): Promise<string> {
  const isNew = await core.collectionSchemas.create(
    { databaseId: await findDatabaseId(core, database), collection },
    cliDoer,
  );
  return isNew ? `Created ${collection}.\n` : `The collection ${collection} is there already.\n`;
}

/** Says which keys and roles still name the old one. */
export async function renameCollection(
  core: Core,
  collection: string,
  name: string,
  { database }: CollectionOptions,
): Promise<string> {
  const target = await targetOf(core, collection, database);
  const eventId = await lifeOf(core).rename(target, name);
  const { databaseId } = target.scope;
  const keys = keysThatName(await core.apiKeys.list(databaseId), collection).map((key) => `${key.id} (${key.name})`);
  const roles = rolesThatName(await core.roles.list(databaseId), collection);
  const granting = roles
    .filter(({ grants }) => grants.length > 0)
    .map(({ name, grants }) => `${name}: ${grants.join(', ')}`);
  const ruling = roles.filter(({ hasRule }) => hasRule).map((role) => role.name);
  return [
    `The collection ${collection} is ${name} now (event ${eventId}).\n`,
    listing(`These keys have grants for ${collection}, which do not follow:`, keys),
    listing(`These roles have grants for ${collection}, which do not follow:`, granting),
    listing(`These roles have a rule for ${collection}, which does not bind ${name}:`, ruling),
  ].join('');
}

/** Nothing for no lines. */
function listing(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `${title}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

export async function truncateCollection(core: Core, collection: string, options: EmptyingOptions): Promise<string> {
  checkConfirmation(collection, options);
  const target = await targetOf(core, collection, options.database);
  const { deleted } = await show(lifeOf(core).truncate(target));
  return `Deleted ${deleted} documents of ${collection}.\n`;
}

export async function dropCollection(core: Core, collection: string, options: EmptyingOptions): Promise<string> {
  checkConfirmation(collection, options);
  const target = await targetOf(core, collection, options.database);
  const { deleted } = await show(lifeOf(core).drop(target));
  return `Dropped ${collection} with ${deleted} documents.\n`;
}

function lifeOf({ pool, client }: Core) {
  return createCollectionLife({ pool, documents: client.document, collections: client.collection });
}

async function targetOf(core: Core, collection: string, database: string): Promise<LifeTarget> {
  const databaseId = await findDatabaseId(core, database);
  return { collection, scope: { databaseId, author: { actor: 'system', by: 'command line' } }, doer: cliDoer };
}

/** Shows the steps as they come, and gives the last. */
async function show(steps: AsyncIterable<EmptyingProgress>): Promise<EmptyingProgress> {
  let last: EmptyingProgress = { deleted: 0, total: 0, eventId: null };
  let progress: ReturnType<typeof createRowProgress> | null = null;
  try {
    for await (const step of steps) {
      last = step;
      progress ??= createRowProgress({ total: step.total, stream: process.stderr });
      progress.update({ done: step.deleted, documents: step.deleted });
    }
  } finally {
    progress?.stop();
  }
  return last;
}
