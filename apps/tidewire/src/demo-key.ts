/**
 * The key that a newcomer can paste. It is made at the first start of a server that only this machine can reach, and its text
 * is kept in the data folder, so that it can be shown again until it is revoked.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isApiKey, parseApiKey } from '@tidewire/access/api-key';
import { endOf } from '@tidewire/access/rights';
import type { CatalogKey } from '@tidewire/db/catalog';
import type { Core } from './open-core.js';
import { readIfThere } from './server-secret.js';

export type DemoKey = { text: string; grants: Pick<CatalogKey, 'rest' | 'listen' | 'publish' | 'origins'> };

const everything = { rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: ['*'] };

/** The demo key, made when the database has no key at all. Null when there are others and none of them is the demo key, or its text is over. */
export async function ensureDemoKey(core: Core, databaseId: number, dataDir: string): Promise<DemoKey | null> {
  const file = join(dataDir, 'demo-key');
  const keys = await core.apiKeys.list(databaseId);
  const text = readIfThere(file);
  const id = text === null ? undefined : parseApiKey(text)?.id;
  const present = (await core.catalog.byId(databaseId))?.keys.get(id ?? '');
  if (text !== null && present !== undefined) {
    const isGood = isApiKey(text, present.hash) && endOf(present, Date.now()) === null;
    return isGood ? { text, grants: present } : null;
  }
  if (keys.length > 0) return null;
  const { key, ...created } = await core.apiKeys.create(databaseId, { name: 'Demo', ...everything });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(file, key, { mode: 0o600 });
  return { text: key, grants: created };
}
