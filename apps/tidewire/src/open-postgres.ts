/** Gets at Postgres: the one of DATABASE_URL, else the built-in one of DATA_DIR. */
import { setTimeout as delay } from 'node:timers/promises';
import { DataFolderBusyError } from '@tidewire/db/embedded-postgres/data-folder-lock';
import {
  findEmbeddedPostgres,
  type PostgresLog,
  startEmbeddedPostgres,
} from '@tidewire/db/embedded-postgres/embedded-postgres';
import { kindOfFailure } from '@tidewire/db/postgres-errors';
import { createSqlPool, type PostgresAddress } from '@tidewire/db/sql-pool';
import type { Config } from './config.js';

/** Postgres does not answer, or does not let us in. The message never holds the URL's password. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
}

/** `close` gives back what was started for this; a Postgres that was running before goes on. */
export type OpenPostgres = { address: PostgresAddress; isOwn: boolean; close(): Promise<void> };

const patienceMs = { server: 30_000, command: 3_000 };

/** For the server: the only one on its data folder. Waits up to 30 s for the Postgres of DATABASE_URL. */
export async function openPostgresForServer(config: Config, log: PostgresLog): Promise<OpenPostgres> {
  if (config.databaseUrl !== undefined) return connectTo(config.databaseUrl, patienceMs.server, log);
  const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log, purpose: 'server' });
  return { address: postgres.address, isOwn: true, close: () => postgres.stop() };
}

/** For a short command: beside a running server on that one's Postgres, on a stopped one with the built-in one started for as long as it takes. */
export async function openPostgresForCommand(config: Config, log: PostgresLog): Promise<OpenPostgres> {
  if (config.databaseUrl !== undefined) return connectTo(config.databaseUrl, patienceMs.command, log);
  for (;;) {
    const address = await findEmbeddedPostgres(config.dataDir);
    if (address !== null) return { address, isOwn: false, close: async () => undefined };
    try {
      const postgres = await startEmbeddedPostgres({ dataDir: config.dataDir, log, purpose: 'command' });
      return { address: postgres.address, isOwn: true, close: () => postgres.stop() };
    } catch (error) {
      // A server that is just starting holds the folder, and its Postgres is there in a moment.
      if (!(error instanceof DataFolderBusyError) || error.purpose !== 'server') throw error;
      await delay(100);
    }
  }
}

async function connectTo(connectionString: string, forMs: number, log: PostgresLog): Promise<OpenPostgres> {
  const address = { connectionString };
  const until = Date.now() + forMs;
  for (let attempt = 0; ; attempt += 1) {
    const failure = await tryConnection(address);
    if (failure === null) return { address, isOwn: false, close: async () => undefined };
    if (kindOfFailure(failure) !== 'lost' || Date.now() > until)
      throw new ConnectError(explain(connectionString, failure), { cause: failure });
    if (attempt === 0) log.warn({}, `${explain(connectionString, failure)} Trying again for ${forMs / 1000} s.`);
    await delay(500);
  }
}

async function tryConnection(address: PostgresAddress): Promise<Error | null> {
  const pool = createSqlPool(address, { max: 1, onError: () => undefined });
  try {
    await pool.query('SELECT 1');
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    await pool.end();
  }
}

function explain(connectionString: string, failure: Error): string {
  const { hostname, port, pathname } = new URL(connectionString);
  return `The PostgreSQL of DATABASE_URL (${hostname}:${port || 5432}${pathname}) cannot be used: ${failure.message || failure.name}.`;
}
