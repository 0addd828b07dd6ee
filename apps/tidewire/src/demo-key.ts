/**
 * The key that a newcomer can paste. It is made at the first start of a server that only this machine can reach, and its text
 * is kept in the data folder, so that it can be shown again until it is revoked.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseApiKey } from '@tidewire/access/api-key';
import type { ApiKeyAnswer } from '@tidewire/protocol/admin-api';
import type { Core } from './open-core.js';
import { readIfThere } from './server-secret.js';

export type DemoKey = { text: string; grants: Pick<ApiKeyAnswer, 'rest' | 'listen' | 'publish' | 'origins'> };

const everything = { rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: ['*'] };

/** The demo key, made when the database has no key at all. Null when there are others and none of them is the demo key. */
export async function ensureDemoKey(core: Core, databaseId: number, dataDir: string): Promise<DemoKey | null> {
  const file = join(dataDir, 'demo-key');
  const keys = await core.apiKeys.list(databaseId);
  const text = readIfThere(file);
  const id = text === null ? undefined : parseApiKey(text)?.id;
  const present = keys.find((key) => key.id === id);
  if (text !== null && present !== undefined) return present.revokedAt === null ? { text, grants: present } : null;
  if (keys.length > 0) return null;
  const { key, ...created } = await core.apiKeys.create(databaseId, { name: 'Demo', ...everything });
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  writeFileSync(file, key, { mode: 0o600 });
  return { text: key, grants: created };
}
