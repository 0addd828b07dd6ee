/** The keys of a database: made, listed, changed and revoked, by the admin API and by the command line. */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { ApiKeyModel } from '@tidewire/db/generated/models/ApiKey';
import type { ApiKeyAnswer, CreatedKeyAnswer, CreateKeyRequest, UpdateKeyRequest } from '@tidewire/protocol/admin-api';
import { namesCollection } from '@tidewire/protocol/channel';
import { Problem } from '@tidewire/protocol/problem';
import { createApiKey, isApiKeyId } from './api-key.js';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';

export interface ApiKeys {
  /** Newest first, the revoked ones too. */
  list(databaseId: number): Promise<ApiKeyAnswer[]>;
  /** The only answer that holds the key's text. */
  create(databaseId: number, request: CreateKeyRequest): Promise<CreatedKeyAnswer>;
  /** Changes what is given. Throws `not_found`, or `conflict` when the key is revoked. */
  update(databaseId: number, keyId: string, request: UpdateKeyRequest): Promise<ApiKeyAnswer>;
  /** For good; revoking again changes nothing. Throws `not_found`. */
  revoke(databaseId: number, keyId: string): Promise<ApiKeyAnswer>;
}

export type ApiKeysDeps = { prisma: AdminClient; catalog: Catalog; notify: ConfigNotice; now: () => number };

/** Every change raises the database's configuration version in its own transaction, then refreshes the catalog and tells the others. */
export function createApiKeys({ prisma, catalog, notify, now }: ApiKeysDeps): ApiKeys {
  const raise = (databaseId: number) => raiseConfigVersion(prisma, databaseId);

  async function spread(databaseId: number, configVersion: number): Promise<void> {
    notify(databaseId, configVersion);
    await catalog.refresh(databaseId, configVersion);
  }

  async function find(databaseId: number, keyId: string): Promise<ApiKeyModel> {
    const row = await prisma.apiKey.findFirst({ where: { id: keyId, databaseId } });
    if (row === null) throw noKey();
    return row;
  }

  return {
    async list(databaseId) {
      const rows = await prisma.apiKey.findMany({
        where: { databaseId },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      });
      return rows.map(encodeKey);
    },
    async create(databaseId, request) {
      const { id, text, prefix, hash } = createApiKey();
      const [row, head] = await prisma.$transaction([
        prisma.apiKey.create({ data: { id, databaseId, prefix, hash, ...request } }),
        raise(databaseId),
      ]);
      await spread(databaseId, head.configVersion);
      return { ...encodeKey(row), key: text };
    },
    async update(databaseId, keyId, request) {
      if (!isApiKeyId(keyId)) throw noKey();
      const [rows, head] = await prisma.$transaction([
        prisma.apiKey.updateManyAndReturn({ where: { id: keyId, databaseId, revokedAt: null }, data: request }),
        raise(databaseId),
      ]);
      await spread(databaseId, head.configVersion);
      if (rows[0] !== undefined) return encodeKey(rows[0]);
      await find(databaseId, keyId);
      throw new Problem('conflict', 'The key is revoked and cannot be changed. Create another one.');
    },
    async revoke(databaseId, keyId) {
      if (!isApiKeyId(keyId)) throw noKey();
      const revokedAt = new Date(now());
      const [, head] = await prisma.$transaction([
        prisma.apiKey.updateMany({ where: { id: keyId, databaseId, revokedAt: null }, data: { revokedAt } }),
        raise(databaseId),
      ]);
      await spread(databaseId, head.configVersion);
      return encodeKey(await find(databaseId, keyId));
    },
  };
}

/** Those that are good and have a grant with this very name: when the collection gets another one, their grants do not follow. */
export function keysThatName(keys: readonly ApiKeyAnswer[], collection: string): { id: string; name: string }[] {
  return keys
    .filter(({ revokedAt }) => revokedAt === null)
    .filter(({ rest, listen }) => [...rest, ...listen].some((grant) => namesCollection(grant, collection)))
    .map(({ id, name }) => ({ id, name }));
}

function noKey(): Problem {
  return new Problem('not_found', 'The database has no key with this id.');
}

function encodeKey(row: ApiKeyModel): ApiKeyAnswer {
  const { id, name, prefix, rest, listen, publish, origins } = row;
  return {
    id,
    name,
    prefix,
    rest,
    listen,
    publish,
    origins,
    createdAt: row.createdAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
    lastUsedAt: row.lastUsedAt?.toISOString() ?? null,
  };
}
