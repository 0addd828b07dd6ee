import { expect, test } from 'vitest';
import { nextStreamState, retryDelayMs, retryLimitMs, type StreamSignal, type StreamState } from './stream-state.js';

function after(...signals: StreamSignal[]): StreamState {
  return signals.reduce(nextStreamState, { status: 'connecting' } as StreamState);
}

test('1: attempts are counted while the line is down and forgotten when it opens', () => {
  expect(after('refused', 'refused', 'silent')).toEqual({ status: 'retrying', attempt: 3 });
  expect(after('refused', 'opened')).toEqual({ status: 'open' });
  expect(after('opened', 'lost', 'lost')).toEqual({ status: 'retrying', attempt: 1 });
});

test('2: an ended stream never comes back', () => {
  expect(after('ended', 'opened', 'lost')).toEqual({ status: 'ended' });
});

test('3: waits grow to the limit and not past it', () => {
  const longest = [1, 2, 3, 4, 5, 6, 60].map((attempt) => retryDelayMs(attempt, () => 1));
  expect(longest).toEqual([500, 1000, 2000, 4000, 8000, retryLimitMs, retryLimitMs]);
  expect(retryDelayMs(1, () => 0)).toBe(250);
});
