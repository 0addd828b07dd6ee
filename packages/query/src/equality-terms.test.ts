import { expect, it } from 'vitest';
import { equalityTerms, termValuesOf } from './equality-terms.js';
import type { JsonObject } from './json.js';
import { parseFilter } from './parse-filter.js';

function filterOf(raw: JsonObject) {
  const parsed = parseFilter(raw);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.filter;
}

it('equality terms are those that all matching documents fulfil', () => {
  expect(
    equalityTerms(
      filterOf({
        a: 1,
        'b.c': { $in: ['x', null] },
        d: { $gt: 1 },
        $or: [{ e: 1 }, { f: 1 }],
        g: { $ne: 1 },
        h: { i: 1 },
      }),
    ),
  ).toEqual([
    { path: ['a'], values: [1] },
    { path: ['b', 'c'], values: ['x', null] },
  ]);
  expect(termValuesOf({ a: [{ b: 1 }, { b: [2, 'x'] }, {}] }, ['a', 'b'])).toEqual([1, 2, 'x', null]);
});

it.each<[JsonObject]>([
  [{ $or: [{ a: 1 }, { a: 2 }] }],
  [{ a: { $ne: 1 } }],
  [{ a: { $elemMatch: { b: 1 } } }],
  [{ a: { $in: [1, [2]] } }],
  [{}],
])('%j has none: a document can match without any one value', (raw) => {
  expect(equalityTerms(filterOf(raw))).toEqual([]);
});

it('a document is looked up once by each value, and by null where the field is missing', () => {
  expect(termValuesOf({ a: [1, 1, [1], { b: 1 }] }, ['a'])).toEqual([1]);
  expect(termValuesOf({ b: 1 }, ['a'])).toEqual([null]);
  expect(termValuesOf({ a: 5 }, ['a', 'b'])).toEqual([null]);
  expect(termValuesOf({ a: [] }, ['a', 'b'])).toEqual([]);
});
