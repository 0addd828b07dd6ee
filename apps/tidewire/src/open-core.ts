/** What server and commands have in common: connections, catalog, event log, and the client through which alone is written. */
import { type AdminPeople, createAdminPeople } from '@tidewire/access/admin-people';
import { type ApiKeys, createApiKeys } from '@tidewire/access/api-keys';
import { type AuditLog, createAuditLog } from '@tidewire/access/audit-log';
import { createDatabases, type Databases } from '@tidewire/access/databases';
import { createPasswords, type Passwords } from '@tidewire/access/passwords';
import { createRoles, type Roles } from '@tidewire/access/roles';
import { createSettings, type Settings } from '@tidewire/access/settings';
import { type CapturingClient, captureWrites } from '@tidewire/change-log/capture-extension';
import type { ChangeBus } from '@tidewire/change-log/change-bus';
import { createCommitLanes } from '@tidewire/change-log/commit-lanes';
import { createEventLog, type EventLog } from '@tidewire/change-log/event-log';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { createRedisChangeBus } from '@tidewire/change-log/redis-change-bus';
import { type CollectionIndexes, createCollectionIndexes } from '@tidewire/collections/indexes/collection-indexes';
import { type CollectionSchemas, createCollectionSchemas } from '@tidewire/collections/schema/collection-schemas';
import { createShapeOf } from '@tidewire/collections/schema/shape-of';
import { type Catalog, createCatalog } from '@tidewire/db/catalog';
import { type AdminClient, connectPostgres } from '@tidewire/db/client';
import type { PostgresAddress, SqlPool } from '@tidewire/db/sql-pool';
import type { Logger } from '@tidewire/server-kit/logger';

export type Core = {
  prisma: AdminClient;
  client: CapturingClient;
  pool: SqlPool;
  catalog: Catalog;
  bus: ChangeBus;
  log: EventLog;
  databases: Databases;
  people: AdminPeople;
  passwords: Passwords;
  audit: AuditLog;
  apiKeys: ApiKeys;
  roles: Roles;
  settings: Settings;
  collectionIndexes: CollectionIndexes;
  collectionSchemas: CollectionSchemas;
  /** For the index builder. */
  maintenancePool: SqlPool;
  /** For cutting logs. */
  retentionPool: SqlPool;
  /** Tells the other processes of a change of a database's configuration. */
  notify: (databaseId: number, configVersion: number) => void;
  /** Waits for the commits under way, then closes the bus and every connection. */
  close(): Promise<void>;
};

export type CoreOptions = {
  redisUrl?: string | undefined;
  /** Instead of one over Redis or in memory. It is closed with the core. */
  bus?: ChangeBus;
  /** Connections to Postgres for reads. Default 10. */
  poolSize?: number;
};

/** Opens nothing before it is used. The schema must be up to date. */
export function openCore(address: PostgresAddress, logger: Logger, options: CoreOptions = {}): Core {
  const onError = (message: string) => (error: unknown) => logger.warn({ err: error }, message);
  const onLost = onError('A connection to Postgres was lost.');
  let isClosing = false;
  // The driver says goodbye to Postgres without waiting; when Postgres stops first, that is no loss.
  const connections = connectPostgres(address, {
    onConnectionError: (error) => isClosing || onLost(error),
    ...(options.poolSize === undefined ? {} : { poolSize: options.poolSize }),
  });
  const { prisma, pool, lanePool, maintenancePool, retentionPool } = connections;
  const catalog = createCatalog(pool);
  const onBusError = onError('The change bus failed; changes are found by looking once a second.');
  const bus = options.bus ?? openBus(options.redisUrl, onBusError);
  const passwords = createPasswords();
  const shapeOf = createShapeOf();
  const lanes = createCommitLanes({
    pool: lanePool,
    catalog,
    bus,
    shapeOf,
    onRetry: onError('A commit is tried again.'),
  });
  const notify = (databaseId: number, configVersion: number) =>
    bus.publish({ kind: 'config', databaseId, configVersion });
  return {
    prisma,
    pool,
    catalog,
    bus,
    client: captureWrites(prisma, lanes.submit),
    log: createEventLog(pool),
    databases: createDatabases({ prisma, pool, catalog, notify }),
    people: createAdminPeople({ prisma, passwords, now: Date.now }),
    passwords,
    audit: createAuditLog({ pool }),
    apiKeys: createApiKeys({ prisma, pool, catalog, notify, now: Date.now }),
    roles: createRoles({ prisma, catalog, notify }),
    settings: createSettings({ prisma, catalog, notify }),
    collectionIndexes: createCollectionIndexes({ pool, catalog, notify }),
    collectionSchemas: createCollectionSchemas({ pool, catalog, notify }),
    maintenancePool,
    retentionPool,
    notify,
    async close() {
      await lanes.idle();
      await bus.close();
      isClosing = true;
      await connections.close();
    },
  };
}

function openBus(redisUrl: string | undefined, onError: (error: unknown) => void): ChangeBus {
  return redisUrl === undefined ? createMemoryChangeBus({ onError }) : createRedisChangeBus({ url: redisUrl, onError });
}
