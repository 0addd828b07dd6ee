import { expect, it } from 'vitest';
import { beginsLikeDate, isStoredDate, normalizeDate, startOf } from './dates.js';

it.each<[unknown, string | null]>([
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['2023-02-29', null],
  ['2024-05-01T14:30+0200', '2024-05-01T12:30:00.000Z'],
  ['2024-05-01T00:30:00-05:00', '2024-05-01T05:30:00.000Z'],
  ['2024-05-01t12:00:00z', null],
  ['2024-05-01T24:00:00Z', '2024-05-02T00:00:00.000Z'],
  ['2024-05-01T12', null],
  [' 2024-05-01', null],
  ['2024-05-01\n', null],
  ['0000-01-01T00:00:00+01:00', null],
  ['9999-12-31T23:59:59-01:00', null],
  ['0001-01-01', '0001-01-01T00:00:00.000Z'],
  [0, '1970-01-01T00:00:00.000Z'],
  [-1, '1969-12-31T23:59:59.999Z'],
  [Number.NaN, null],
  [true, null],
])('the stored form of %j is %s', (value, text) => {
  expect(normalizeDate(value)).toBe(text);
});

it('only the exact stored form is a stored date', () => {
  expect(isStoredDate('2024-05-01T12:00:00.000Z')).toBe(true);
  for (const text of ['2024-05-01', '2024-05-01T12:00:00Z', '2024-05-01 12:00:00.000Z', '2024-02-30T12:00:00.000Z']) {
    expect(isStoredDate(text), text).toBe(false);
  }
});

it('a text takes part in comparisons with dates when it begins with four, two and two digits', () => {
  expect(['2024-05-01', '2024-99-99 or so'].map(beginsLikeDate)).toEqual([true, true]);
  expect(['12024-05-01', '2024-5-1', ' 2024-05-01', ''].map(beginsLikeDate)).toEqual([false, false, false, false]);
});

it('days, months and years are counted over the ends of months, years and the calendar', () => {
  const now = new Date('2024-01-31T23:59:59.999Z');
  expect(startOf('$currentDate', 1, now)).toBe('2024-02-01T00:00:00.000Z');
  expect(startOf('$currentDate', 29, now)).toBe('2024-02-29T00:00:00.000Z');
  expect(startOf('$currentMonth', 1, now)).toBe('2024-02-01T00:00:00.000Z');
  expect(startOf('$currentMonth', -1, now)).toBe('2023-12-01T00:00:00.000Z');
  expect(startOf('$currentYear', -2024, now)).toBe('0000-01-01T00:00:00.000Z');
  expect(startOf('$currentYear', -2025, now)).toBeNull();
  expect(startOf('$currentYear', 7_976, now)).toBeNull();
});
