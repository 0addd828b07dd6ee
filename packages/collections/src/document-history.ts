/** The versions of a document, read from the event log by the index events (collection_id, document_id, id). What it was at a moment: `documents-as-of.ts`. */
import type { SqlPool } from '@tidewire/db/sql-pool';

/** A document of a collection. */
export type Subject = { collectionId: number; id: string };

/** `document` is null after a delete. `at` is ISO 8601, UTC. */
export type DocumentVersion = { eventId: number; type: 'post' | 'put' | 'delete'; at: string; document: string | null };

/** Bytes after which a page of versions takes no further one. */
const pageLimitBytes = 16 * 1024 * 1024;

const isoTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Newest first. The size of what stands before a row decides whether it still comes along. */
const selectVersions = {
  name: 'history-versions',
  text: `SELECT id AS "eventId", type::text AS type, ${isoTime('at')} AS at, after::text AS document FROM (
      SELECT *, coalesce(sum(coalesce(octet_length(after::text), 0))
        OVER (ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
      FROM (SELECT id, type, at, after FROM events
        WHERE collection_id = $1 AND document_id = $2 AND id < $3 ORDER BY id DESC LIMIT $4) AS page
    ) AS sized WHERE bytes_before < $5 ORDER BY id DESC`,
};

const selectExists = {
  name: 'history-exists',
  text: 'SELECT 1 FROM documents WHERE collection_id = $1 AND id = $2',
};

/** What the log has given up is no version any more, also in the moment before its rows are gone. */
const selectOldest = {
  name: 'history-oldest',
  text: 'SELECT oldest FROM log_heads WHERE database_id = $1',
};

/** The oldest event that the log of the database has kept: `versions` from before are left out, and whether there were any is not known. */
export async function withinReach(
  pool: SqlPool,
  databaseId: number,
  versions: readonly DocumentVersion[],
): Promise<{ versions: DocumentVersion[]; oldest: number }> {
  const { rows } = await pool.query<{ oldest: number }>({ ...selectOldest, values: [databaseId] });
  const oldest = rows[0]?.oldest ?? 1;
  return { versions: versions.filter(({ eventId }) => eventId >= oldest), oldest };
}

/**
 * The last `max` versions before event `before`, the newest first; fewer when their texts outgrow 16 MiB, but at least one when there is one. Null when the log
 * and the collection know no such document.
 */
export async function listVersions(
  pool: SqlPool,
  { collectionId, id }: Subject,
  { before, max }: { before: number; max: number },
): Promise<DocumentVersion[] | null> {
  const values = [collectionId, id, before, max, pageLimitBytes];
  const { rows } = await pool.query<DocumentVersion>({ ...selectVersions, values });
  if (rows.length > 0) return rows;
  const all = [collectionId, id, Number.MAX_SAFE_INTEGER, 1, pageLimitBytes];
  if ((await pool.query({ ...selectVersions, values: all })).rows.length > 0) return [];
  return (await pool.query({ ...selectExists, values: [collectionId, id] })).rows.length > 0 ? [] : null;
}
