/** A process's connections to Postgres: Prisma for the admin tables, raw pools for the document path and for the commit lane. */
import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from './generated/client.js';
import { createSqlPool, type PostgresAddress, type SqlPool } from './sql-pool.js';

/** Prisma's client without the capture of writes: it may read everything and write the admin tables; Postgres refuses it documents. */
export type AdminClient = PrismaClient;

export type PostgresConnections = {
  prisma: AdminClient;
  /** Reads of documents and events; Prisma stands on it, too. */
  pool: SqlPool;
  /** The only sessions that may write documents and append events. */
  lanePool: SqlPool;
  /** One connection, for what may take long: building and dropping indexes. */
  maintenancePool: SqlPool;
  /** Two connections, for cutting logs and for what deleted databases leave: they may delete documents and events. Their commits do not wait for the disk; one that a crash takes back is made again. */
  retentionPool: SqlPool;
  /** Ends every connection. Call it once, after all that uses them has stopped. */
  close(): Promise<void>;
};

export type ConnectionOptions = {
  /** Connections for reads and for Prisma. Default 10. */
  poolSize?: number;
  /** Connections of the commit lane: so many databases can commit at the same time. Default 4. */
  lanePoolSize?: number;
  /** Told of connections that broke while idle (a restart of Postgres); the pools replace them by themselves. */
  onConnectionError: (error: Error) => void;
};

/**
 * A process that stands still in the middle of a write (a paused machine, SIGSTOP) holds the lock that all writers of the database wait for; so
 * long after its last statement PostgreSQL ends its session, and with it the transaction. Longer than a batch is worked on between two
 * statements (2 s, commit-lane.ts), shorter than other writes wait (10 s).
 */
const longestStandstillMs = 5_000;

/** Opens nothing yet: connections are made as they are needed. */
export function connectPostgres(address: PostgresAddress, options: ConnectionOptions): PostgresConnections {
  const pool = createSqlPool(address, { max: options.poolSize ?? 10, onError: options.onConnectionError });
  const lanePool = createSqlPool(address, {
    max: options.lanePoolSize ?? 4,
    onError: options.onConnectionError,
    sessionOptions: `-c tidewire.lane=on -c idle_in_transaction_session_timeout=${longestStandstillMs}`,
  });
  const maintenancePool = createSqlPool(address, { max: 1, onError: options.onConnectionError });
  const retentionPool = createSqlPool(address, {
    max: 2,
    onError: options.onConnectionError,
    sessionOptions: '-c tidewire.lane=on -c synchronous_commit=off',
  });
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool) });
  return {
    prisma,
    pool,
    lanePool,
    maintenancePool,
    retentionPool,
    async close() {
      await prisma.$disconnect();
      await Promise.all([pool.end(), lanePool.end(), maintenancePool.end(), retentionPool.end()]);
    },
  };
}
