/** Would a power cut lose a write that was acknowledged? Asked of any Postgres, the built-in one or DATABASE_URL, before ready. */
import type { SqlPool } from './sql-pool.js';

/** A setting that could lose an acknowledged write; `risk` is a sentence for the log and for `/ready`. */
export type DurabilityRisk = { setting: string; value: string; risk: string };

const risks: Record<string, string> = {
  fsync: 'fsync is off: after a power cut or a crash of the system the data may be lost or damaged. Turn it on.',
  full_page_writes: 'full_page_writes is off: a power cut in the middle of a write may damage a page. Turn it on.',
  synchronous_commit: 'synchronous_commit is off: a write may be acknowledged and then lost in a crash. Turn it on.',
};

/**
 * The settings, as they hold for the sessions of this pool, by which an acknowledged write could be lost; empty when there are
 * none. The values of synchronous_commit other than `off` all wait for the local disk. Rejects when Postgres cannot be asked.
 */
export async function checkDurability(pool: SqlPool): Promise<DurabilityRisk[]> {
  const { rows } = await pool.query<{ setting: string; value: string }>(
    'SELECT name AS setting, setting AS value FROM pg_settings WHERE name = ANY($1) ORDER BY name',
    [Object.keys(risks)],
  );
  return rows
    .filter(({ value }) => value === 'off')
    .map(({ setting, value }) => ({ setting, value, risk: risks[setting] ?? setting }));
}
