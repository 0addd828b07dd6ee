/**
 * The way of reads whose cost the caller decides: filtered, sorted, counted, aggregated. Each runs in a transaction of its own, which Postgres stops when it takes
 * too long, and only so many at a time, so that they never take all connections from the reads by id, the plain pages and the writes.
 */
import { codeOf } from '@tidewire/db/postgres-errors';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';
import { Problem } from '@tidewire/protocol/problem';
import pg from 'pg';

export type ReadGateOptions = {
  /** How long one statement may take. Default 2,000. */
  statementTimeoutMs?: number;
  /** How many run at a time. Default: half of the pool's connections. */
  concurrency?: number;
  /** How many wait. Default 100. */
  queueLimit?: number;
  /** How long one waits for its turn. Default 5,000. */
  waitMs?: number;
};

/**
 * Runs the work in a read-only transaction on one snapshot. Throws `query_too_slow` when a statement took too long, `bad_request` when Postgres cannot evaluate it for
 * these documents, `unavailable` when its turn did not come.
 */
export type ReadGate = <T>(work: (client: SqlClient) => Promise<T>) => Promise<T>;

export function createReadGate(pool: SqlPool, options: ReadGateOptions = {}): ReadGate {
  const { statementTimeoutMs = 2_000, queueLimit = 100, waitMs = 5_000 } = options;
  const concurrency = options.concurrency ?? Math.max(1, Math.floor(pool.options.max / 2));
  const waiting = new Set<() => void>();
  let running = 0;

  async function enter(): Promise<void> {
    if (running < concurrency) {
      running += 1;
      return;
    }
    if (waiting.size >= queueLimit) throw crowded();
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(start);
        reject(crowded());
      }, waitMs);
      const start = () => {
        clearTimeout(timer);
        resolve();
      };
      waiting.add(start);
    });
  }

  /** Hands the place on to the one who has waited longest. */
  function leave(): void {
    const [next] = waiting;
    if (next === undefined) running -= 1;
    else {
      waiting.delete(next);
      next();
    }
  }

  return async (work) => {
    await enter();
    try {
      return await inTransaction(pool, statementTimeoutMs, work);
    } catch (error) {
      throw translate(error, statementTimeoutMs);
    } finally {
      leave();
    }
  };
}

/** Compiling a filter's expressions costs more than most reads, and helpers of one read would take the processors from all others. */
const begin = (timeoutMs: number) => `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
  SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL jit = off; SET LOCAL max_parallel_workers_per_gather = 0`;

async function inTransaction<T>(pool: SqlPool, timeoutMs: number, work: (client: SqlClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query(begin(timeoutMs));
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // Postgres's own refusal ends the statement; after any other error it may still be sending, and only closing makes it stop.
    const isOver = error instanceof pg.DatabaseError && (await client.query('ROLLBACK').then(yes, no));
    client.release(!isOver);
    throw error;
  }
}

const yes = () => true;
const no = () => false;

function translate(error: unknown, timeoutMs: number): unknown {
  const code = codeOf(error);
  if (code === '57014') {
    return new Problem(
      'query_too_slow',
      `The query took longer than ${timeoutMs / 1_000} s and was stopped. Narrow it by a condition on fewer documents, or leave out totals and sort.`,
      { cause: error },
    );
  }
  if (code.startsWith('22') || code.startsWith('54')) {
    return new Problem(
      'bad_request',
      'The query cannot be evaluated: a value in it cannot be stored, or it is too large.',
      {
        cause: error,
      },
    );
  }
  return error;
}

function crowded(): Problem {
  return new Problem('unavailable', 'Too many queries run at this moment. Try again shortly.', {
    headers: { 'Retry-After': '1' },
  });
}
