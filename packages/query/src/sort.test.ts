import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from './json.js';
import { createComparator, defaultSort, parseSort, parseSortParameters, type Sort, sortText } from './sort.js';

function sortOf(orderby: JsonObject): Sort {
  const parsed = parseSort(orderby);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.sort;
}

const order = (sort: Sort, values: (JsonValue | undefined)[]) =>
  values
    .map((a, index): JsonObject => (a === undefined ? { _id: String(index) } : { _id: String(index), a }))
    .sort(createComparator(sort))
    .map(({ a }) => a);

describe('the order of values', () => {
  it('goes by type, then by value; texts by code point', () => {
    const ascending = [
      [],
      null,
      -1e300,
      -1,
      -0.5,
      0,
      5e-324,
      1,
      1e21,
      '',
      'A',
      'a',
      'é',
      '\uff21',
      '😀',
      { b: 1 },
      [[1]],
      false,
      true,
    ];
    expect(order(sortOf({ a: 1 }), [...ascending].reverse())).toEqual(ascending);
    expect(order(sortOf({ a: -1 }), ascending)).toEqual([...ascending].reverse());
  });

  it('takes the least of an array ascending, the greatest descending', () => {
    expect(order(sortOf({ a: 1 }), [[5, 9], 6, [7, 1]])).toEqual([[7, 1], [5, 9], 6]);
    expect(order(sortOf({ a: -1 }), [[5, 9], 6, [7, 1]])).toEqual([[5, 9], [7, 1], 6]);
  });

  it('what is missing stands with null, and equals go by _id in the direction of the last field', () => {
    const documents: JsonObject[] = [{ _id: '1', a: null }, { _id: '2' }, { _id: '0', a: 1 }];
    const ids = (orderby: JsonObject) => [...documents].sort(createComparator(sortOf(orderby))).map(({ _id }) => _id);
    expect(ids({ a: 1 })).toEqual(['1', '2', '0']);
    expect(ids({ a: -1 })).toEqual(['0', '2', '1']);
  });

  it('paths reach into objects and arrays of objects', () => {
    const sort = sortOf({ 'a.b': 1 });
    expect(order(sort, [[{ b: 3 }], { b: 2 }, [{ b: 9 }, { b: 1 }], 5])).toEqual([
      5,
      [{ b: 9 }, { b: 1 }],
      { b: 2 },
      [{ b: 3 }],
    ]);
  });
});

describe('orders are parsed', () => {
  it('from an object, with _id added at the end unless it is there', () => {
    expect(
      sortOf({ a: -1 }).terms.map((term) => term.kind === 'field' && [term.path.join('.'), term.direction]),
    ).toEqual([
      ['a', -1],
      ['_id', -1],
    ]);
    expect(sortOf({ _id: -1, a: 1 }).terms).toHaveLength(1);
    expect(sortOf({})).toEqual(defaultSort);
  });

  it('from repeated parameters that pair up', () => {
    const parsed = parseSortParameters(['a', 'b.c', 'a'], ['-1']);
    expect(parsed.ok && sortText(parsed.sort)).toBe(sortText(sortOf({ a: -1, 'b.c': 1 })));
    expect(parseSortParameters(undefined)).toEqual({ ok: true, sort: defaultSort });
    expect(parseSortParameters('')).toEqual({ ok: true, sort: defaultSort });
  });

  it.each<[unknown, string]>([
    [5, ''],
    [{ a: 2 }, '/a'],
    [{ a: 'asc' }, '/a'],
    [{ $a: 1 }, '/$a'],
    [{ a: { $meta: 'textScore' } }, '/a'],
    [Object.fromEntries(Array.from({ length: 9 }, (_none, index) => [`f${index}`, 1])), ''],
  ])('%j is refused', (raw, field) => {
    const parsed = parseSort(raw);
    expect(parsed.ok ? null : parsed.errors[0]?.field).toBe(field);
  });

  it('a direction that is none is refused with its place', () => {
    const parsed = parseSortParameters(['a', 'b'], ['1', 'down']);
    expect(parsed).toMatchObject({ ok: false, errors: [{ field: '/dir/1', allowed: ['1', '-1'] }] });
  });
});
