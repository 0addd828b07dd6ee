import { expect, test } from 'vitest';
import { activitySeconds, countPerSecond, wirePath } from './activity.js';

const now = Date.parse('2026-03-03T12:00:59.900Z');

test('each second of the last minute has its own count, the newest last', () => {
  const at = (text: string) => ({ at: `2026-03-03T${text}Z` });
  const counts = countPerSecond(
    [at('12:00:59.100'), at('12:00:59.800'), at('12:00:00.000'), at('11:59:59.999'), at('12:01:05.000')],
    now,
  );
  expect(counts).toHaveLength(activitySeconds);
  expect(counts.at(-1)).toBe(2);
  expect(counts[0]).toBe(1);
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(3);
});

test('a quiet minute is a flat wire, and an event makes a wave in it', () => {
  expect(wirePath([0, 0], 10, 4)).toBe('M0 4H5H10');
  expect(wirePath([0, 1], 10, 4)).toMatch(/^M0 4H5C[\d. ]+S[\d. ]+ 10 4$/);
});
