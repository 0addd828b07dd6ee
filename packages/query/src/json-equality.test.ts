import { expect, it } from 'vitest';
import type { JsonValue } from './json.js';
import { canonicalJson, isEqual } from './json-equality.js';
import { createRandom, makeValue, times } from './random.fixture.js';

it.each<[JsonValue, JsonValue]>([
  [0, -0],
  [
    { a: 1, b: [2] },
    { b: [2], a: 1 },
  ],
  [JSON.parse('{"__proto__": 1, "a": 2}'), JSON.parse('{"a": 2, "__proto__": 1}')],
  [1e21, 1000000000000000000000],
])('%j equals %j', (a, b) => {
  expect(isEqual(a, b)).toBe(true);
  expect(canonicalJson(a)).toBe(canonicalJson(b));
});

it.each<[JsonValue, JsonValue]>([
  [1, '1'],
  [0, false],
  [null, 0],
  [[], {}],
  [
    [1, 2],
    [2, 1],
  ],
  [[null], []],
  [{ a: null }, {}],
  [{ a: 1 }, { a: 1, b: 1 }],
  [{}, JSON.parse('{"__proto__": {}}')],
  [{ toString: 1 }, { valueOf: 1 }],
  ['é', 'e\u0301'],
  [[['a', 'b']], [['a'], 'b']],
])('%j does not equal %j', (a, b) => {
  expect(isEqual(a, b)).toBe(false);
  expect(isEqual(b, a)).toBe(false);
  expect(canonicalJson(a)).not.toBe(canonicalJson(b));
});

it('two random values are equal exactly when their canonical texts are (seed 7)', () => {
  const random = createRandom(7);
  const values = times(400, () => makeValue(random, 2)).map((value) => ({ value, text: canonicalJson(value) }));
  const wrong = values.flatMap((a) =>
    values.filter((b) => isEqual(a.value, b.value) !== (a.text === b.text)).map((b) => [a.text, b.text]),
  );
  expect(wrong).toEqual([]);
});
