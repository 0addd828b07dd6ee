import { expect, it } from 'vitest';
import { dateUnits, formatDate, formatTokens, parseFormat, unitOf } from './date-parts.js';

const format = (value: unknown, text: string) => formatDate(value, parseFormat(text) ?? []);

it('a date is read as it is written, without any change of time zone', () => {
  const parts = (value: string) => dateUnits.map((unit) => unitOf(value, unit));
  expect(parts('2024-05-31T23:04:05.678-11:00')).toEqual([2024, 5, 31, 23, 4, 5]);
  expect(parts('2024-05-31T23:04')).toEqual([2024, 5, 31, 23, 4, 0]);
  expect(parts('0999-01-02')).toEqual([999, 1, 2, 0, 0, 0]);
});

it.each([
  '2024-13-01',
  '2024-00-01',
  '2024-05-32',
  '2024-05-01T24:00',
  '2024-05-01T12',
  '2024-05-01 12:00',
  '2024-05-01T12:00:00.0000000001Z',
  '2024-05-01\n',
  'today',
  20240501,
  null,
  ['2024-05-01'],
])('%j is no date and has no parts', (value) => {
  expect(unitOf(value, 'YEAR')).toBeNull();
  expect(format(value, 'YYYY')).toBeNull();
});

it('every token of a format gives its part', () => {
  const texts = formatTokens.map((token) => [token, format('2024-08-09T15:06:07.089Z', token)]);
  expect(Object.fromEntries(texts)).toEqual({
    YYYY: '2024',
    YY: '24',
    Q: '3',
    MMMM: 'August',
    MMM: 'Aug',
    MM: '08',
    M: '8',
    DD: '09',
    D: '9',
    HH: '15',
    H: '15',
    hh: '03',
    h: '3',
    A: 'PM',
    a: 'pm',
    mm: '06',
    m: '6',
    ss: '07',
    s: '7',
    SSS: '089',
  });
});

it('midnight and noon are twelve', () => {
  expect(format('2024-05-01T00:30', 'h A')).toBe('12 AM');
  expect(format('2024-05-01T12:30', 'h A')).toBe('12 PM');
});

it('what is no token is refused when it is a letter, stands in brackets, or stays', () => {
  expect(format('2024-05-01', '[Year] YYYY, [MM]/MM é 1')).toBe('Year 2024, MM/05 é 1');
  expect(format('2024-05-01T12:30', 'YYYY-MM-DDTHH:mm')).toBe('2024-05-01T12:30');
  for (const text of ['YYYY W', 'ddd', 'Z', '[open YYYY']) expect(parseFormat(text), text).toBeNull();
});
