/** What PostgreSQL writes into its own log. */
import { waitFor } from './processes.mjs';

/**
 * From now on statements that take so long or longer are logged: '0' for all, '-1' for none.
 * @param {import('@tidewire/db/sql-pool').SqlPool} pool of a superuser
 * @param {string} milliseconds
 */
export async function setLogging(pool, milliseconds) {
  await pool.query(`ALTER SYSTEM SET log_min_duration_statement = ${milliseconds}`);
  await pool.query('SELECT pg_reload_conf()');
  await waitFor('PostgreSQL has read its settings', async () => {
    const { rows } = await pool.query("SELECT setting FROM pg_settings WHERE name = 'log_min_duration_statement'");
    return rows[0].setting === milliseconds;
  });
}
