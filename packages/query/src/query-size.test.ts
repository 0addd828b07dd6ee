import { expect, it } from 'vitest';
import { queryLimits } from './query-limits.js';
import { checkSize } from './query-size.js';

const nest = (depth: number) => {
  let value: unknown = 1;
  for (let left = depth; left > 0; left -= 1) value = left % 2 === 0 ? [value] : { a: value };
  return { a: value };
};

it('a query of any depth or breadth is measured without a fall', () => {
  expect(checkSize(nest(50))).toBeNull();
  expect(checkSize(nest(100))?.message).toMatch(/nested more than 80 deep/);
  expect(checkSize(nest(1_000_000))?.message).toMatch(/nested more than/);
  expect(checkSize({ a: new Array(1_000_000).fill(0) })?.message).toMatch(/longer than/);
});

it('the length is that of the text in UTF-8', () => {
  const overhead = '{"a":""}'.length;
  expect(checkSize({ a: 'é'.repeat((queryLimits.filterBytes - overhead) / 2) })).toBeNull();
  expect(checkSize({ a: 'é'.repeat((queryLimits.filterBytes - overhead) / 2 + 1) })?.message).toMatch(/bytes/);
});

it.each([null, 5, 'a', true, [], [{}]])('%j is no query', (value) => {
  expect(checkSize(value)).toMatchObject({ field: '', message: 'A query is a JSON object.' });
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])('the number %s is refused, however deep it stands', (value) => {
  expect(checkSize({ a: [{ b: value }] })?.message).toMatch(/beyond what a double can hold/);
});
