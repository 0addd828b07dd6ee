import { expect, test } from 'vitest';
import { safeReturnPath } from './return-path.js';

test('a path of ours comes back whole', () => {
  expect(safeReturnPath('/db/main/events?type=post#top')).toBe('/db/main/events?type=post#top');
});

test('nothing leads to another origin', () => {
  const attempts = [
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    '',
    7,
    undefined,
  ];
  for (const attempt of attempts) expect(safeReturnPath(attempt)).toBe('/');
});

test('the sign-in page never returns to itself', () => {
  expect(safeReturnPath('/sign-in?return=/db/main')).toBe('/');
  expect(safeReturnPath('/setup')).toBe('/');
});
