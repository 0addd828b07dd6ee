/** The statements of the commit lane. All run in sessions with `tidewire.lane = on`. */
import type { SqlClient } from '@tidewire/db/sql-pool';
import type { Selection, StoredDocument } from './document-writes.js';
import type { CounterValue } from './lane-counters.js';
import { type LanePlan, operationLimitChars, type StoredAnswer } from './lane-plan.js';

/** Row lock on the head of the database: serialises its commits across all processes. */
const lockHead = {
  name: 'lane-lock-head',
  text: 'SELECT head, config_version AS "configVersion" FROM log_heads WHERE database_id = $1 FOR UPDATE',
};

/** By the primary key of documents. No lock: the head's lock keeps every other writer out. */
const readDocuments = {
  name: 'lane-read-documents',
  text: `SELECT d.collection_id AS "collectionId", d.id, d.body::text AS body, d.version,
      d.created_at AS "createdAt", d.changed_at AS "changedAt", d.created_by AS "createdBy", d.changed_by AS "changedBy"
    FROM unnest($1::int[], $2::text[]) AS wanted(collection_id, id)
    JOIN documents d ON d.collection_id = wanted.collection_id AND d.id = wanted.id`,
};

const selectedColumns = `d.id, d.body::text AS body, d.version, d.created_at AS "createdAt", d.changed_at AS "changedAt",
      d.created_by AS "createdBy", d.changed_by AS "changedBy"`;

/** By the primary key (database_id, actor, key). Under the head's lock, so whoever had the key before has committed. */
const readAnswers = {
  name: 'lane-read-answers',
  text: `SELECT k.actor, k.key, k.fingerprint, k.status, k.body, k.event_id AS "eventId", k.etag, k.document_id AS "documentId"
    FROM unnest($2::text[], $3::text[]) AS wanted(actor, key)
    JOIN idempotency_keys k ON k.database_id = $1 AND k.actor = wanted.actor AND k.key = wanted.key
    WHERE k.created_at > $4::timestamptz`,
};

/** An answer that is no longer good is replaced. */
const writeAnswers = {
  name: 'lane-write-answers',
  text: `INSERT INTO idempotency_keys (database_id, actor, key, fingerprint, status, body, event_id, etag, document_id, created_at)
    SELECT $1, w.actor, w.key, w.fingerprint, w.status, w.body, w.event_id, w.etag, w.document_id, $2::timestamptz
    FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::bigint[], $9::text[], $10::text[])
      AS w(actor, key, fingerprint, status, body, event_id, etag, document_id)
    ON CONFLICT (database_id, actor, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
      body = excluded.body, event_id = excluded.event_id, etag = excluded.etag, document_id = excluded.document_id,
      created_at = excluded.created_at`,
};

const documentColumns = 'collection_id, id, body, data, version, created_at, changed_at, created_by, changed_by';

/**
 * A list of JSON texts travels as one text: JSON never holds the record separator (U+001E) unescaped, so nothing has to be quoted
 * on one side and unquoted on the other, as in an array of texts. An empty text stands for null.
 */
const jsonTexts = (parameter: number) => `string_to_array($${parameter}::text, chr(30), '')`;

const insertEvents = (
  from: string,
) => `INSERT INTO events (database_id, id, type, collection_id, collection, document_id,
        before, after, name, data, actor, operation_id, at)
      SELECT $1, e.id, e.type::event_type, e.collection_id, e.collection, e.document_id,
        e.before::json, e.after::json, e.name, e.data::json, e.actor, e.operation_id::uuid, e.at::timestamptz
      FROM ${from}`;

/**
 * The short way for batches of new documents and custom events: one statement, one round trip, committed by itself. It writes only
 * if the database's configuration is still the one that the batch was planned with (PostgreSQL evaluates the condition again on the
 * row's newest version after it waited for the lock); else it returns no row and nothing was written. `$3` events take their place
 * behind the head, in the order of the lists. All are of the time `$4`.
 */
const appendNew = {
  name: 'lane-append-new',
  text: `WITH head AS (
      UPDATE log_heads SET head = head + $3 WHERE database_id = $1 AND config_version = $2 RETURNING head - $3 AS base
    ), documents_written AS (
      INSERT INTO documents (${documentColumns})
      SELECT w.collection_id, w.id, w.body::json, w.body::jsonb, 0, $4::timestamptz, $4::timestamptz, w.author, w.author
      FROM head, unnest($5::int[], $6::text[], ${jsonTexts(7)}, $8::text[]) AS w(collection_id, id, body, author)
    ), events_written AS (
      ${insertEvents(`head, LATERAL (SELECT head.base + n AS id, type, collection_id, collection, document_id, NULL::text AS before,
        after, name, data, actor, operation_id, $4 AS at FROM unnest($9::text[], $10::int[], $11::text[], $12::text[], ${jsonTexts(13)},
        $14::text[], ${jsonTexts(15)}, $16::text[], $17::text[]) WITH ORDINALITY
        AS u(type, collection_id, collection, document_id, after, name, data, actor, operation_id, n)) AS e`)}
    )
    SELECT base FROM head`,
};

/** The general way: the net changes of the batch, its events, and the new head, under the lock that is already held. */
const writeBatch = {
  name: 'lane-write-batch',
  text: `WITH inserted AS (
      INSERT INTO documents (${documentColumns})
      SELECT w.collection_id, w.id, w.body::json, w.body::jsonb, w.version, w.created_at, w.changed_at, w.created_by, w.changed_by
      FROM unnest($3::int[], $4::text[], ${jsonTexts(5)}, $6::int[], $7::timestamptz[], $8::timestamptz[], $9::text[], $10::text[])
        AS w(collection_id, id, body, version, created_at, changed_at, created_by, changed_by)
    ), updated AS (
      UPDATE documents d SET body = w.body::json, data = w.body::jsonb, version = w.version, changed_at = w.changed_at,
        changed_by = w.changed_by
      FROM unnest($11::int[], $12::text[], ${jsonTexts(13)}, $14::int[], $15::timestamptz[], $16::text[])
        AS w(collection_id, id, body, version, changed_at, changed_by)
      WHERE d.collection_id = w.collection_id AND d.id = w.id
    ), deleted AS (
      DELETE FROM documents d USING unnest($17::int[], $18::text[]) AS w(collection_id, id)
      WHERE d.collection_id = w.collection_id AND d.id = w.id
    ), events_written AS (
      ${insertEvents(`unnest($19::bigint[], $20::text[], $21::int[], $22::text[], $23::text[], ${jsonTexts(24)}, ${jsonTexts(25)},
        $26::text[], ${jsonTexts(27)}, $28::text[], $29::text[], $30::text[])
        AS e(id, type, collection_id, collection, document_id, before, after, name, data, actor, operation_id, at)`)}
    )
    UPDATE log_heads SET head = $2 WHERE database_id = $1`,
};

const createCollection = {
  name: 'lane-create-collection',
  text: `INSERT INTO collections (database_id, name) SELECT $1, unnest($2::text[]) ON CONFLICT (database_id, name) DO NOTHING`,
};
const raiseConfigVersion = {
  name: 'lane-raise-config-version',
  text: 'UPDATE log_heads SET config_version = config_version + 1 WHERE database_id = $1 RETURNING config_version AS "configVersion"',
};
const readCollections = {
  name: 'lane-read-collections',
  text: 'SELECT name, id FROM collections WHERE database_id = $1 AND name = ANY($2::text[])',
};

/** By the primary key (collection_id, field). No lock: the head's lock keeps every other writer out. */
const readCounters = {
  name: 'lane-read-counters',
  text: `SELECT collection_id AS "collectionId", field, value FROM collection_counters WHERE collection_id = ANY($1::int[])`,
};

const writeCounters = {
  name: 'lane-write-counters',
  text: `INSERT INTO collection_counters (collection_id, field, value)
    SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[])
    ON CONFLICT (collection_id, field) DO UPDATE SET value = excluded.value`,
};

/** Was this operation committed? Its first event, among those behind a head that is known to be older. By the primary key's range. */
const findOperation = {
  name: 'lane-find-operation',
  text: 'SELECT min(id) AS first FROM events WHERE database_id = $1 AND id > $2 AND operation_id = $3::uuid',
};

export type HeadRow = { head: number; configVersion: number };

export async function selectHeadForUpdate(client: SqlClient, databaseId: number): Promise<HeadRow | undefined> {
  const { rows } = await client.query<HeadRow>({ ...lockHead, values: [databaseId] });
  return rows[0];
}

type DocumentRow = Omit<StoredDocument, 'createdAt' | 'changedAt'> & {
  collectionId: number;
  createdAt: Date;
  changedAt: Date;
};

export async function selectDocuments(
  client: SqlClient,
  wanted: readonly { collectionId: number; id: string }[],
): Promise<{ collectionId: number; document: StoredDocument }[]> {
  const values = [wanted.map((one) => one.collectionId), wanted.map((one) => one.id)];
  const { rows } = await client.query<DocumentRow>({ ...readDocuments, values });
  return rows.map(({ collectionId, createdAt, changedAt, ...row }) => ({
    collectionId,
    document: { ...row, createdAt: createdAt.toISOString(), changedAt: changedAt.toISOString() },
  }));
}

/** How long the condition of a selection may hold up the other writers of the database. */
export const selectionTimeoutMs = 5_000;

/** Why a selection was not carried out. */
export type SelectionRefusal = 'too many' | 'too large';

/**
 * The documents of a collection that meet a condition, in the order of their ids. The head's lock keeps every other writer out, so the two
 * statements see the same. Counted before anything is read: at most `limit` documents of `operationLimitChars` in all. Walks the collection's part of the
 * primary key unless the condition has an index. Throws Postgres's 57014 when it takes too long.
 */
export async function selectMatching(
  client: SqlClient,
  collectionId: number,
  { condition, limit }: Selection,
): Promise<StoredDocument[] | SelectionRefusal> {
  const { text, values } = condition(collectionId);
  const from = `FROM documents d WHERE d.collection_id = $1 AND (${text})`;
  await client.query(`SET LOCAL statement_timeout = ${selectionTimeoutMs}`);
  const counted = await client.query<{ count: number; size: number }>(
    `SELECT count(*) AS count, coalesce(sum(m.size), 0)::bigint AS size
      FROM (SELECT length(d.body::text) AS size ${from} LIMIT ${limit + 1}) AS m`,
    [...values],
  );
  const { count = 0, size = 0 } = counted.rows[0] ?? {};
  if (count > limit) return 'too many';
  if (size > operationLimitChars) return 'too large';
  const { rows } = await client.query<Omit<DocumentRow, 'collectionId'>>(
    `SELECT ${selectedColumns} ${from} ORDER BY d.id`,
    [...values],
  );
  await client.query('SET LOCAL statement_timeout = DEFAULT');
  return rows.map(({ createdAt, changedAt, ...row }) => ({
    ...row,
    createdAt: createdAt.toISOString(),
    changedAt: changedAt.toISOString(),
  }));
}

type AnswerRow = Omit<StoredAnswer, 'answer'> & {
  status: number;
  body: string;
  eventId: number | null;
  etag: string | null;
  documentId: string | null;
};

/** The answers of these keys that were stored after `since` (ISO 8601). */
export async function selectAnswers(
  client: SqlClient,
  databaseId: number,
  wanted: readonly { actor: string; key: string }[],
  since: string,
): Promise<StoredAnswer[]> {
  const values = [databaseId, wanted.map(({ actor }) => actor), wanted.map(({ key }) => key), since];
  const { rows } = await client.query<AnswerRow>({ ...readAnswers, values });
  return rows.map(({ actor, key, fingerprint, status, body, eventId, etag, documentId }) => ({
    actor,
    key,
    fingerprint,
    answer: { status, text: body, eventId, etag, documentId },
  }));
}

export async function insertAnswers(
  client: SqlClient,
  databaseId: number,
  answers: readonly StoredAnswer[],
  at: string,
): Promise<void> {
  const values = [
    databaseId,
    at,
    answers.map(({ actor }) => actor),
    answers.map(({ key }) => key),
    answers.map(({ fingerprint }) => fingerprint),
    answers.map(({ answer }) => answer.status),
    answers.map(({ answer }) => answer.text),
    answers.map(({ answer }) => answer.eventId),
    answers.map(({ answer }) => answer.etag),
    answers.map(({ answer }) => answer.documentId),
  ];
  await client.query({ ...writeAnswers, values });
}

/** The form that `jsonTexts` reads. */
function joinJson(texts: readonly (string | null)[]): string {
  return texts.map((text) => text ?? '').join('\u001e');
}

/** Returns the head before the batch, or null when the configuration has changed and nothing was written. The plan only creates. */
export async function insertNew(
  client: SqlClient,
  databaseId: number,
  configVersion: number,
  { events, changes }: LanePlan,
): Promise<number | null> {
  const values = [
    databaseId,
    configVersion,
    events.length,
    events[0]?.at,
    changes.map((change) => change.collectionId),
    changes.map(({ document }) => document.id),
    joinJson(changes.map(({ document }) => document.body)),
    changes.map(({ document }) => document.createdBy),
    events.map((event) => event.type),
    events.map((event) => event.collectionId),
    events.map((event) => event.collection),
    events.map((event) => event.documentId),
    joinJson(events.map((event) => event.after)),
    events.map((event) => event.name),
    joinJson(events.map((event) => event.data)),
    events.map((event) => event.actor),
    events.map((event) => event.operationId),
  ];
  const { rows } = await client.query<{ base: number }>({ ...appendNew, values });
  return rows[0]?.base ?? null;
}

export async function insertBatch(client: SqlClient, databaseId: number, base: number, plan: LanePlan): Promise<void> {
  const inserted = plan.changes.filter((change) => change.kind === 'insert');
  const updated = plan.changes.filter((change) => change.kind === 'update');
  const deleted = plan.changes.filter((change) => change.kind === 'delete');
  const { events } = plan;
  await client.query({
    ...writeBatch,
    values: [
      databaseId,
      base + events.length,
      inserted.map((change) => change.collectionId),
      inserted.map(({ document }) => document.id),
      joinJson(inserted.map(({ document }) => document.body)),
      inserted.map(({ document }) => document.version),
      inserted.map(({ document }) => document.createdAt),
      inserted.map(({ document }) => document.changedAt),
      inserted.map(({ document }) => document.createdBy),
      inserted.map(({ document }) => document.changedBy),
      updated.map((change) => change.collectionId),
      updated.map(({ document }) => document.id),
      joinJson(updated.map(({ document }) => document.body)),
      updated.map(({ document }) => document.version),
      updated.map(({ document }) => document.changedAt),
      updated.map(({ document }) => document.changedBy),
      deleted.map((change) => change.collectionId),
      deleted.map(({ document }) => document.id),
      events.map((event) => event.id),
      events.map((event) => event.type),
      events.map((event) => event.collectionId),
      events.map((event) => event.collection),
      events.map((event) => event.documentId),
      joinJson(events.map((event) => event.before)),
      joinJson(events.map((event) => event.after)),
      events.map((event) => event.name),
      joinJson(events.map((event) => event.data)),
      events.map((event) => event.actor),
      events.map((event) => event.operationId),
      events.map((event) => event.at),
    ],
  });
}

/** Creates the collections that do not exist yet, under the head's lock; returns the raised configuration version. */
export async function insertCollections(
  client: SqlClient,
  databaseId: number,
  names: readonly string[],
): Promise<number> {
  await client.query({ ...createCollection, values: [databaseId, names] });
  return raiseVersion(client, databaseId);
}

/** Raises the configuration version of the database, under the head's lock, and returns it. */
export async function raiseVersion(client: SqlClient, databaseId: number): Promise<number> {
  const { rows } = await client.query<{ configVersion: number }>({ ...raiseConfigVersion, values: [databaseId] });
  const row = rows[0];
  if (row === undefined) throw new Error(`database ${databaseId} has no head row`);
  return row.configVersion;
}

export async function selectCollections(
  client: SqlClient,
  databaseId: number,
  names: readonly string[],
): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; id: number }>({
    ...readCollections,
    values: [databaseId, names],
  });
  return new Map(rows.map(({ name, id }) => [name, id]));
}

/** The last numbers of the collections' counters; those that were never used are missing. */
export async function selectCounters(client: SqlClient, collectionIds: readonly number[]): Promise<CounterValue[]> {
  const { rows } = await client.query<CounterValue>({ ...readCounters, values: [collectionIds] });
  return rows;
}

/** Stores last numbers, in the transaction of the documents that they were given to. */
export async function storeCounters(client: SqlClient, counters: readonly CounterValue[]): Promise<void> {
  const values = [
    counters.map(({ collectionId }) => collectionId),
    counters.map(({ field }) => field),
    counters.map(({ value }) => value),
  ];
  await client.query({ ...writeCounters, values });
}

/** The first event id of a committed operation, or null when it is not in the log behind `after`. */
export async function selectFirstEvent(
  client: SqlClient,
  databaseId: number,
  after: number,
  operationId: string,
): Promise<number | null> {
  const { rows } = await client.query<{ first: number | null }>({
    ...findOperation,
    values: [databaseId, after, operationId],
  });
  return rows[0]?.first ?? null;
}
