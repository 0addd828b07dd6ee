/**
 * What Postgres holds in the end, read past the server with plain SQL, a part at a time: of documents and payloads only fingerprints are kept.
 *
 * @typedef {{ id: number, type: string, collection: string | null, documentId: string | null, name: string | null, marker: string | undefined, operationId: string, payload: number, before: number | null, after: number | null, row: import('./live-query-model.mjs').Row | null }} LoggedEvent
 *   `payload`: what restdb.io's typed stream must show of it. `before`, `after`: the documents, with all fields. `row`: what streams of queries show of
 *   the document after it.
 * @typedef {{ collection: string, id: string, own: number, version: number, agrees: boolean }} StoredDocument `own`: of the fields that are not the server's
 * @typedef {{ head: number, oldest: number, events: LoggedEvent[], documents: StoredDocument[], folded: Map<number, { own: number, version: number }> }} Truth
 *   `folded`: for the fingerprint of a document after an event, what a read of it must give
 */
import { createSqlPool } from '@tidewire/db/sql-pool';
import { fingerprintOfJson } from './fingerprint.mjs';

const metafields = new Set([
  '_id',
  '_created',
  '_changed',
  '_createdby',
  '_changedby',
  '_version',
  '_keywords',
  '_tags',
]);
const eventsAtOnce = 2_000;

/** @template T @param {import('@tidewire/db/sql-pool').PostgresAddress} address @param {(pool: import('@tidewire/db/sql-pool').SqlPool) => Promise<T>} use @returns {Promise<T>} */
async function withPostgres(address, use) {
  const pool = createSqlPool(address, { max: 1, onError: () => undefined });
  try {
    return await use(pool);
  } finally {
    await pool.end();
  }
}

/** The newest event's number. @returns {Promise<number>} */
export function readHead(address) {
  return withPostgres(
    address,
    async (pool) => (await pool.query('SELECT max(head) AS head FROM log_heads')).rows[0].head,
  );
}

/** In one snapshot. There is one database. @param {import('@tidewire/db/sql-pool').PostgresAddress} address @returns {Promise<Truth>} */
export function readTruth(address) {
  return withPostgres(address, async (pool) => {
    await pool.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const heads = await pool.query('SELECT head, oldest FROM log_heads');
    const folded = new Map();
    const events = [];
    for (let last = 0; ; last = events.at(-1).id) {
      const { rows } = await pool.query(
        `SELECT id, type, collection, document_id AS "documentId", before, after, name, data, operation_id AS "operationId"
        FROM events WHERE id > $1 ORDER BY id LIMIT ${eventsAtOnce}`,
        [last],
      );
      if (rows.length === 0) break;
      for (const row of rows) events.push(shorten(row, folded));
    }
    const documents =
      await pool.query(`SELECT c.name AS collection, d.id, d.body, d.data = d.body::jsonb AS agrees, d.version
      FROM documents d JOIN collections c ON c.id = d.collection_id ORDER BY c.name, d.id`);
    await pool.query('COMMIT');
    return {
      ...heads.rows[0],
      events,
      documents: documents.rows.map(({ body, ...document }) => ({ ...document, own: fingerprintOfJson(body) })),
      folded,
    };
  });
}

function shorten(event, folded) {
  const { id, type, collection, documentId, before, after, name, data, operationId } = event;
  const own = after === null ? null : ownFields(after);
  const short = {
    ...{ id, type, collection, documentId, name, operationId },
    marker: type === 'delete' ? undefined : type === 'publish' ? data?.marker : after?.marker,
    payload: fingerprintOfJson([type, payloadOf(event)]),
    before: before === null ? null : fingerprintOfJson(before),
    after: after === null ? null : fingerprintOfJson(after),
    row:
      own === null
        ? null
        : { id: documentId, value: own.value, by: own.by, fingerprint: fingerprintOfJson({ _id: documentId, ...own }) },
  };
  if (own !== null) folded.set(short.after, { own: fingerprintOfJson(own), version: after._version });
  return short;
}

/** restdb.io's typed stream, written down once more. */
function payloadOf({ type, collection, documentId, after, name, data }) {
  switch (type) {
    case 'post':
      return { event: type, collection, data: after };
    case 'put':
      return { event: type, collection, data: documentId };
    case 'delete':
      return { event: type, collection, data: [documentId] };
    default:
      return { event: name, data };
  }
}

function ownFields(document) {
  return Object.fromEntries(Object.entries(document).filter(([name]) => !metafields.has(name)));
}
