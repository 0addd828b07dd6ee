/**
 * The Postgres of one test run: the one of TEST_DATABASE_URL, else an embedded one in a folder for temporary files, without
 * fsync. It holds a migrated template, from which each test file clones a database of its own.
 */
import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterOf } from '@tidewire/db/embedded-postgres/cluster';
import { findDataFolderHolder } from '@tidewire/db/embedded-postgres/data-folder-lock';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { endLeftovers } from '@tidewire/db/embedded-postgres/postmaster';
import { migrate } from '@tidewire/db/migrate';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import pg from 'pg';

export const testDatabasePrefix = 'tidewire_test_';
const folderPrefix = 'tidewire-test-';
const keptMarker = 'kept';

/** `admin` is a database from which others may be created; `template` is cloned. Plain data, so that it can cross processes. */
export type TestPostgres = { admin: PostgresAddress; template: string };
export type RunningTestPostgres = TestPostgres & {
  /** Drops the template and stops what was started. Databases of failed tests are kept, and the message says where. */
  stop(): Promise<void>;
};

/** Starts (or connects to) the Postgres of this run and prepares the template. */
export async function startTestPostgres(databaseUrl: string | undefined): Promise<RunningTestPostgres> {
  return databaseUrl === undefined || databaseUrl === ''
    ? startEmbedded()
    : useExisting({ connectionString: databaseUrl });
}

async function useExisting(admin: PostgresAddress): Promise<RunningTestPostgres> {
  const template = `tidewire_template_${process.pid}_${Date.now().toString(36)}`;
  await createTemplate(admin, template);
  return {
    admin,
    template,
    async stop() {
      await query(admin, `DROP DATABASE IF EXISTS ${template} WITH (FORCE)`);
      const kept = await listKept(admin);
      if (kept.length > 0) console.error(`Databases of failed tests were kept: ${kept.join(', ')}`);
    },
  };
}

async function startEmbedded(): Promise<RunningTestPostgres> {
  await sweepAbandoned();
  const dataDir = mkdtempSync(join(tmpdir(), folderPrefix));
  const log = { info: () => undefined, warn: (fields: object, message: string) => console.error(message, fields) };
  const postgres = await startEmbeddedPostgres({
    dataDir,
    log,
    settings: { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off', max_connections: '300' },
  });
  const existing = await useExisting(postgres.address).catch(async (error: unknown) => {
    await postgres.stop();
    rmSync(dataDir, { recursive: true, force: true });
    throw error;
  });
  return {
    ...existing,
    async stop() {
      const kept = await listKept(postgres.address);
      await existing.stop();
      await postgres.stop();
      if (kept.length === 0) return rmSync(dataDir, { recursive: true, force: true });
      writeFileSync(join(dataDir, keptMarker), `${kept.join('\n')}\n`);
      console.error(
        `They are in ${dataDir}. To look at one: DATA_DIR=${dataDir} npm start starts its Postgres on a socket there.`,
      );
    },
  };
}

/** What a run that was killed has left: its Postgres is ended and its folder removed, unless a failed test is kept there. */
async function sweepAbandoned(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(folderPrefix)) continue;
    const folder = join(tmpdir(), name);
    // A folder without a lock folder may belong to a run that is about to start.
    if (
      existsSync(join(folder, keptMarker)) ||
      !existsSync(join(folder, 'lock')) ||
      (await findDataFolderHolder(folder))
    )
      continue;
    await endLeftovers(clusterOf(realpathSync(folder)), () => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function createTemplate(admin: PostgresAddress, template: string): Promise<void> {
  await query(admin, `CREATE DATABASE ${template} TEMPLATE template0 ENCODING 'UTF8'`);
  await migrate(withDatabase(admin, template));
}

async function listKept(admin: PostgresAddress): Promise<string[]> {
  const rows = await query(
    admin,
    `SELECT datname FROM pg_database WHERE starts_with(datname, '${testDatabasePrefix}') ORDER BY 1`,
  );
  return rows.map(({ datname }) => String(datname));
}

/** The same server, another database. */
export function withDatabase(address: PostgresAddress, database: string): PostgresAddress {
  if (!('connectionString' in address)) return { ...address, database };
  const url = new URL(address.connectionString);
  url.pathname = `/${database}`;
  return { connectionString: url.href };
}

/** One statement on a connection of its own. */
export async function query(address: PostgresAddress, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(address);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
