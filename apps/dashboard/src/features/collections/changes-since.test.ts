import { expect, test } from 'vitest';
import { countChanges, followLoading, noChanges } from './changes-since.js';

test('changes add up and are gone after loading again', () => {
  const counted = countChanges(countChanges(noChanges(1), 2, false), 1, false);
  expect(counted.changes).toBe(3);
  expect(followLoading(counted, 1)).toBe(counted);
  expect(followLoading(counted, 2)).toEqual(noChanges(2));
});

test('a change that comes while the page is loading is still told afterwards', () => {
  const counted = countChanges(countChanges(noChanges(1), 2, false), 1, true);
  expect(followLoading(counted, 2)).toEqual({ loadedAt: 2, changes: 1, whileLoading: 0 });
});
