/**
 * Takes away what a deleted database has left: its documents, its events, its users, and at last its row.
 *
 * 1. Before this begins, the deletion has begun (`deleting_at`, under the head's lock): no write commits any more, so nothing is added to what is here.
 * 2. At most `stepRows` rows go in one statement, with a pause between. Only rows of this database are locked, so writers of other databases wait for nothing.
 * 3. Cut off anywhere, it loses nothing: the next look, of whichever process, goes on with the rows that are left. How far it is stands in the database's row, counted in the
 *    statement that deletes.
 * 4. Of all processes one is at it: whoever has the advisory lock, which goes with its session.
 * 5. Indexes of its collections are dropped by the index builder, which finds them without a collection.
 */
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { auditStatement, systemDoer } from './audit-log.js';

export type DatabaseRemovalOptions = {
  /** `retentionPool`: sessions that may delete documents and events. */
  pool: SqlPool;
  /** Told of what failed and will be tried again. */
  onError: (error: unknown) => void;
  /** Between two looks. Default 1,000; with 0 only when `run` is called. */
  intervalMs?: number;
  /** Most rows of one statement. Default 5,000. */
  stepRows?: number;
  /** Between two statements. Default 20 ms. */
  pause?: () => Promise<void>;
};

export interface DatabaseRemoval {
  /** Looks now. Resolves with the names of the databases that are gone, or null when another process is at it; rejects when it is to be tried again. Two calls at once are one. */
  run(): Promise<string[] | null>;
  /** Ends after the step that is under way; the next process goes on from there. */
  close(): Promise<void>;
}

/** Any constant; an advisory lock belongs to one database of Postgres. */
const ADVISORY_LOCK = 7_249_114_004;

/** Few rows. */
const selectNext =
  'SELECT id, name, deletion FROM databases WHERE deleting_at IS NOT NULL ORDER BY deleting_at, id LIMIT 1';
/** Documents by the primary key (collection_id, id); ids of events are dense. */
const beginCount = `UPDATE databases SET deletion = json_build_object('deleted', 0, 'total',
    (SELECT count(*) FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.database_id = $1)
    + (SELECT head - oldest + 1 FROM log_heads WHERE database_id = $1))
  WHERE id = $1 AND deletion IS NULL`;
const selectCollections = 'SELECT id FROM collections WHERE database_id = $1 ORDER BY id';
const counted = `total AS (SELECT count(*) AS rows, max(id) AS last FROM gone),
    counted AS (UPDATE databases b SET deletion = jsonb_set(b.deletion, '{deleted}', to_jsonb((b.deletion->>'deleted')::bigint + total.rows))
      FROM total WHERE b.id = $1)
  SELECT rows, last FROM total`;
/** Along the primary key behind the id that was deleted last, so that no dead row is walked over. */
const deleteDocuments = {
  name: 'removal-documents',
  text: `WITH gone AS (DELETE FROM documents WHERE collection_id = $2 AND id = ANY(ARRAY(
      SELECT id FROM documents WHERE collection_id = $2 AND id > $3 ORDER BY id LIMIT $4)) RETURNING id), ${counted}`,
};
const deleteEvents = {
  name: 'removal-events',
  text: `WITH gone AS (DELETE FROM events WHERE database_id = $1 AND id = ANY(ARRAY(
      SELECT id FROM events WHERE database_id = $1 AND id > $2 ORDER BY id LIMIT $3)) RETURNING id), ${counted}`,
};
/** Sessions and resets go with the accounts. */
const besides = ['idempotency_keys', 'user_accounts', 'stream_tickets'] as const;
const deleteBesides = (table: (typeof besides)[number]) =>
  `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE database_id = $1 LIMIT $2))`;
const deleteRow = 'DELETE FROM databases WHERE id = $1 AND deleting_at IS NOT NULL';

type Doomed = { id: number; name: string; deletion: unknown };
type Step = { rows: number; last: string | number | null };

/** Looks at once, then at each interval, as long as it is not closed. */
export function createDatabaseRemoval(options: DatabaseRemovalOptions): DatabaseRemoval {
  const { pool, onError, intervalMs = 1_000, stepRows = 5_000 } = options;
  const pause = options.pause ?? (() => new Promise<void>((resolve) => setTimeout(resolve, 20)));
  let isClosed = false;
  let running: Promise<string[] | null> | null = null;
  let timer = intervalMs > 0 ? setTimeout(look, 0) : undefined;

  async function look(): Promise<void> {
    await run().catch((error: unknown) => isClosed || onError(error));
    if (!isClosed) timer = setTimeout(look, intervalMs);
  }

  function run(): Promise<string[] | null> {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  }

  async function work(): Promise<string[] | null> {
    if (isClosed || (await pool.query(selectNext)).rowCount === 0) return [];
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      const lock = 'SELECT pg_try_advisory_lock($1) AS "isOurs"';
      const { rows } = await client.query<{ isOurs: boolean }>(lock, [ADVISORY_LOCK]);
      if (rows[0]?.isOurs !== true) return null;
      const gone: string[] = [];
      for (let next = await nextOf(client); next !== undefined && !isClosed; next = await nextOf(client))
        if (await remove(client, next)) gone.push(next.name);
      await client.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCK]);
      return gone;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      // A session that failed may still hold the lock.
      client.release(failure);
    }
  }

  async function nextOf(client: SqlClient): Promise<Doomed | undefined> {
    return (await client.query<Doomed>(selectNext)).rows[0];
  }

  /** False when it was closed on the way. */
  async function remove(client: SqlClient, { id, name, deletion }: Doomed): Promise<boolean> {
    if (deletion === null) await client.query(beginCount, [id]);
    const collections = await client.query<{ id: number }>(selectCollections, [id]);
    for (const collection of collections.rows) {
      await inSteps('', async (after) => {
        const values = [id, collection.id, after, stepRows];
        return (await client.query<Step>({ ...deleteDocuments, values })).rows[0];
      });
    }
    await inSteps(
      0,
      async (after) => (await client.query<Step>({ ...deleteEvents, values: [id, after, stepRows] })).rows[0],
    );
    for (const table of besides) {
      await inSteps(0, async () => {
        const { rowCount } = await client.query(deleteBesides(table), [id, stepRows]);
        return { rows: rowCount ?? 0, last: 0 };
      });
    }
    if (isClosed) return false;
    await removeRow(client, id, name);
    return true;
  }

  /** Until a step finds fewer rows than it may take. */
  async function inSteps<T extends string | number>(
    first: T,
    step: (after: string | number) => Promise<Step | undefined>,
  ): Promise<void> {
    for (let after: string | number = first; !isClosed; ) {
      const { rows, last } = (await step(after)) ?? { rows: 0, last: null };
      if (rows < stepRows || last === null) return;
      after = last;
      await pause();
    }
  }

  /** Keys, roles, settings and the empty collections go with the row. */
  async function removeRow(client: SqlClient, id: number, name: string): Promise<void> {
    await client.query('BEGIN');
    await client.query(
      auditStatement(systemDoer, { action: 'database.deleted', database: name, subject: name, before: { name } }),
    );
    await client.query(deleteRow, [id]);
    await client.query('COMMIT');
  }

  return {
    run,
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await running?.catch(() => undefined);
    },
  };
}
