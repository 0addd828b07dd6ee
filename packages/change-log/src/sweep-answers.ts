/** Removes the answers whose idempotency keys are over. The lane itself looks at the time, so it does not matter when this runs. */
import type { SqlPool } from '@tidewire/db/sql-pool';
import { answersKeptMs } from './commit-lane.js';

/** Small steps: no statement holds rows for long, and a large backlog is worked off by later calls. */
const STEP_ROWS = 1_000;
const MOST_STEPS = 1_000;

/** The oldest first, along the index on created_at. Rows that a commit is just replacing are passed over. */
const deleteStep = {
  name: 'sweep-answers',
  text: `DELETE FROM idempotency_keys WHERE ctid = ANY (ARRAY(
      SELECT ctid FROM idempotency_keys WHERE created_at <= $1::timestamptz ORDER BY created_at LIMIT ${STEP_ROWS} FOR UPDATE SKIP LOCKED))`,
};

/** Returns how many were removed. `now` is milliseconds since the epoch. */
export async function sweepAnswers(pool: SqlPool, now: number): Promise<number> {
  const until = new Date(now - answersKeptMs).toISOString();
  let swept = 0;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    const { rowCount } = await pool.query({ ...deleteStep, values: [until] });
    swept += rowCount ?? 0;
    if ((rowCount ?? 0) < STEP_ROWS) break;
  }
  return swept;
}
