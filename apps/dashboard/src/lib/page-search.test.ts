import { expect, test } from 'vitest';
import { pageAround, parsePageSearch, readPage } from './page-search.js';

test('a page in the URL survives, and defaults are left out of it', () => {
  expect(parsePageSearch({ max: 100, skip: 200 })).toEqual({ max: 100, skip: 200 });
  expect(parsePageSearch({ max: '25', skip: '50' })).toEqual({ max: 25, skip: 50 });
  expect(parsePageSearch({ max: 50, skip: 0 })).toEqual({});
});

test('nonsense in the URL becomes the first page of the default size', () => {
  for (const nonsense of [
    { max: -1, skip: -1 },
    { max: 'all', skip: 'NaN' },
    { max: 1e9, skip: 1.5 },
    { skip: null },
    {},
  ]) {
    expect(readPage(nonsense)).toEqual({ max: 50, skip: 0 });
  }
});

test('neighbours stop at both ends', () => {
  expect(pageAround({ max: 50, skip: 0 }, 120)).toEqual({ first: 1, last: 50, previous: null, next: 50 });
  expect(pageAround({ max: 50, skip: 100 }, 120)).toEqual({ first: 101, last: 120, previous: 50, next: null });
  expect(pageAround({ max: 50, skip: 20 }, 120)).toMatchObject({ previous: 0, next: 70 });
  expect(pageAround({ max: 50, skip: 0 }, 0)).toEqual({ first: 0, last: 0, previous: null, next: null });
});
