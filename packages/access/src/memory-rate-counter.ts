import { type RateCount, type RateCounter, rateWindowMs } from './rate-counter.js';
import { createRecentMap } from './recent-map.js';

/** Subjects that are remembered at least: those hit last. Beyond twice as many, the oldest begin anew, so that nobody can fill the memory with addresses. */
const SUBJECTS = 100_000;

/** Answers at once. */
export interface MemoryRateCounter extends RateCounter {
  hit(subject: string): RateCount;
}

/** The counter of one process. `now`: milliseconds since the epoch. */
export function createMemoryRateCounter({ now }: { now: () => number }): MemoryRateCounter {
  const counts = createRecentMap<string, RateCount>(SUBJECTS);
  return {
    hit(subject) {
      const at = now();
      const present = counts.get(subject);
      if (present !== undefined && present.resetAt > at) {
        present.hits += 1;
        return present;
      }
      const begun = { hits: 1, resetAt: at + rateWindowMs };
      counts.set(subject, begun);
      return begun;
    },
    close: () => undefined,
  };
}
