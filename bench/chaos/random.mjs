/** Random numbers that the seed decides alone. Each actor has a sequence of its own, so that timing cannot shift anybody's numbers. */

/** @typedef {ReturnType<typeof createRandom>} Random */

/** @param {number} seed @param {string} actor */
export function createRandom(seed, actor) {
  let state = hash(`${seed}/${actor}`);

  /** Mulberry32 (public domain, Tommy Ettinger): 0 ≤ x < 1. */
  function next() {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }
  const integer = (from, to) => from + Math.floor(next() * (to - from + 1));
  return {
    next,
    /** Both ends included. */
    integer,
    /** @template T @param {readonly T[]} list @returns {T} */
    pick: (list) => list[integer(0, list.length - 1)],
    chance: (probability) => next() < probability,
    /** @template T @param {readonly T[]} list @returns {T[]} */
    shuffle(list) {
      const mixed = [...list];
      for (let last = mixed.length - 1; last > 0; last -= 1) {
        const other = integer(0, last);
        [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
      }
      return mixed;
    },
  };
}

/** FNV-1a. */
function hash(text) {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return value | 0;
}
