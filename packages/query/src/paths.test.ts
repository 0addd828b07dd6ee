import { describe, expect, it } from 'vitest';
import type { JsonObject, JsonValue } from './json.js';
import { isIndex, parsePath, somewhere, valueAt } from './paths.js';

/** Everything that a path reaches, in order; "missing" as undefined. */
function reached(document: JsonObject, path: string): (JsonValue | undefined)[] {
  const found: (JsonValue | undefined)[] = [];
  const note = (value: JsonValue | undefined): false => {
    found.push(value);
    return false;
  };
  somewhere(document, path.split('.'), { atKey: note, single: note });
  return found;
}

describe('a path reaches', () => {
  it.each<[string, JsonObject, (JsonValue | undefined)[]]>([
    ['a', { a: [1] }, [[1]]],
    ['a', {}, [undefined]],
    ['a.b', { a: { b: 1 } }, [1]],
    ['a.b', { a: 5 }, [undefined]],
    ['a.b', { a: [5, { b: 1 }, {}, [{ b: 2 }]] }, [1, undefined]],
    ['a.b', { a: [] }, []],
    ['a.0', { a: [7] }, [7]],
    ['a.0', { a: [{ 0: 8 }] }, [8, { 0: 8 }]],
    ['a.1', { a: [7] }, []],
    ['a.0.b', { a: [{ b: 1 }, { b: 2 }] }, [undefined, undefined, 1]],
    ['a.0.b', { a: [[{ b: 1 }, { b: 2 }]] }, [1, 2]],
    ['a.0.0', { a: [[9]] }, [9]],
    ['a.01', { a: [7, 8] }, []],
    ['constructor.name', {}, [undefined]],
  ])('%s in %j: %j', (path, document, values) => {
    expect(reached(document, path)).toEqual(values);
  });
});

it('the keys of a reference are fields, but not at the root; every other name with $ in front is an operator', () => {
  for (const path of ['a.$id', 'a.0.$ref', 'a.b.$id']) expect(parsePath(path)).toMatchObject({ ok: true });
  for (const path of ['$id', '$ref', 'a.$db', 'a.$ID', 'a.$id.$eq', '$id.$id'])
    expect(parsePath(path)).toMatchObject({ ok: false });
  expect(reached({ a: [{ $id: 'x' }, { $id: 'y' }] }, 'a.$id')).toEqual(['x', 'y']);
});

it('a value is read through arrays by index only', () => {
  const document: JsonObject = { a: [{ b: 1 }, [2]], c: { 0: 3 }, d: null };
  expect(['a.0.b', 'a.1.0', 'c.0', 'd'].map((path) => valueAt(document, path.split('.')))).toEqual([1, 2, 3, null]);
  expect(['a.b', 'a.2', 'a.-1', 'a.00', 'd.e', 'x'].map((path) => valueAt(document, path.split('.')))).toEqual(
    new Array(6).fill(undefined),
  );
});

it('an index is digits without leading zeros', () => {
  expect(['0', '7', '10', '9999999999'].every(isIndex)).toBe(true);
  expect(['', '-1', '01', '1.0', '1e3', '٣', '99999999999'].some(isIndex)).toBe(false);
});

it('names with spaces, quotes and letters of any script are fields; operators and what no document has are not', () => {
  for (const text of ['a b', "it's", '"q"', 'é.日本', 'a..b', '__proto__']) expect(parsePath(text).ok, text).toBe(true);
  for (const text of ['', '$a', 'a.$b', 'a\0', '\ud800']) expect(parsePath(text).ok, text).toBe(false);
});
