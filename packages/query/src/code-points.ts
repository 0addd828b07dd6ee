/** Sets of characters as ascending, disjoint, inclusive ranges of code points; and the order of strings by code point. */
import { allOrbits } from './case-orbits.js';

/** Neither U+0000 nor surrogates: no stored text has them. */
export type CodePointSet = readonly (readonly [number, number])[];

const surrogates = [0xd800, 0xdfff] as const;
const last = 0x10ffff;

/** Sorts, joins, and leaves out what no text has. */
export function normalizeSet(ranges: readonly (readonly [number, number])[]): CodePointSet {
  const cut = ranges.flatMap(([from, to]) => withoutSurrogates(Math.max(1, from), Math.min(last, to)));
  const result: [number, number][] = [];
  for (const [from, to] of cut.sort((a, b) => a[0] - b[0])) {
    const previous = result.at(-1);
    if (previous !== undefined && from <= previous[1] + 1) previous[1] = Math.max(previous[1], to);
    else result.push([from, to]);
  }
  return result;
}

function withoutSurrogates(from: number, to: number): [number, number][] {
  const parts: [number, number][] = [
    [from, Math.min(to, surrogates[0] - 1)],
    [Math.max(from, surrogates[1] + 1), to],
  ];
  return parts.filter(([start, end]) => start <= end);
}

/** All characters that are not in the set. */
export function complementOf(set: CodePointSet): CodePointSet {
  const gaps: [number, number][] = [];
  let next = 1;
  for (const [from, to] of set) {
    gaps.push([next, from - 1]);
    next = to + 1;
  }
  gaps.push([next, last]);
  return normalizeSet(gaps.filter(([from, to]) => from <= to));
}

/** Whether the set has the code point. */
export function hasCodePoint(set: CodePointSet, codePoint: number): boolean {
  let low = 0;
  let high = set.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const range = set[middle];
    if (range === undefined || codePoint < range[0]) high = middle - 1;
    else if (codePoint > range[1]) low = middle + 1;
    else return true;
  }
  return false;
}

/** Whether the set has one character. */
export function isSingle(set: CodePointSet): boolean {
  return set.length === 1 && set[0]?.[0] === set[0]?.[1];
}

/** The set with all letters that differ from its members in case alone. */
export function foldSet(set: CodePointSet): CodePointSet {
  const added: [number, number][] = [];
  for (const orbit of allOrbits()) {
    if (orbit.some((member) => hasCodePoint(set, member))) for (const member of orbit) added.push([member, member]);
  }
  return normalizeSet([...set, ...added]);
}

/** Orders as Postgres does under COLLATE "C" in UTF-8: by code point. UTF-16 units alone would put U+1F600 before U+FF21. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const left = a.charCodeAt(index);
    const right = b.charCodeAt(index);
    if (left !== right) return rankOfUnit(left) - rankOfUnit(right);
  }
  return a.length - b.length;
}

/** Moves surrogates, which stand for the highest code points, behind U+E000–U+FFFF. */
function rankOfUnit(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}
