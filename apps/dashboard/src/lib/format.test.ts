import { expect, test } from 'vitest';
import { formatAgo, formatAmount, formatBytes, formatClock, formatCount } from './format.js';

const now = Date.parse('2026-03-03T12:00:00Z');

test('counts are grouped and amounts know one from many', () => {
  expect(formatCount(1_000_000_000_042)).toBe('1,000,000,000,042');
  expect([formatAmount(0, 'document'), formatAmount(1, 'document'), formatAmount(2, 'entry', 'entries')]).toEqual([
    '0 documents',
    '1 document',
    '2 entries',
  ]);
});

test('sizes are told in the unit that fits', () => {
  expect([0, 1023, 1024, 8192, 1_600_000_000, 2 ** 60].map(formatBytes)).toEqual([
    '0 bytes',
    '1,023 bytes',
    '1 KiB',
    '8 KiB',
    '1.5 GiB',
    '1,048,576 TiB',
  ]);
});

test('ages go from just now to years, and the future of a wrong clock is said as such', () => {
  expect(formatAgo('2026-03-03T11:59:30Z', now)).toBe('just now');
  expect(formatAgo('2026-03-03T11:56:00Z', now)).toBe('4 min. ago');
  expect(formatAgo('2026-03-02T12:00:00Z', now)).toBe('yesterday');
  expect(formatAgo('2023-03-03T12:00:00Z', now)).toBe('3 yr. ago');
  expect(formatAgo('2026-03-03T12:30:00Z', now)).toBe('in 30 min.');
});

test('a text that is no time is shown as it is', () => {
  expect(formatAgo('yesterday-ish', now)).toBe('yesterday-ish');
  expect(formatClock('nope')).toBe('nope');
});
