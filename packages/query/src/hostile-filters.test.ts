/** Class B3 of hostile input: whatever is sent as a filter is taken or refused with its place; nothing falls, nothing is changed. `SEED` makes it another. */
import { describe, expect, it } from 'vitest';
import { isJsonObject, memberOf } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { createRandom, makeDocument, makeHostileFilter, times } from './random.fixture.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const filters = 50_000;

/** MongoDB's operators that run code, join, or are not JSON's, and names that only look like operators. */
const refused = [
  ...['$where', '$expr', '$function', '$accumulator', '$lookup', '$jsonSchema', '$comment', '$sampleRate', '$rand'],
  ...['$mod', '$geoWithin', '$near', '$bitsAllSet', '$slice', '$meta', '$GT', '$gt ', '$', '$$ROOT', '$__proto__'],
];

describe('an operator that is none is refused with its place, wherever it stands', () => {
  it.each(refused)('%s', (operator) => {
    const places: [unknown, string][] = [
      [{ [operator]: 1 }, `/${operator}`],
      [{ a: { [operator]: 1 } }, `/a/${operator}`],
      [{ $and: [{ b: 1 }, { [operator]: [] }] }, `/$and/1/${operator}`],
      [{ $not: { $nor: [{ a: { $not: { [operator]: 1 } } }] } }, `/$not/$nor/0/a/$not/${operator}`],
      [{ a: { $elemMatch: { b: 1, [operator]: 1 } } }, `/a/$elemMatch/${operator}`],
      [{ a: { $elemMatch: { c: { [operator]: 1 } } } }, `/a/$elemMatch/c/${operator}`],
      [{ a: { $all: [{ $elemMatch: { c: { [operator]: 1 } } }] } }, `/a/$all/0/$elemMatch/c/${operator}`],
      [{ a: { $in: [1, { [operator]: 1 }] } }, `/a/$in/1/${operator}`],
      [{ a: { $eq: { b: [{ [operator]: 1 }] } } }, `/a/$eq/b/0/${operator}`],
      [{ [`a.${operator}`]: 1 }, `/a.${operator}`],
    ];
    for (const [raw, place] of places) {
      const parsed = parseFilter(raw);
      expect(parsed.ok ? [] : parsed.errors.map(({ field }) => field), JSON.stringify(raw)).toContain(place);
    }
  });
});

it(`${filters} filters of any shape are taken, or refused with places that are in them (seed ${seed})`, {
  timeout: 60_000,
}, () => {
  const random = createRandom(seed);
  const documents = times(3, (index) => makeDocument(random, index));
  const count = { taken: 0, refused: 0 };
  const wrong: unknown[] = [];
  for (let left = filters; left > 0; left -= 1) {
    const raw = makeHostileFilter(random);
    const text = JSON.stringify(raw);
    const parsed = parseFilter(raw);
    if (parsed.ok) documents.map(createMatcher(parsed.filter));
    else if (!parsed.errors.every(({ field, message }) => isPlaceIn(raw, field) && message !== '')) wrong.push(raw);
    if (JSON.stringify(raw) !== text) wrong.push(text);
    count[parsed.ok ? 'taken' : 'refused'] += 1;
  }
  expect(wrong).toEqual([]);
  expect(Math.min(count.taken, count.refused)).toBeGreaterThan(filters / 50);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

/** Whether what holds the place is in the value; its last step may be what is missing. */
function isPlaceIn(value: unknown, pointer: string): boolean {
  const steps = pointer.split('/').slice(1, -1);
  let at = value;
  for (const step of steps) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    at = Array.isArray(at) ? at[Number(key)] : isJsonObject(at) ? memberOf(at, key) : undefined;
  }
  return typeof at === 'object' && at !== null;
}
