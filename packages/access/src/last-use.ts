/** Notes when keys were last used: in memory on the way of a request, in Postgres once a minute. */
import type { SqlPool } from '@tidewire/db/sql-pool';

export interface LastUseRecorder {
  /** Notes a use; one map write. */
  touch(keyId: string): void;
  /** Writes what was noted since the last time; what could not be written is kept for the next time, and the error is thrown. */
  flush(): Promise<void>;
  /** Flushes every `intervalMs` until closed. */
  start(intervalMs?: number): void;
  /** Stops the timer and flushes a last time. */
  close(): Promise<void>;
}

export type LastUseDeps = { pool: SqlPool; now: () => number; onError: (error: unknown) => void };

const MINUTE_MS = 60_000;

/** Rows are locked in the order of ids, so that two processes that flush at once cannot block each other for ever. */
const updateLastUse = `
  UPDATE api_keys k SET last_used_at = u.at
  FROM (
    SELECT k.id, u.at FROM unnest($1::text[], $2::float8[]) AS t(id, ms)
      CROSS JOIN LATERAL (SELECT to_timestamp(t.ms / 1000.0) AS at) u
      JOIN api_keys k ON k.id = t.id AND (k.last_used_at IS NULL OR k.last_used_at < u.at)
    ORDER BY k.id FOR UPDATE OF k
  ) u
  WHERE k.id = u.id`;

export function createLastUseRecorder({ pool, now, onError }: LastUseDeps): LastUseRecorder {
  let noted = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;

  async function flush(): Promise<void> {
    if (noted.size === 0) return;
    const uses = noted;
    noted = new Map();
    try {
      await pool.query(updateLastUse, [[...uses.keys()], [...uses.values()]]);
    } catch (error) {
      for (const [keyId, at] of uses) if (!noted.has(keyId)) noted.set(keyId, at);
      throw error;
    }
  }

  return {
    touch: (keyId) => void noted.set(keyId, now()),
    flush,
    start(intervalMs = MINUTE_MS) {
      timer ??= setInterval(() => flush().catch(onError), intervalMs).unref();
    },
    async close() {
      clearInterval(timer);
      timer = undefined;
      await flush();
    },
  };
}
