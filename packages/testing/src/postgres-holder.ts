/**
 * A program for `spawnSource`: holds the embedded Postgres of a data folder, as a server does, until it is killed or its input
 * ends. Its first line of output is `Held` or `Refused`; with the argument `write` it then inserts numbers one by one, and each
 * further line is a number whose insert was acknowledged.
 */
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { createSqlPool } from '@tidewire/db/sql-pool';

export type Held = {
  pid: number;
  adopted: boolean;
  address: { host: string; port: number; user: string; password: string; database: string };
};
export type Refused = { error: string };

/** `runnerImport` leaves its own arguments out: what follows the file is ours. */
const [dataDir = '', mode] = process.argv.slice(2);
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const log = { info: () => undefined, warn: () => undefined };

async function write(address: Held['address']): Promise<void> {
  const pool = createSqlPool(address, { max: 1, onError: () => undefined });
  await pool.query('CREATE TABLE IF NOT EXISTS numbers (n bigserial PRIMARY KEY)');
  for (;;) {
    const { rows } = await pool.query<{ n: number }>('INSERT INTO numbers DEFAULT VALUES RETURNING n');
    say(rows[0]?.n);
  }
}

try {
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  say({ pid: postgres.pid(), adopted: postgres.adopted, address: postgres.address });
  process.stdin.resume().on('end', () => void postgres.stop());
  if (mode === 'write') await write(postgres.address as Held['address']);
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  process.stdin.pause();
}
