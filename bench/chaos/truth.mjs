/**
 * What Postgres holds in the end, read past the server with plain SQL.
 *
 * @typedef {{ id: number, type: string, collection: string | null, documentId: string | null, before: any, after: any, name: string | null, data: any, operationId: string }} LoggedEvent
 * @typedef {{ head: number, oldest: number, events: LoggedEvent[], documents: { collection: string, id: string, body: any, version: number }[] }} Truth
 */
import { findEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { createSqlPool } from '@tidewire/db/sql-pool';

/** @template T @param {string} dataDir @param {(pool: import('@tidewire/db/sql-pool').SqlPool) => Promise<T>} use @returns {Promise<T>} */
async function withPostgres(dataDir, use) {
  const address = await findEmbeddedPostgres(dataDir);
  if (address === null) throw new Error(`no Tidewire serves ${dataDir}`);
  const pool = createSqlPool(address, { max: 1, onError: () => undefined });
  try {
    return await use(pool);
  } finally {
    await pool.end();
  }
}

/** The newest event's number. @param {string} dataDir @returns {Promise<number>} */
export function readHead(dataDir) {
  return withPostgres(
    dataDir,
    async (pool) => (await pool.query('SELECT max(head) AS head FROM log_heads')).rows[0].head,
  );
}

/** In one snapshot. There is one database. @param {string} dataDir @returns {Promise<Truth>} */
export function readTruth(dataDir) {
  return withPostgres(dataDir, async (pool) => {
    await pool.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const heads = await pool.query('SELECT head, oldest FROM log_heads');
    const events =
      await pool.query(`SELECT id, type, collection, document_id AS "documentId", before, after, name, data,
      operation_id AS "operationId" FROM events ORDER BY id`);
    const documents =
      await pool.query(`SELECT c.name AS collection, d.id, d.body, d.data = d.body::jsonb AS agrees, d.version
      FROM documents d JOIN collections c ON c.id = d.collection_id ORDER BY c.name, d.id`);
    await pool.query('COMMIT');
    return { ...heads.rows[0], events: events.rows, documents: documents.rows };
  });
}
