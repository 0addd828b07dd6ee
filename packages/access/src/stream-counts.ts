/**
 * How many streams are open with each key, on all processes together: each process says what it holds in a row of its own, and whoever asks adds up the rows that are not old. A
 * process that was killed is counted until its row is old. The table is unlogged: Postgres may empty it after a crash, for each process says it again.
 */
import { randomUUID } from 'node:crypto';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { isApiKeyId } from './api-key.js';

export interface StreamCounts {
  /** Key id → open streams; ids with none are missing. */
  read(keyIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
}

export type StreamCountReporterDeps = {
  pool: SqlPool;
  /** Open streams of this process by who holds them; those of users and admins are left out. */
  openStreams: () => ReadonlyMap<string, number>;
  onError: (error: unknown) => void;
};

export interface StreamCountReporter {
  /** Writes what changed since the last time, or that nothing did when that was long ago. */
  report(): Promise<void>;
  /** Reports every `intervalMs` until closed. */
  start(intervalMs?: number): void;
  /** Stops, and takes this process's row away. */
  close(): Promise<void>;
}

/** A row that is older counts no more. */
const GOOD_FOR_S = 20;
/** A row is written again after so many reports without a change. */
const AGAIN_AFTER = 5;
const REPORT_MS = 2_000;

/** A sequential scan: there is a row for each process. Its clock is Postgres's, so that those of the processes do not matter. */
const readCounts = `
  SELECT c.key AS id, sum(c.value::int)::int AS count
  FROM stream_counts s CROSS JOIN LATERAL jsonb_each_text(s.counts) c
  WHERE s.reported_at > now() - make_interval(secs => ${GOOD_FOR_S}) AND c.key = ANY ($1::text[])
  GROUP BY c.key`;
/** By the primary key. */
const writeCounts = {
  name: 'stream-counts-write',
  text: `INSERT INTO stream_counts (process_id, counts, reported_at) VALUES ($1::uuid, $2::jsonb, now())
    ON CONFLICT (process_id) DO UPDATE SET counts = EXCLUDED.counts, reported_at = now()`,
};

/** Reads what the processes said. */
export function createStreamCounts(pool: SqlPool): StreamCounts {
  return {
    async read(keyIds) {
      if (keyIds.length === 0) return new Map();
      const { rows } = await pool.query<{ id: string; count: number }>(readCounts, [keyIds]);
      return new Map(rows.map(({ id, count }) => [id, count]));
    },
  };
}

/** Says what this process holds. A process without a stream has no row. */
export function createStreamCountReporter({
  pool,
  openStreams,
  onError,
}: StreamCountReporterDeps): StreamCountReporter {
  const processId = randomUUID();
  const none = '{}';
  let said = none;
  let unchanged = 0;
  let timer: NodeJS.Timeout | undefined;
  let isBusy = false;

  async function remove(): Promise<void> {
    await pool.query('DELETE FROM stream_counts WHERE process_id = $1::uuid', [processId]);
  }

  async function report(): Promise<void> {
    const counts = JSON.stringify(Object.fromEntries([...openStreams()].filter(([holder]) => isApiKeyId(holder))));
    unchanged = counts === said ? unchanged + 1 : 0;
    if (counts === said && (counts === none || unchanged < AGAIN_AFTER)) return;
    if (counts === none) await remove();
    else await pool.query({ ...writeCounts, values: [processId, counts] });
    said = counts;
    unchanged = 0;
  }

  return {
    report,
    start(intervalMs = REPORT_MS) {
      // What killed processes left behind.
      pool.query("DELETE FROM stream_counts WHERE reported_at < now() - interval '1 hour'").catch(onError);
      timer ??= setInterval(() => {
        if (isBusy) return;
        isBusy = true;
        report()
          .catch(onError)
          .finally(() => {
            isBusy = false;
          });
      }, intervalMs).unref();
    },
    async close() {
      clearInterval(timer);
      timer = undefined;
      if (said !== none) await remove();
      said = none;
    },
  };
}
