/**
 * Which characters are the same letter but for their case. An orbit is a set of code points that simple case mapping leads to one another (k, K and
 * the Kelvin sign). Both evaluators are given the expanded characters, so neither depends on a locale or on its own tables.
 */

/** The lowest member of the code point's orbit: equal for all letters that differ in case alone. */
export function foldCodePoint(codePoint: number): number {
  return orbitOf(codePoint)[0] ?? codePoint;
}

/** The code point and all that differ from it in case alone, ascending. */
export function orbitOf(codePoint: number): readonly number[] {
  return orbits().get(codePoint) ?? [codePoint];
}

/** All orbits of more than one member. */
export function allOrbits(): readonly (readonly number[])[] {
  list ??= [...new Set(orbits().values())];
  return list;
}

let table: Map<number, readonly number[]> | undefined;
let list: readonly (readonly number[])[] | undefined;

/** Built at the first use (some 20 ms); cased letters end below U+20000. */
function orbits(): Map<number, readonly number[]> {
  if (table !== undefined) return table;
  const members = new Map<number, number[]>();
  for (let codePoint = 0; codePoint < 0x20000; codePoint += 1) {
    if (codePoint === 0xd800) codePoint = 0xe000;
    const character = String.fromCodePoint(codePoint);
    if (!/\p{Changes_When_Casemapped}/u.test(character)) continue;
    const key = single(single(character, 'toUpperCase'), 'toLowerCase');
    const found = members.get(key.codePointAt(0) ?? 0);
    if (found === undefined) members.set(key.codePointAt(0) ?? 0, [codePoint]);
    else found.push(codePoint);
  }
  table = new Map();
  for (const orbit of members.values()) {
    if (orbit.length > 1) for (const member of orbit) table.set(member, orbit);
  }
  return table;
}

/** The mapping when it gives one character, else the character itself (ß has no single capital here). */
function single(character: string, mapping: 'toUpperCase' | 'toLowerCase'): string {
  const mapped = character[mapping]();
  return [...mapped].length === 1 ? mapped : character;
}
