import { expect, it } from 'vitest';
import { orbitOf } from './case-orbits.js';
import { compareCodePoints, complementOf, foldSet, hasCodePoint, isSingle, normalizeSet } from './code-points.js';
import { createRandom, times } from './random.fixture.js';

it('ranges are sorted, joined where they touch, and freed of what no text has', () => {
  expect(
    normalizeSet([
      [5, 9],
      [1, 2],
      [3, 3],
      [8, 12],
    ]),
  ).toEqual([
    [1, 3],
    [5, 12],
  ]);
  expect(normalizeSet([[0, 0x10ffff]])).toEqual([
    [1, 0xd7ff],
    [0xe000, 0x10ffff],
  ]);
  expect(normalizeSet([[0xd800, 0xdfff]])).toEqual([]);
});

it('a character is in a set or in its complement, never in both (seed 7)', () => {
  const random = createRandom(7);
  const anyone = () => Math.floor(random() * 0x110000);
  for (let round = 0; round < 200; round += 1) {
    const set = normalizeSet(times(5, () => [anyone(), anyone()].sort((a, b) => a - b) as [number, number]));
    expect(complementOf(complementOf(set))).toEqual(set);
    for (const codePoint of times(20, anyone)) {
      const isStorable = codePoint > 0 && (codePoint < 0xd800 || codePoint > 0xdfff);
      expect([hasCodePoint(set, codePoint), hasCodePoint(complementOf(set), codePoint)].filter(Boolean).length).toBe(
        isStorable ? 1 : 0,
      );
    }
  }
});

it('texts are ordered as their bytes in UTF-8 are', () => {
  const characters = ['', 'a', '\u007f', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}'];
  const texts = characters.flatMap((first) => characters.map((second) => first + second));
  for (const a of texts) {
    for (const b of texts) {
      expect(Math.sign(compareCodePoints(a, b))).toBe(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))));
    }
  }
});

it('letters that differ in case alone are one orbit, Kelvin and long s included', () => {
  expect(orbitOf(0x6b)).toEqual([0x4b, 0x6b, 0x212a]);
  expect(orbitOf(0x17f)).toEqual([0x53, 0x73, 0x17f]);
  expect(orbitOf(0x31)).toEqual([0x31]);
  expect(isSingle(foldSet([[0x31, 0x31]]))).toBe(true);
  expect(foldSet([[0x6b, 0x6b]])).toEqual([
    [0x4b, 0x4b],
    [0x6b, 0x6b],
    [0x212a, 0x212a],
  ]);
});
