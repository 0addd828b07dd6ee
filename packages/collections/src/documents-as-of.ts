/**
 * Documents as they were after an event. The one rule: a document was what its first later event found (`before`), else it is what stands there now. So nothing older than the moment
 * is needed, a log whose beginning was dropped answers as far as it reaches back, and the cost is that of the events since.
 *
 * A collection is its id: under another name it is the same one, and one that was dropped is gone with its past.
 */
import type { SqlClient } from '@tidewire/db/sql-pool';
import { wrongParameters } from './query-parameters.js';
import type { ReadGate } from './read-gate.js';

/** After event `eventId` of the database. */
export type Moment = { databaseId: number; eventId: number };

/** `limit` documents behind the first `offset`. */
export type PastPage = {
  columns: string;
  collectionId: number;
  afterId: string | null;
  limit: number;
  offset: number;
};

/** A gate for reads of that moment: in the snapshot of each, the log must reach there; else `bad_request`, which says from where to where it does. */
export function gateAsOf(gate: ReadGate, moment: Moment): ReadGate {
  return (work) =>
    gate(async (client) => {
      await checkReach(client, moment);
      return work(client);
    });
}

const selectReach = {
  name: 'documents-as-of-reach',
  text: 'SELECT head, oldest FROM log_heads WHERE database_id = $1',
};

async function checkReach(client: SqlClient, { databaseId, eventId }: Moment): Promise<void> {
  const { rows } = await client.query<{ head: number; oldest: number }>({ ...selectReach, values: [databaseId] });
  const { head, oldest } = rows[0] ?? { head: 0, oldest: 1 };
  if (eventId <= head && eventId >= oldest - 1) return;
  const allowed = `an event from ${oldest - 1} to ${head}`;
  throw wrongParameters([{ field: 'asof', message: 'the log does not reach there', allowed }]);
}

/**
 * The statement on what the table `documents` was; null: on what it is. It must not begin with a WITH of its own. In the snapshot in which it runs, the log must reach there.
 *
 * The name of the table stands for its past within the statement. It is inlined, so that conditions on the collection and on documents reach both halves. What has changed since is found
 * along the primary key of events (database_id, id), or, for few documents, by the index (collection_id, document_id, id).
 */
export function readAsOf<S extends { name?: string; text: string }>(statement: S, moment: Moment | null): S {
  if (moment === null) return statement;
  // Without a name: the number of the event is part of the text, so that Postgres plans for how far back it is.
  const { name: _, ...rest } = statement;
  return { ...rest, text: `WITH documents AS NOT MATERIALIZED (${pastDocuments(moment)}) ${statement.text}` } as S;
}

/** A page in the order of `_id`, of a whole collection: each half stops when it has the page's documents. `afterId`: only documents behind it, null for all. */
export function pageAsOf(
  { columns, collectionId, afterId, limit, offset }: PastPage,
  moment: Moment,
): { text: string; values: unknown[] } {
  const later = laterThan(moment);
  const text = `SELECT ${columns} FROM (
      (SELECT ${documentColumns} FROM documents d
        WHERE d.collection_id = $1 AND d.id > $2 AND NOT EXISTS (SELECT FROM events e
          WHERE ${later} AND e.collection_id = $1 AND e.document_id = d.id)
        ORDER BY d.id LIMIT $3::bigint + $4::bigint)
      UNION ALL
      (SELECT ${pastColumns} FROM (SELECT f.collection_id, f.document_id, f.id FROM (
            SELECT DISTINCT ON (e.document_id) e.collection_id, e.document_id, e.id, e.type FROM events e
            WHERE ${later} AND e.collection_id = $1 AND e.document_id > $2 ORDER BY e.document_id, e.id
          ) AS f WHERE f.type <> 'post' ORDER BY f.document_id LIMIT $3::bigint + $4::bigint) AS first
        JOIN events e ON e.database_id = ${Number(moment.databaseId)} AND e.id = first.id)
    ) AS d ORDER BY d.id LIMIT $3::bigint OFFSET $4::bigint`;
  return { text, values: [collectionId, afterId ?? '', limit, offset] };
}

function pastDocuments(moment: Moment): string {
  const later = laterThan(moment);
  return `SELECT ${documentColumns} FROM documents d
    WHERE NOT EXISTS (SELECT FROM events e WHERE ${later} AND e.collection_id = d.collection_id AND e.document_id = d.id)
    UNION ALL
    SELECT ${pastColumns} FROM (SELECT e.collection_id, e.document_id, min(e.id) AS id FROM events e
      WHERE ${later} AND e.document_id IS NOT NULL GROUP BY e.collection_id, e.document_id) AS first
    JOIN events e ON e.database_id = ${Number(moment.databaseId)} AND e.id = first.id
    WHERE e.type <> 'post'`;
}

const laterThan = ({ databaseId, eventId }: Moment) =>
  `e.database_id = ${Number(databaseId)} AND e.id > ${Number(eventId)}`;

const documentColumns =
  'd.collection_id, d.id, d.body, d.data, d.version, d.created_at, d.changed_at, d.created_by, d.changed_by';

const metafieldNames = `'{_id,_created,_changed,_createdby,_changedby,_version}'::text[]`;

/**
 * The text of a document's own fields, cut out of the whole text so that their order stays: `wholeDocument` (`document-text.ts`) puts `_id` before them and the other metafields behind. A json
 * value gives its parts as they were written, so the length of what stands behind is known.
 */
const pastBody = (() => {
  const names = ['_created', '_changed', '_createdby', '_changedby', '_version'];
  const parts = names.map((name) => `',"${name}":', (e.before -> '${name}')::text`);
  const behind = `length(concat(${parts.join(', ')}, '}'))`;
  const before = `(length(first.document_id) + ${'{"_id":""'.length})`;
  const fields = `substr(e.before::text, ${before} + 1, length(e.before::text) - ${before} - ${behind})`;
  return `('{' || substr(${fields}, 2) || '}')::json`;
})();

/** Of the first later event `e` of a document, as the columns of documents. */
const pastColumns = `first.collection_id, first.document_id AS id, ${pastBody} AS body, e.before::jsonb - ${metafieldNames} AS data,
    (e.before ->> '_version')::int AS version, (e.before ->> '_created')::timestamptz AS created_at,
    (e.before ->> '_changed')::timestamptz AS changed_at, e.before ->> '_createdby' AS created_by, e.before ->> '_changedby' AS changed_by`;
