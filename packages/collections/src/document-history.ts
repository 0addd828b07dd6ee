/** The versions of a document, read from the event log by the index events (collection_id, document_id, id). What it was at a moment: `documents-as-of.ts`. */
import { changeSeenBy, type Rule } from '@tidewire/access/rule';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';

/** A document of a collection. */
export type Subject = { collectionId: number; id: string };

/** `document` is null after a delete. `at` is ISO 8601, UTC. */
export type DocumentVersion = { eventId: number; type: 'post' | 'put' | 'delete'; at: string; document: string | null };

/** A version with the document before it. */
type VersionRow = DocumentVersion & { before: string | null };

/** Bytes after which a page of versions takes no further one. */
const pageLimitBytes = 16 * 1024 * 1024;

const isoTime = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Newest first. The size of what stands before a row decides whether it still comes along. */
const selectVersions = {
  name: 'history-versions',
  text: `SELECT id AS "eventId", type::text AS type, ${isoTime('at')} AS at, after::text AS document,
      before::text AS before FROM (
      SELECT *, coalesce(sum(coalesce(octet_length(after::text), 0))
        OVER (ORDER BY id DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
      FROM (SELECT id, type, at, after, before FROM events
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
  const rows = await readVersions(pool, { collectionId, id }, { before, max });
  if (rows.length > 0) return rows.map(({ before: _before, ...version }) => version);
  if ((await readVersions(pool, { collectionId, id }, newest)).length > 0) return [];
  return (await pool.query({ ...selectExists, values: [collectionId, id] })).rows.length > 0 ? [] : null;
}

const newest = { before: Number.MAX_SAFE_INTEGER, max: 1 };

async function readVersions(
  pool: SqlPool,
  { collectionId, id }: Subject,
  { before, max }: { before: number; max: number },
): Promise<VersionRow[]> {
  const values = [collectionId, id, before, max, pageLimitBytes];
  return (await pool.query<VersionRow>({ ...selectVersions, values })).rows;
}

/**
 * The same as the rule shows them: versions in which the document is there for the reader, what brought it into view as a `post`, what took it out of it as a `delete`. `isThere`: whether
 * it is there now. Null when it never was, as far as the log reaches.
 */
export async function listVersionsBy(
  rule: Rule,
  pool: SqlPool,
  subject: Subject,
  { before, max, isThere }: { before: number; max: number; isThere: boolean },
): Promise<DocumentVersion[] | null> {
  const shown: DocumentVersion[] = [];
  for await (const version of versionsSeen(rule, pool, subject, before)) {
    shown.push(version);
    if (shown.length === max) break;
  }
  if (shown.length > 0 || isThere) return shown;
  const { done } = await versionsSeen(rule, pool, subject, newest.before).next();
  return done === true ? null : [];
}

/** Versions of a document that are read at a time while some of them are passed over. */
const STEP = 100;

async function* versionsSeen(
  rule: Rule,
  pool: SqlPool,
  subject: Subject,
  before: number,
): AsyncGenerator<DocumentVersion, undefined> {
  for (let at = before; ; ) {
    const rows = await readVersions(pool, subject, { before: at, max: STEP });
    for (const { before: was, document, ...row } of rows) {
      const seen = changeSeenBy(rule, { before: parse(was), after: parse(document) });
      if (seen !== null)
        yield { ...row, type: seen.type, document: seen.after === null ? null : JSON.stringify(seen.after) };
    }
    const last = rows.at(-1);
    if (last === undefined) return undefined;
    at = last.eventId;
  }
}

/** Our own text, out of the log. */
function parse(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}
