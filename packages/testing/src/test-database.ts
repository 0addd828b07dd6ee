/** A database for one test file, cloned from the migrated template; dropped when the file's tests passed, else kept and named. */
import { randomBytes } from 'node:crypto';
import { basename } from 'node:path';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { expect, inject } from 'vitest';
import './global-setup.js';
import { query, testDatabasePrefix, withDatabase } from './test-postgres.js';

export type TestDatabase = { name: string; address: PostgresAddress };

/** Those of this test file that are not settled yet. */
const open: TestDatabase[] = [];

/**
 * Creates a database with all migrations applied, or with nothing in it (`empty`). Call it as often as wanted, in hooks or
 * tests; nobody needs to drop it. Close your pools before the file ends.
 */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const { admin, template } = inject('testPostgres');
  const name = `${testDatabasePrefix}${slugOfTestFile()}_${randomBytes(4).toString('hex')}`;
  await query(admin, `CREATE DATABASE ${name} TEMPLATE ${options.empty ? "template0 ENCODING 'UTF8'" : template}`);
  const database = { name, address: withDatabase(admin, name) };
  open.push(database);
  return database;
}

/** The address as DATABASE_URL wants it; the folder of a Unix socket stands in the query. */
export function addressUrl(address: PostgresAddress): string {
  if ('connectionString' in address) return address.connectionString;
  const { host, port, user, password, database } = address;
  const url = new URL(`postgresql://localhost:${port}/${database}`);
  url.username = user;
  url.password = password;
  url.searchParams.set('host', host);
  return url.href;
}

/** Called once at the end of each test file, by the setup file. */
export async function settleTestDatabases(hasFailed: boolean): Promise<void> {
  const databases = open.splice(0);
  const { admin } = inject('testPostgres');
  for (const { name } of databases) {
    if (hasFailed) console.error(`The test file failed; its database is kept: ${name}`);
    else await query(admin, `DROP DATABASE ${name} WITH (FORCE)`);
  }
}

/** Postgres cuts names at 63 bytes. */
function slugOfTestFile(): string {
  const file = basename(expect.getState().testPath ?? 'unknown').replace(/(\.int)?\.test\.\w+$/, '');
  return file
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .slice(0, 36);
}
