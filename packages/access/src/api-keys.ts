/** The keys of a database: made, listed, changed, rotated, switched off and revoked, by the admin API and by the command line. */
import type { Catalog } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { ApiKeyModel } from '@tidewire/db/generated/models/ApiKey';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type {
  ApiKeyAnswer,
  CreatedKeyAnswer,
  CreateKeyRequest,
  RotateKeyRequest,
  UpdateKeyRequest,
} from '@tidewire/protocol/admin-api';
import { namesCollection } from '@tidewire/protocol/channel';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { type AdminTransaction, inTransaction } from './admin-transaction.js';
import { createApiKey, isApiKeyId } from './api-key.js';
import { auditValue, type Doer, recordAudit, systemDoer } from './audit-log.js';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';
import { createStreamCounts } from './stream-counts.js';

export interface ApiKeys {
  /** Newest first, the revoked ones too. */
  list(databaseId: number): Promise<ApiKeyAnswer[]>;
  /** Throws `not_found`. */
  get(databaseId: number, keyId: string): Promise<ApiKeyAnswer>;
  /** With the key's text. Throws `validation_failed` for an expiry that is over. */
  create(databaseId: number, request: CreateKeyRequest, doer?: Doer): Promise<CreatedKeyAnswer>;
  /** Changes what is given. Throws `not_found`, `conflict` when the key is revoked, `validation_failed` for an expiry that is over. */
  update(databaseId: number, keyId: string, request: UpdateKeyRequest, doer?: Doer): Promise<ApiKeyAnswer>;
  /**
   * Another text for the same key. The present one is taken as well until the overlap is over; the one before it, if there is any, no longer. Streams that are open are the
   * key's and stay. Throws `not_found`, or `conflict` when the key is revoked.
   */
  rotate(databaseId: number, keyId: string, request: RotateKeyRequest, doer?: Doer): Promise<CreatedKeyAnswer>;
  /** For good; revoking again changes nothing. Throws `not_found`. */
  revoke(databaseId: number, keyId: string, doer?: Doer): Promise<ApiKeyAnswer>;
}

export type ApiKeysDeps = {
  prisma: AdminClient;
  /** For the numbers of open streams. */
  pool: SqlPool;
  catalog: Catalog;
  notify: ConfigNotice;
  /** Milliseconds since the epoch. */
  now: () => number;
};

/** What is written of a key. */
type KeyData = Parameters<AdminClient['apiKey']['update']>[0]['data'];

/** Every change raises the database's configuration version in its own transaction, then refreshes the catalog and tells the others. */
export function createApiKeys({ prisma, pool, catalog, notify, now }: ApiKeysDeps): ApiKeys {
  const streamCounts = createStreamCounts(pool);

  async function spread(databaseId: number, configVersion: number): Promise<void> {
    notify(databaseId, configVersion);
    await catalog.refresh(databaseId, configVersion);
  }

  /**
   * A change of one key, under the lock of the head: of two at once the second sees what the first has done. `decide` says what is written, null for nothing. Throws `not_found`.
   */
  async function change(
    databaseId: number,
    keyId: string,
    { action, doer, decide }: { action: string; doer: Doer; decide: (present: ApiKeyModel) => KeyData | null },
  ): Promise<ApiKeyModel> {
    if (!isApiKeyId(keyId)) throw noKey();
    const { row, configVersion } = await inTransaction(prisma, async (transaction) => {
      const { configVersion } = await raiseConfigVersion(transaction, databaseId);
      const before = await transaction.apiKey.findFirst({ where: { id: keyId, databaseId } });
      if (before === null) throw noKey();
      return { row: await write(transaction, before), configVersion };
    });
    await spread(databaseId, configVersion);
    return row;

    async function write(transaction: AdminTransaction, before: ApiKeyModel): Promise<ApiKeyModel> {
      const data = decide(before);
      if (data === null) return before;
      const after = await transaction.apiKey.update({ where: { id: keyId }, data });
      const [was, is] = [before, after].map((one) => auditValue(encodeKey(one, 0, now())));
      await recordAudit(transaction, doer, { action, database: databaseId, subject: keyId, before: was, after: is });
      return after;
    }
  }

  async function encode(rows: readonly ApiKeyModel[]): Promise<ApiKeyAnswer[]> {
    const open = await streamCounts.read(rows.map(({ id }) => id));
    return rows.map((row) => encodeKey(row, open.get(row.id) ?? 0, now()));
  }

  async function encodeOne(row: ApiKeyModel): Promise<ApiKeyAnswer> {
    const open = await streamCounts.read([row.id]);
    return encodeKey(row, open.get(row.id) ?? 0, now());
  }

  /** One that is over is taken only where it changes nothing. */
  function expiryOf(expiresAt: string | null, present: Date | null = null): Date | null {
    if (expiresAt === null) return null;
    const at = Date.parse(expiresAt);
    if (at <= now() && at !== present?.getTime())
      throw invalid('/expiresAt', 'this moment is over', 'a moment to come, or null');
    return new Date(expiresAt);
  }

  return {
    async list(databaseId) {
      const rows = await prisma.apiKey.findMany({
        where: { databaseId },
        orderBy: [{ createdAt: 'desc' }, { id: 'desc' }],
      });
      return encode(rows);
    },
    async get(databaseId, keyId) {
      const row = isApiKeyId(keyId) ? await prisma.apiKey.findFirst({ where: { id: keyId, databaseId } }) : null;
      if (row === null) throw noKey();
      return encodeOne(row);
    },
    async create(databaseId, { expiresAt = null, ...request }, doer = systemDoer) {
      const { id, text, prefix, hash } = createApiKey();
      const data = { id, databaseId, prefix, hash, ...request, expiresAt: expiryOf(expiresAt) };
      const { row, configVersion } = await inTransaction(prisma, async (transaction) => {
        const head = await raiseConfigVersion(transaction, databaseId);
        const row = await transaction.apiKey.create({ data });
        const after = auditValue(encodeKey(row, 0, now()));
        await recordAudit(transaction, doer, { action: 'key.create', database: databaseId, subject: id, after });
        return { row, configVersion: head.configVersion };
      });
      await spread(databaseId, configVersion);
      return { ...encodeKey(row, 0, now()), key: text };
    },
    async update(databaseId, keyId, { expiresAt, disabled, ...request }, doer = systemDoer) {
      const decide = (present: ApiKeyModel): KeyData => {
        refuseRevoked(present);
        const expiry = expiresAt === undefined ? {} : { expiresAt: expiryOf(expiresAt, present.expiresAt) };
        const disabledAt = disabled ? (present.disabledAt ?? new Date(now())) : null;
        return { ...request, ...expiry, ...(disabled === undefined ? {} : { disabledAt }) };
      };
      return encodeOne(await change(databaseId, keyId, { action: 'key.update', doer, decide }));
    },
    async rotate(databaseId, keyId, { overlapSeconds }, doer = systemDoer) {
      const { text, hash } = createApiKey(keyId);
      const decide = (present: ApiKeyModel): KeyData => {
        refuseRevoked(present);
        const overlap = { previousHash: present.hash, previousUntil: new Date(now() + overlapSeconds * 1_000) };
        return { hash, ...(overlapSeconds > 0 ? overlap : { previousHash: null, previousUntil: null }) };
      };
      const row = await change(databaseId, keyId, { action: 'key.rotate', doer, decide });
      return { ...(await encodeOne(row)), key: text };
    },
    async revoke(databaseId, keyId, doer = systemDoer) {
      const decide = ({ revokedAt }: ApiKeyModel) => (revokedAt === null ? { revokedAt: new Date(now()) } : null);
      return encodeOne(await change(databaseId, keyId, { action: 'key.revoke', doer, decide }));
    },
  };
}

/** Those that are not revoked and have a grant with this very name: when the collection gets another one, their grants do not follow. */
export function keysThatName(keys: readonly ApiKeyAnswer[], collection: string): { id: string; name: string }[] {
  return keys
    .filter(({ revokedAt }) => revokedAt === null)
    .filter(({ rest, listen }) => [...rest, ...listen].some((grant) => namesCollection(grant, collection)))
    .map(({ id, name }) => ({ id, name }));
}

function noKey(): Problem {
  return new Problem('not_found', 'The database has no key with this id.');
}

function refuseRevoked({ revokedAt }: ApiKeyModel): void {
  if (revokedAt !== null)
    throw new Problem('conflict', 'The key is revoked and cannot be changed. Create another one.');
}

function encodeKey(row: ApiKeyModel, openStreams: number, now: number): ApiKeyAnswer {
  const { id, name, prefix, rest, listen, publish, origins, rateLimit, previousUntil } = row;
  return {
    id,
    name,
    kind: origins.length === 0 ? 'server' : 'web',
    prefix,
    rest,
    listen,
    publish,
    origins,
    createdAt: row.createdAt.toISOString(),
    revokedAt: textOf(row.revokedAt),
    disabledAt: textOf(row.disabledAt),
    expiresAt: textOf(row.expiresAt),
    previousUntil: previousUntil !== null && previousUntil.getTime() > now ? textOf(previousUntil) : null,
    rateLimit,
    lastUsedAt: textOf(row.lastUsedAt),
    openStreams,
  };
}

function textOf(time: Date | null): string | null {
  return time?.toISOString() ?? null;
}
