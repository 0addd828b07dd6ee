/**
 * Counts how often something happens in a minute. The law for its adapters:
 *
 * - A minute begins with the first hit of a subject and ends 60 s later; then the next hit is the first again. Hits are never lost within it while the counter is at work.
 * - `hit` never rejects and never waits for long: a counter that cannot reach what it counts with counts by itself meanwhile.
 */

/** `hits`: with this one. `resetAt`: when the minute is over, in milliseconds since the epoch. */
export type RateCount = { hits: number; resetAt: number };

export interface RateCounter {
  /** Counts one. At once where no other process has a part in it. */
  hit(subject: string): RateCount | Promise<RateCount>;
  /** Lets go of what it holds. */
  close(): void;
}

/** What a rate is counted over. */
export const rateWindowMs = 60_000;
