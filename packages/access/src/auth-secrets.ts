/** The secret that another service signs the tokens of a database's users with: stored sealed, read into memory when it is needed, never shown. */
import { createHash } from 'node:crypto';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import type { AdminClient } from '@tidewire/db/client';
import type { AuthSecretAnswer } from '@tidewire/protocol/auth-api';
import { inTransaction } from './admin-transaction.js';
import { type Doer, recordAudit, systemDoer } from './audit-log.js';
import { type ConfigNotice, raiseConfigVersion } from './config-version.js';
import type { SealedSecrets } from './sealed-secrets.js';

export interface AuthSecrets {
  /** The secret's bytes by the newest configuration; null when there is none. */
  find(database: CatalogDatabase): Promise<Buffer | null>;
  /** A text that is another one when the secret is; '' before it was read. Neither I/O nor secret. */
  versionOf(databaseId: number): string;
  describe(databaseId: number): Promise<AuthSecretAnswer>;
  /** Sets it, or removes it (null). From then on tokens that were signed with the one before are worth nothing. */
  set(databaseId: number, secret: string | null, doer?: Doer): Promise<AuthSecretAnswer>;
  /** Calls the listener with each database whose secret was found to be another one. Returns the way to stop it. */
  onChange(listener: (databaseId: number) => void): () => void;
  /** Stops listening to the catalog. */
  close(): void;
}

export type AuthSecretsDeps = {
  prisma: AdminClient;
  catalog: Catalog;
  sealed: SealedSecrets;
  notify: ConfigNotice;
  onError: (error: unknown) => void;
  now: () => number;
};

type Known = { configVersion: number; secret: Promise<Buffer | null>; version: string };
/** Of the row in `database_secrets`. */
const NAME = 'jwt';

export function createAuthSecrets(deps: AuthSecretsDeps): AuthSecrets {
  const { prisma, catalog, sealed, notify, onError, now } = deps;
  const known = new Map<number, Known>();
  const listeners = new Set<(databaseId: number) => void>();
  const contextOf = (databaseId: number) => `${NAME}:${databaseId}`;
  const whereOf = (databaseId: number) => ({ databaseId_name: { databaseId, name: NAME } });

  async function read(databaseId: number): Promise<Buffer | null> {
    const row = await prisma.databaseSecret.findUnique({ where: whereOf(databaseId) });
    return row === null ? null : Buffer.from(sealed.open(row.sealed, contextOf(databaseId)), 'utf8');
  }

  function find({ id, configVersion }: CatalogDatabase): Promise<Buffer | null> {
    const present = known.get(id);
    if (present !== undefined && present.configVersion >= configVersion) return present.secret;
    const entry: Known = { configVersion, secret: read(id), version: present?.version ?? '' };
    known.set(id, entry);
    entry.secret.then(
      (secret) => {
        const version = secret === null ? 'none' : createHash('sha256').update(secret).digest('base64url');
        const isAnother = entry.version !== version;
        entry.version = version;
        if (isAnother && known.get(id) === entry) for (const listener of listeners) listener(id);
      },
      () => {
        if (known.get(id) !== entry) return;
        // What was known stays known until it can be read again: a Postgres that is away makes no secret another one.
        if (present === undefined) known.delete(id);
        else known.set(id, present);
      },
    );
    return entry.secret;
  }

  // Those that are in use are looked at again with every new configuration, so that a secret that was changed counts at once.
  const stop = catalog.onChange((database) => {
    if (known.has(database.id)) find(database).catch(onError);
  });

  async function describe(databaseId: number, client: Pick<AdminClient, 'databaseSecret'> = prisma) {
    const row = await client.databaseSecret.findUnique({
      where: whereOf(databaseId),
      select: { changedAt: true },
    });
    return { isSet: row !== null, changedAt: row?.changedAt.toISOString() ?? null };
  }

  return {
    find,
    versionOf: (databaseId) => known.get(databaseId)?.version ?? '',
    describe: (databaseId) => describe(databaseId),
    async set(databaseId, secret, doer = systemDoer) {
      const configVersion = await inTransaction(prisma, async (transaction) => {
        const head = await raiseConfigVersion(transaction, databaseId);
        const before = await describe(databaseId, transaction);
        if (secret === null) await transaction.databaseSecret.deleteMany({ where: { databaseId, name: NAME } });
        else {
          const data = { sealed: sealed.seal(secret, contextOf(databaseId)), changedAt: new Date(now()) };
          const create = { databaseId, name: NAME, ...data };
          await transaction.databaseSecret.upsert({ where: whereOf(databaseId), create, update: data });
        }
        const after = await describe(databaseId, transaction);
        if (before.isSet || after.isSet)
          await recordAudit(transaction, doer, {
            action: 'auth.secret',
            database: databaseId,
            subject: 'auth',
            before,
            after,
          });
        return head.configVersion;
      });
      notify(databaseId, configVersion);
      await catalog.refresh(databaseId, configVersion);
      return describe(databaseId);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: stop,
  };
}
