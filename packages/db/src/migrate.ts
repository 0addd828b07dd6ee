/** Brings a database's schema up to date, at every start. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { withSchemaEngine } from './schema-engine.js';
import type { PostgresAddress } from './sql-pool.js';

const migrationsFolder = fileURLToPath(new URL('../../../prisma/migrations', import.meta.url));

/** Any constant; held as a session lock so that of two processes that start at once one applies and the other waits. */
const ADVISORY_LOCK = 7_249_114_001;

type Migration = { name: string; sql: string; checksum: string };

/**
 * Applies what is missing of `prisma/migrations`, with Prisma's own engine and its ordinary `_prisma_migrations` table.
 * Safe when several processes call it at once. Returns the names that were applied now.
 * Throws with Postgres's reason when a migration fails, and names a migration that failed earlier and was left half done.
 */
export async function migrate(address: PostgresAddress): Promise<{ applied: string[] }> {
  const migrations = await readMigrations();
  const lock = new pg.Client(address);
  // Postgres may end the session while nothing is asked of it; without a listener that would end the process. The next query fails.
  lock.on('error', () => undefined);
  await lock.connect();
  try {
    await lock.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK]);
    if (await isUpToDate(lock, migrations)) return { applied: [] };
    return await withSchemaEngine(address, {}, async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList: {
          baseDir: migrationsFolder,
          lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
          shadowDbInitScript: '',
          migrationDirectories: migrations.map(({ name, sql }) => ({
            path: name,
            migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: sql } },
          })),
        },
        filters: { externalTables: [], externalEnums: [] },
      });
      return { applied: appliedMigrationNames };
    });
  } finally {
    await lock.end();
  }
}

async function readMigrations(): Promise<Migration[]> {
  const entries = await readdir(migrationsFolder, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(`${migrationsFolder}/${name}/migration.sql`, 'utf8');
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') };
    }),
  );
}

/** The quick way at an ordinary start: nothing to apply, so the engine need not be loaded. */
async function isUpToDate(client: pg.Client, migrations: Migration[]): Promise<boolean> {
  const table = await client.query(`SELECT to_regclass('_prisma_migrations') IS NOT NULL AS present`);
  if (!table.rows[0].present) return false;
  const { rows } = await client.query<{ migration_name: string; checksum: string }>(
    'SELECT migration_name, checksum FROM _prisma_migrations WHERE finished_at IS NOT NULL AND rolled_back_at IS NULL',
  );
  const applied = new Map(rows.map((row) => [row.migration_name, row.checksum]));
  return migrations.every(({ name, checksum }) => applied.get(name) === checksum);
}
