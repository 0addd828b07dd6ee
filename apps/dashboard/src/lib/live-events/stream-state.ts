/**
 * The state of the line to the event stream, without the line.
 *
 *   connecting  ── opened ──▶ open ── lost ──▶ retrying ── opened ──▶ open
 *   connecting, retrying ── refused ──▶ retrying (attempt + 1)
 *   open, connecting, retrying ── silent ──▶ retrying (attempt + 1)
 *   any ── ended ──▶ ended
 *
 * 1. `attempt` counts the tries since the line was last open, and is 0 again when it opens.
 * 2. `ended` is final.
 * 3. The wait before a try grows with the attempt and never passes `retryLimitMs`.
 */

export type StreamState =
  | { status: 'connecting' }
  | { status: 'open' }
  | { status: 'retrying'; attempt: number }
  | { status: 'ended' };

/** `lost`: the browser retries by itself. `refused`: it gave up. `silent`: no ping in time. `ended`: the session is over. */
export type StreamSignal = 'opened' | 'lost' | 'refused' | 'silent' | 'ended';

/** Twice and a half the interval of the server's pings. */
export const silenceLimitMs = 25_000;
export const retryLimitMs = 15_000;

export function nextStreamState(state: StreamState, signal: StreamSignal): StreamState {
  if (state.status === 'ended' || signal === 'ended') return { status: 'ended' };
  if (signal === 'opened') return { status: 'open' };
  const attempt = state.status === 'retrying' ? state.attempt : 0;
  return { status: 'retrying', attempt: signal === 'lost' ? Math.max(1, attempt) : attempt + 1 };
}

/** How long to wait before try number `attempt`: doubling from half a second, with a spread so that many browsers do not come at once. */
export function retryDelayMs(attempt: number, random: () => number): number {
  const ceiling = Math.min(retryLimitMs, 500 * 2 ** Math.min(attempt - 1, 10));
  return Math.round(ceiling * (0.5 + random() / 2));
}
