/** A Postgres 18 of the benchmark's own: the embedded one, with Tidewire's schema and its settings (fsync on), in a folder that is deleted. */
import { connectPostgres } from '@tidewire/db/client';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { migrate } from '@tidewire/db/migrate';
import { makeFolder } from './product.mjs';

const quiet = { info: () => undefined, warn: () => undefined };

/** With a database `bench` and a collection `company`, whose ids are returned. */
export async function startScratchPostgres() {
  const folder = makeFolder('bench-postgres');
  const postgres = await startEmbeddedPostgres({ dataDir: folder.path, log: quiet });
  await migrate(postgres.address);
  const connections = connectPostgres(postgres.address, { onConnectionError: () => undefined });
  const database = await connections.prisma.database.create({ data: { name: 'bench', log: { create: {} } } });
  const collection = await connections.prisma.collection.create({ data: { databaseId: database.id, name: 'company' } });
  return {
    address: postgres.address,
    databaseId: database.id,
    collectionId: collection.id,
    pool: connections.pool,
    async stop() {
      await connections.close();
      await postgres.stop();
      folder.remove();
    },
  };
}

/** What of Postgres decides about durability, as the server says it. @param {import('@tidewire/db/sql-pool').SqlPool} pool */
export async function durabilitySettings(pool) {
  const names = [
    'server_version',
    'fsync',
    'full_page_writes',
    'synchronous_commit',
    'wal_sync_method',
    'shared_buffers',
  ];
  const { rows } = await pool.query('SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY name', [
    names,
  ]);
  return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]));
}
