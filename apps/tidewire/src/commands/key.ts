/** `tidewire key …`: the keys of a database. */

import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import { createKeyRequestSchema } from '@tidewire/protocol/admin-api';
import { UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';
import { renderTable } from '../table.js';

export type KeyCreateOptions = {
  database: string;
  name: string;
  rest: string[];
  listen: string[];
  publish: string[];
  origin: string[];
  json: boolean;
};

/** Makes a key and returns what is printed: one line of JSON, or the key with what it may. The only time that the key is shown. */
export async function createKey(core: Core, { database, origin, json, ...lists }: KeyCreateOptions): Promise<string> {
  const parsed = createKeyRequestSchema.safeParse({ ...lists, origins: origin });
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(
      ({ path, message }) => `--${path[0] === 'origins' ? 'origin' : String(path[0])}: ${message}`,
    );
    throw new UsageError(wrong.join('\n'));
  }
  const created = await core.apiKeys.create(await findDatabaseId(core, database), parsed.data);
  if (json) return `${JSON.stringify(created)}\n`;
  return `${created.key}\n\nThis is the key ${created.id} (${created.name}). It is shown only now: keep it.\n${describeGrants(created)}\n`;
}

export async function listKeys(core: Core, { database, json }: { database: string; json: boolean }): Promise<string> {
  const keys = await core.apiKeys.list(await findDatabaseId(core, database));
  if (json) return `${JSON.stringify(keys)}\n`;
  if (keys.length === 0)
    return `The database ${database} has no key. Make one: tidewire key create --name NAME --rest '*:*'\n`;
  const rows = keys.map((key) => [key.id, key.name, stateOf(key), grantsOf(key), key.lastUsedAt ?? 'never']);
  return renderTable(['ID', 'NAME', 'STATE', 'MAY', 'LAST USED'], rows);
}

export async function revokeKey(
  core: Core,
  id: string,
  { database, json }: { database: string; json: boolean },
): Promise<string> {
  const revoked = await core.apiKeys.revoke(await findDatabaseId(core, database), id);
  if (json) return `${JSON.stringify(revoked)}\n`;
  return `The key ${revoked.id} (${revoked.name}) is revoked; its open streams end within a second.\n`;
}

function stateOf({ revokedAt }: ApiKeyAnswer): string {
  return revokedAt === null ? 'good' : `revoked ${revokedAt.slice(0, 10)}`;
}

function grantsOf({ rest, listen, publish }: ApiKeyAnswer): string {
  const lists = Object.entries({ rest, listen, publish }).filter(([, grants]) => grants.length > 0);
  return lists.map(([kind, grants]) => `${kind}=${grants.join(',')}`).join(' ') || 'nothing';
}

function describeGrants(key: ApiKeyAnswer): string {
  const origins =
    key.origins.length === 0 ? 'no browser may use it' : `browsers may use it from ${key.origins.join(', ')}`;
  return `It may: ${grantsOf(key)}; ${origins}.`;
}
