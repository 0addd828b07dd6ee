/** Steps of the start that need Postgres, carried on when it goes away in the middle of them: whoever starts us need not start us again. */
import { setTimeout as delay } from 'node:timers/promises';
import { problemOfDatabaseFailure } from '@tidewire/access/database-problem';
import type { PostgresLog } from '@tidewire/db/embedded-postgres/embedded-postgres';

const patienceMs = 30_000;
const pauseMs = 250;

/**
 * Carries out `step`, and again from its beginning while Postgres cannot be reached, for 30 s after the first time. `step` must bear being
 * carried out twice. Throws any other error at once, and this one after that time.
 */
export async function throughOutages<T>(
  step: () => Promise<T>,
  { log, forMs = patienceMs }: { log: PostgresLog; forMs?: number },
): Promise<T> {
  let until: number | null = null;
  for (;;) {
    try {
      return await step();
    } catch (error) {
      const isAway = problemOfDatabaseFailure(error)?.code === 'unavailable';
      until ??= Date.now() + forMs;
      if (!isAway || Date.now() > until) throw error;
      log.warn({ err: error }, 'Postgres went away during the start; this step of it is tried again.');
      await delay(pauseMs);
    }
  }
}
