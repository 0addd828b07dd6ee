/** What documents were, read from the event log; by the index events (collection_id, document_id, id). */
import { wholeDocument } from '@tidewire/change-log/document-text';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import { metafields } from '@tidewire/protocol/names';

/** A document in the log of its database. */
export type Subject = { databaseId: number; collectionId: number; id: string };

/** `text` is the JSON of the document with its metafields (without `_keywords` and `_tags`, which no event has). */
export type PastDocument =
  | { status: 'found'; text: string }
  | { status: 'absent' }
  /** The log does not reach there; it does from event `from` to event `to`. */
  | { status: 'out of reach'; from: number; to: number };

/** `document` is null after a delete. `at` is ISO 8601, UTC. */
export type DocumentVersion = { eventId: number; type: 'post' | 'put' | 'delete'; at: string; document: string | null };

/** Bytes after which a page of versions takes no further one. */
const pageLimitBytes = 16 * 1024 * 1024;

const isoTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/**
 * One statement, so one snapshot: the last event up to the moment, the first one after it, and the document as it is now. The moment's state is the `after`
 * of the one, else the `before` of the other, else what stands there now.
 */
const selectAsOf = {
  name: 'history-as-of',
  text: `SELECT h.head, h.oldest, past.type::text AS past, past.after::text AS after, next.type::text AS next,
      next.before::text AS before, d.body::text AS body, d.version, ${isoTime('d.created_at')} AS "createdAt",
      ${isoTime('d.changed_at')} AS "changedAt", d.created_by AS "createdBy", d.changed_by AS "changedBy"
    FROM log_heads h
    LEFT JOIN LATERAL (SELECT type, after FROM events
      WHERE collection_id = $2 AND document_id = $3 AND id <= $4 ORDER BY id DESC LIMIT 1) AS past ON true
    LEFT JOIN LATERAL (SELECT type, before FROM events
      WHERE collection_id = $2 AND document_id = $3 AND id > $4 ORDER BY id LIMIT 1) AS next ON true
    LEFT JOIN documents d ON d.collection_id = $2 AND d.id = $3
    WHERE h.database_id = $1`,
};

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

type AsOfRow = {
  head: number;
  oldest: number;
  past: string | null;
  after: string | null;
  next: string | null;
  before: string | null;
  body: string | null;
  version: number;
  createdAt: string;
  changedAt: string;
  createdBy: string;
  changedBy: string;
};

/** The document as it was after event `eventId` of its database. */
export async function documentAsOf(pool: SqlPool, subject: Subject, eventId: number): Promise<PastDocument> {
  const { databaseId, collectionId, id } = subject;
  const { rows } = await pool.query<AsOfRow>({ ...selectAsOf, values: [databaseId, collectionId, id, eventId] });
  const [row] = rows;
  if (row === undefined || eventId > row.head || eventId < row.oldest - 1)
    return { status: 'out of reach', from: (row?.oldest ?? 1) - 1, to: row?.head ?? 0 };
  const text = textAt(row, id);
  return text === null ? { status: 'absent' } : { status: 'found', text };
}

function textAt({ past, after, next, before, body, ...rest }: AsOfRow, id: string): string | null {
  if (past !== null) return after;
  if (next !== null) return before;
  return body === null ? null : wholeDocument({ ...rest, id, body });
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

const serverFields: ReadonlySet<string> = new Set(metafields.slice(1));

/** The text without metafields, except `_id`: as reads show documents. */
export function withoutMetafields(text: string): string {
  const document = JSON.parse(text) as JsonObject;
  return JSON.stringify(Object.fromEntries(Object.entries(document).filter(([name]) => !serverFields.has(name))));
}
