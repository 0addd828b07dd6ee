import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOperators } from './update-operators.js';

const apply = (body: JsonObject, fields: JsonObject) => parseOperators(body)(fields);

/** The places that the refusal names. */
function placesOf(run: () => unknown): string[] {
  try {
    run();
  } catch (error) {
    const { code, errors } = error as { code: string; errors: { field: string }[] };
    expect(code).toBe('validation_failed');
    return errors.map(({ field }) => field);
  }
  return ['accepted'];
}

const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`);
const wide = (count: number) => Object.fromEntries(keys(count).map((key) => [key, 1]));

describe('update operators', () => {
  it.each<[string, JsonObject, JsonObject, JsonObject]>([
    ['$inc adds', { $inc: { n: 2 } }, { n: 1 }, { n: 3 }],
    [
      '$inc subtracts',
      { $inc: { 'stock.count': -1 } },
      { stock: { count: 1, unit: 'kg' } },
      { stock: { count: 0, unit: 'kg' } },
    ],
    ['$inc makes what is missing', { $inc: { 'a.b': 1.5 } }, {}, { a: { b: 1.5 } }],
    ['$push appends', { $push: { tags: 'b' } }, { tags: ['a'] }, { tags: ['a', 'b'] }],
    ['$push appends an array as one item', { $push: { rows: [1, 2] } }, { rows: [] }, { rows: [[1, 2]] }],
    ['$push makes an array', { $push: { tags: { x: 1 } } }, {}, { tags: [{ x: 1 }] }],
    ['$push takes $each', { $push: { tags: { $each: ['b', 'c'] } } }, { tags: ['a'] }, { tags: ['a', 'b', 'c'] }],
    ['$pull takes out equals', { $pull: { tags: 'a' } }, { tags: ['a', 'b', 'a'] }, { tags: ['b'] }],
    [
      '$pull takes out objects by some fields',
      { $pull: { l: { id: 1 } } },
      { l: [{ id: 1, x: 2 }, { id: 2 }, 1] },
      { l: [{ id: 2 }, 1] },
    ],
    ['$pull leaves what is missing', { $pull: { tags: 'a' } }, { n: 1 }, { n: 1 }],
    ['$addToSet adds once', { $addToSet: { tags: { $each: ['a', 'b', 'b'] } } }, { tags: ['a'] }, { tags: ['a', 'b'] }],
    [
      '$addToSet compares as JSON',
      { $addToSet: { l: { b: 2, a: 1 } } },
      { l: [{ a: 1, b: 2 }] },
      { l: [{ a: 1, b: 2 }] },
    ],
    ['$set goes deep', { $set: { 'a.b.c': [1] } }, { a: { x: 1 } }, { a: { x: 1, b: { c: [1] } } }],
    [
      '$set goes into arrays',
      { $set: { 'l.1.n': 2, 'l.2': 3 } },
      { l: [{ n: 0 }, { n: 1 }] },
      { l: [{ n: 0 }, { n: 2 }, 3] },
    ],
    ['$set takes numbers as keys of objects', { $set: { 'o.0': 1 } }, { o: {} }, { o: { 0: 1 } }],
    [
      '$set makes keys that others inherit',
      { $set: { 'constructor.prototype': 1 } },
      {},
      { constructor: { prototype: 1 } },
    ],
    ['$unset removes', { $unset: { 'a.b': '' } }, { a: { b: 1, c: 2 } }, { a: { c: 2 } }],
    ['$unset leaves what is missing', { $unset: { 'x.y': true } }, { a: 1 }, { a: 1 }],
    ['$unset leaves a null in an array', { $unset: { 'l.0': 1 } }, { l: [1, 2] }, { l: [null, 2] }],
    ['$min keeps the smaller', { $min: { n: 3, m: 1 } }, { n: 2, m: 2 }, { n: 2, m: 1 }],
    ['$max keeps the greater', { $max: { n: 3, at: '2026-02' } }, { n: 2, at: '2026-03' }, { n: 3, at: '2026-03' }],
  ])('%s', (_title, body, before, after) => {
    const untouched = structuredClone(before);
    expect(apply(body, before)).toEqual(after);
    expect(before).toEqual(untouched);
  });

  it.each<[string, JsonObject, string]>([
    ['an unknown operator', { $rename: { a: 'b' } }, '/$rename'],
    ['an inherited name', { $constructor: {} }, '/$constructor'],
    ['no paths', { $inc: 1 }, '/$inc'],
    ['an array of paths', { $unset: ['a'] }, '/$unset'],
    ['a wrong operand', { $inc: { n: '1' } }, '/$inc/n'],
    ['an operand that cannot be compared', { $max: { n: null } }, '/$max/n'],
    ['$each that is no array', { $push: { tags: { $each: 1 } } }, '/$push/tags/$each'],
    ['an operator within a value', { $set: { a: { b: [{ $gt: 1 }] } } }, '/$set/a/b/0/$gt'],
    ['an operator in a path', { $set: { 'a.$': 1 } }, '/$set/a.$'],
    ['an empty key', { $set: { 'a..b': 1 } }, '/$set/a..b'],
    ['no key', { $set: { '': 1 } }, '/$set/'],
    ['a metafield', { $inc: { _version: 1 } }, '/$inc/_version'],
    ['__proto__', { $set: { 'a.__proto__.polluted': 1 } }, '/$set/a.__proto__.polluted'],
    [
      'a path that is too long',
      { $set: { [Array(33).fill('a').join('.')]: 1 } },
      `/$set/${Array(33).fill('a').join('.').slice(0, 100)}`,
    ],
    ['two operators for one place', { $inc: { a: 1 }, $set: { a: 2 } }, '/$set/a'],
    ['an operator below another', { $set: { a: {}, 'a!': 1, 'a.b': 1 } }, '/$set/a.b'],
  ])('refuses %s, and names the place', (_title, body, place) => {
    expect(placesOf(() => parseOperators(body))).toEqual([place]);
  });

  it.each<[string, JsonObject, JsonObject, string]>([
    ['$inc of a text', { $inc: { n: 1 } }, { n: '1' }, '/$inc/n'],
    ['$inc beyond exact integers', { $inc: { n: 1 } }, { n: Number.MAX_SAFE_INTEGER }, '/$inc/n'],
    ['$inc beyond doubles', { $inc: { n: 1.7e308 } }, { n: 1.7e308 }, '/$inc/n'],
    ['$push to an object', { $push: { o: 1 } }, { o: {} }, '/$push/o'],
    ['$pull from null', { $pull: { o: 1 } }, { o: null }, '/$pull/o'],
    ['$min of another type', { $min: { n: 1 } }, { n: 'x' }, '/$min/n'],
    ['a path through a number', { $set: { 'n.x': 1 } }, { n: 1 }, '/$set/n.x'],
    ['an index far behind the end', { $set: { 'l.1000000': 1 } }, { l: [] }, '/$set/l.1000000'],
    ['a name in an array', { $set: { 'l.length': 0 } }, { l: [1] }, '/$set/l.length'],
  ])('refuses %s in the document, and names the place', (_title, body, fields, place) => {
    expect(placesOf(() => apply(body, fields))).toEqual([place]);
  });

  it('lets no document become deeper than one that can be sent', () => {
    let deep: JsonValue = 1;
    for (let level = 0; level < 50; level += 1) deep = { a: deep };
    const path = Array(20).fill('b').join('.');
    expect(placesOf(() => apply({ $set: { [path]: deep } }, {}))).toEqual(['']);
  });

  it.each<[string, JsonObject, JsonObject, number]>([
    ['$pull of a wide object from many items', { $pull: { l: wide(9_000) } }, { l: Array(500_000).fill({}) }, 1],
    [
      'many places of a wide object',
      { $set: Object.fromEntries(keys(1_000).map((key) => [`o.${key}`, 1])) },
      { o: wide(9_000) },
      1,
    ],
    [
      'many places of a long array',
      { $set: Object.fromEntries(keys(1_000).map((_, n) => [`l.${n}`, 1])) },
      { l: Array(1_000_000).fill(0) },
      1,
    ],
    [
      '$addToSet of many items',
      { $addToSet: { l: { $each: keys(100_000) } } },
      { l: keys(200_000).map((key) => `x${key}`) },
      0,
    ],
  ])(
    'is done or refused, and does not go on for ever, with %s',
    { timeout: 60_000 },
    (_title, body, fields, refusals) => {
      const places = placesOf(() => apply(body, fields));
      expect(places[0] === 'accepted').toBe(refusals === 0);
    },
  );

  it('gives the same result as often as it is applied, and changes neither its body nor the document', () => {
    const key = fc.constantFrom('a', 'b', '0');
    const path = fc.array(key, { minLength: 1, maxLength: 3 }).map((keys) => keys.join('.'));
    const value = fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JsonValue>;
    const body = fc.dictionary(
      fc.constantFrom('$inc', '$push', '$pull', '$set', '$unset', '$min', '$max', '$addToSet'),
      fc.dictionary(path, value, { maxKeys: 2 }),
    );
    fc.assert(
      fc.property(body, fc.dictionary(key, value), (operators, fields) => {
        const before = JSON.stringify([operators, fields]);
        const results = [0, 1].map(() => {
          try {
            return JSON.stringify(apply(operators, fields));
          } catch (error) {
            return String((error as { code?: string }).code);
          }
        });
        expect(results[0]).toBe(results[1]);
        expect(JSON.stringify([operators, fields])).toBe(before);
      }),
    );
  });
});
