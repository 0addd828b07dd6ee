/**
 * Retention: counts the event logs and cuts them to what the settings of their databases keep (`log.keepDays`, `log.keepBytes`, `log.keepEvents`).
 *
 * 1. First `oldest` moves, in a statement of its own. From then on whoever is behind it is answered with `reset`; only then do the rows below it go, at most `stepRows` at a time,
 *    with a pause between.
 * 2. A writer waits for nothing but that one statement on the head's row, whose commit does not wait for the disk.
 * 3. Cut off anywhere, it loses nothing: the next round begins with the rows below `oldest`, and rows leave the count in the statement that deletes them.
 * 4. Of all processes one is at it: whoever has the advisory lock, which goes with its session, and all statements run in that session.
 * 5. Events younger than `youngestMs` stay. The commit lane looks there for a batch whose commit is in doubt, for as long as an operation may wait (10 s), and clocks differ.
 */
import { kindOfFailure } from '@tidewire/db/postgres-errors';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { type DatabaseSettings, databaseSettingsSchema } from '@tidewire/protocol/settings';
import { cutOf, type SizedEvent } from './retention-cut.js';

export type LogRetentionOptions = {
  /** `retentionPool`: a session that may delete events. */
  pool: SqlPool;
  /** Told of what failed and will be tried again. */
  onError: (error: unknown) => void;
  /** Between two rounds. Default 60,000. */
  intervalMs?: number;
  /** Most rows of one deletion. Default 5,000. */
  stepRows?: number;
  /** What is younger stays, whatever the settings say. Default 60,000. */
  youngestMs?: number;
  /** Milliseconds since the epoch. */
  now?: () => number;
  /** Between two deletions. Default: 20 ms. */
  pause?: () => Promise<void>;
};

export interface LogRetention {
  /** A round over all logs, now. Resolves with the number of deleted events, or null when another process is at it; rejects when there is no Postgres. Two calls at once are one. */
  run(): Promise<number | null>;
  /** Ends after the step that is under way; the next round goes on from there. */
  close(): Promise<void>;
}

/** Any constant; an advisory lock belongs to one database of Postgres. */
const ADVISORY_LOCK = 7_249_114_003;
/** Rows that are counted at a time. */
const COUNT_ROWS = 20_000;

/**
 * What an event takes on disk: its JSON as it is stored (compressed or not; nothing is unpacked for it), and for all else of the row and its places in the indexes what was
 * measured with short names (about 320 bytes).
 */
const rowBytes = `320 + coalesce(pg_column_size(before), 0) + coalesce(pg_column_size(after), 0) + coalesce(pg_column_size(data), 0)`;

const selectLogs = `SELECT d.id, d.settings, h.head, h.oldest, coalesce(s.counted_to, 0) AS "countedTo", coalesce(s.bytes, 0) AS bytes
  FROM databases d JOIN log_heads h ON h.database_id = d.id LEFT JOIN log_sizes s ON s.database_id = d.id ORDER BY d.id`;

/** Along the primary key (database_id, id). Ids are committed in their order, so what is seen is seen without a hole. */
const countStep = {
  name: 'retention-count',
  text: `SELECT max(id) AS last, sum(bytes)::bigint AS bytes FROM (
    SELECT id, ${rowBytes} AS bytes FROM events WHERE database_id = $1 AND id > $2 ORDER BY id LIMIT ${COUNT_ROWS}) AS step`,
};
const addToCount = {
  name: 'retention-add',
  text: `INSERT INTO log_sizes (database_id, counted_to, bytes) VALUES ($1, $2, $3)
    ON CONFLICT (database_id) DO UPDATE SET counted_to = excluded.counted_to, bytes = log_sizes.bytes + excluded.bytes`,
};
/** Ordered by id, along the primary key from the oldest on, so that no dead entry of a deleted event is walked over. */
const selectOldest = {
  name: 'retention-oldest',
  text: `SELECT id, (extract(epoch FROM at) * 1000)::float8 AS at, ${rowBytes} AS bytes FROM events
    WHERE database_id = $1 AND id >= $2 AND id <= $3 ORDER BY id LIMIT $4`,
};
/** Locks the head's row for this one statement. */
const moveOldest = {
  name: 'retention-move-oldest',
  text: 'UPDATE log_heads SET oldest = $2 WHERE database_id = $1 AND oldest < $2',
};
const selectBelow = {
  name: 'retention-below',
  text: 'SELECT id FROM events WHERE database_id = $1 AND id < $2 ORDER BY id LIMIT 1',
};
/** Deletes and counts in one statement, so both hold or none. Locks rows that no writer looks at. */
const deleteStep = {
  name: 'retention-delete',
  text: `WITH gone AS (
      DELETE FROM events WHERE database_id = $1 AND id >= $2 AND id < $3 RETURNING ${rowBytes} AS bytes
    ), total AS (SELECT count(*) AS events, coalesce(sum(bytes), 0)::bigint AS bytes FROM gone
    ), counted AS (UPDATE log_sizes SET bytes = greatest(0, log_sizes.bytes - total.bytes) FROM total WHERE database_id = $1)
    SELECT events, bytes FROM total`,
};

type Log = { id: number; settings: unknown; head: number; oldest: number; countedTo: number; bytes: number };

/** Begins with a round at once, then one at each interval, as long as it is not closed. With `intervalMs` 0 only when `run` is called. */
export function createLogRetention(options: LogRetentionOptions): LogRetention {
  const { pool, onError, intervalMs = 60_000, stepRows = 5_000, youngestMs = 60_000, now = Date.now } = options;
  const pause = options.pause ?? (() => new Promise<void>((resolve) => setTimeout(resolve, 20)));
  let isClosed = false;
  let running: Promise<number | null> | null = null;
  let timer = intervalMs > 0 ? setTimeout(look, 0) : undefined;

  async function look(): Promise<void> {
    await run().catch((error: unknown) => isClosed || onError(error));
    if (!isClosed) timer = setTimeout(look, intervalMs);
  }

  function run(): Promise<number | null> {
    running ??= work().finally(() => {
      running = null;
    });
    return running;
  }

  async function work(): Promise<number | null> {
    if (isClosed) return null;
    const client = await pool.connect();
    let failure: Error | undefined;
    try {
      const { rows } = await client.query<{ isOurs: boolean }>('SELECT pg_try_advisory_lock($1) AS "isOurs"', [
        ADVISORY_LOCK,
      ]);
      if (rows[0]?.isOurs !== true) return null;
      let deleted = 0;
      for (const log of (await client.query<Log>(selectLogs)).rows) {
        if (!isClosed) deleted += await tend(client, log).catch(passOver);
      }
      await client.query('SELECT pg_advisory_unlock($1)', [ADVISORY_LOCK]);
      return deleted;
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      throw error;
    } finally {
      // A session that failed may still hold the lock.
      client.release(failure);
    }
  }

  /** What is wrong with one log is not the others' matter, as long as there is a session. */
  function passOver(error: unknown): number {
    if (kindOfFailure(error) === 'lost') throw error;
    onError(error);
    return 0;
  }

  /** Counts one log and cuts it. Returns how many events were deleted. */
  async function tend(client: SqlClient, log: Log): Promise<number> {
    await count(client, log);
    let deleted = await deleteBelow(client, log);
    const { keepDays, keepBytes, keepEvents } = keepOf(log.settings);
    if (keepDays === null && keepBytes === null && keepEvents === null) return deleted;
    while (!isClosed) {
      const values = [log.id, log.oldest, log.countedTo, stepRows];
      const { rows } = await client.query<SizedEvent>({ ...selectOldest, values });
      const keep = { keepDays, keepBytes, keepEvents };
      const cut = cutOf(rows, { head: log.head, bytes: log.bytes, keep }, { nowMs: now(), youngestMs });
      if (cut === null) break;
      await client.query({ ...moveOldest, values: [log.id, cut] });
      const from = log.oldest;
      log.oldest = cut;
      await pause();
      deleted += await deleteRange(client, log, from, cut);
      await pause();
    }
    return deleted;
  }

  async function count(client: SqlClient, log: Log): Promise<void> {
    while (!isClosed && log.countedTo < log.head) {
      type Step = { last: number | null; bytes: number | null };
      const { rows } = await client.query<Step>({ ...countStep, values: [log.id, log.countedTo] });
      const last = rows[0]?.last ?? null;
      if (last === null) return;
      const bytes = rows[0]?.bytes ?? 0;
      await client.query({ ...addToCount, values: [log.id, last, bytes] });
      log.countedTo = last;
      log.bytes += bytes;
    }
  }

  /** What a round that was cut off has left. */
  async function deleteBelow(client: SqlClient, log: Log): Promise<number> {
    let deleted = 0;
    while (!isClosed) {
      const { rows } = await client.query<{ id: number }>({ ...selectBelow, values: [log.id, log.oldest] });
      const first = rows[0]?.id;
      if (first === undefined) break;
      deleted += await deleteRange(client, log, first, Math.min(first + stepRows, log.oldest));
      await pause();
    }
    return deleted;
  }

  async function deleteRange(client: SqlClient, log: Log, from: number, below: number): Promise<number> {
    const { rows } = await client.query<{ events: number; bytes: number }>({
      ...deleteStep,
      values: [log.id, from, below],
    });
    const { events, bytes } = rows[0] ?? { events: 0, bytes: 0 };
    log.bytes = Math.max(0, log.bytes - bytes);
    return events;
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

function keepOf(settings: unknown): DatabaseSettings['log'] {
  return databaseSettingsSchema.parse(settings).log;
}
