import { expect, it } from 'vitest';
import { compareCodePoints } from './code-points.js';
import type { JsonValue } from './json.js';
import { createRandom, numbers, texts, times } from './random.fixture.js';
import { emptyArrayKey, firstCharacters, keyOf, keyTextLength, nullKey } from './sort-key.js';

it('keys of numbers stand in the order of the numbers, of both signs and any size (seed 7)', () => {
  const random = createRandom(7);
  const some = times(300, () => (random() - 0.5) * 10 ** (random() * 600 - 300));
  const all = [...numbers, ...numbers.map((number) => -number), ...some].map((number) => ({
    number,
    key: keyOf(number),
  }));
  const wrong = all.flatMap((a) =>
    all
      .filter((b) => Math.sign(compareCodePoints(a.key, b.key)) !== Math.sign(a.number - b.number))
      .map((b) => [a.number, b.number]),
  );
  expect(wrong).toEqual([]);
  expect(keyOf(-0)).toBe(keyOf(0));
});

it('keys of texts stand in the order of their code points', () => {
  for (const a of texts) {
    for (const b of texts) {
      const inBytes = Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(Math.sign(compareCodePoints(keyOf(a), keyOf(b)))).toBe(inBytes);
    }
  }
});

it('types stand in their order, whatever the values', () => {
  const kinds: JsonValue[][] = [
    [null],
    [-1e300, 0, 1e300],
    ['', '\u{10ffff}'],
    [{}, { a: 1 }],
    [[], [1]],
    [false],
    [true],
  ];
  const keys = [emptyArrayKey, ...kinds.flatMap((values) => values.map(keyOf))];
  expect([...keys].sort(compareCodePoints)).toEqual(keys);
  expect(keyOf(undefined)).toBe(nullKey);
});

it('a text counts with its first characters, and no character is cut in two', () => {
  expect(keyOf('é'.repeat(1_000))).toBe(keyOf('é'.repeat(keyTextLength)));
  expect(keyOf('a'.repeat(keyTextLength - 1))).not.toBe(keyOf('a'.repeat(keyTextLength)));
  expect(firstCharacters('😀😁a', 2)).toBe('😀😁');
  expect(firstCharacters('a😀', 1)).toBe('a');
  expect(keyOf(`${'a'.repeat(keyTextLength - 1)}😀b`).endsWith('😀')).toBe(true);
});
