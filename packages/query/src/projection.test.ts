import { Query } from 'mingo';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.js';
import { parseProjection, project } from './projection.js';
import { createRandom, makeDocument, pick, times } from './random.fixture.js';

const document: JsonObject = {
  _id: 'x',
  a: 1,
  b: { c: 2, d: [1, { e: 3, f: 4 }] },
  g: [{ h: 1, i: 2 }, 5, [{ h: 3 }]],
  __proto: 0,
};

function projected(fields: unknown): JsonObject {
  const parsed = parseProjection(fields);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return project(parsed.projection, document);
}

describe('a projection', () => {
  it.each<[JsonObject, JsonObject]>([
    [{ a: 1 }, { _id: 'x', a: 1 }],
    [{ a: 1, _id: 0 }, { a: 1 }],
    [
      { a: true, 'b.c': true },
      { _id: 'x', a: 1, b: { c: 2 } },
    ],
    [{ 'b.d.e': 1 }, { _id: 'x', b: { d: [{ e: 3 }] } }],
    [{ 'g.h': 1 }, { _id: 'x', g: [{ h: 1 }, [{ h: 3 }]] }],
    [{ 'a.b': 1 }, { _id: 'x' }],
    [{ nothing: 1 }, { _id: 'x' }],
    [{ _id: 1 }, { _id: 'x' }],
    [
      { b: 0, g: 0, __proto: 0 },
      { _id: 'x', a: 1 },
    ],
    [
      { 'g.h': 0, b: 0, a: false, __proto: 0 },
      { _id: 'x', g: [{ i: 2 }, 5, [{}]] },
    ],
    [
      { _id: 0, b: 0, g: 0 },
      { a: 1, __proto: 0 },
    ],
    [
      { _id: 1, b: 0, g: 0, __proto: 0 },
      { _id: 'x', a: 1 },
    ],
  ])('%j', (fields, expected) => {
    const result = projected(fields);
    expect(result).toEqual(expected);
    expect(Object.keys(result)).toEqual(Object.keys(expected));
  });

  it('of nothing leaves the document as it is', () => {
    expect(projected({})).toBe(document);
    expect(projected(undefined)).toBe(document);
  });

  it.each<[unknown, RegExp]>([
    [{ a: 1, b: 0 }, /either chosen/],
    [{ a: 2 }, /by 1/],
    [{ a: { b: 1 } }, /by 1/],
    [{ a: 1, 'a.b': 1 }, /both named/],
    [{ 'a.b': 1, a: 1 }, /both named/],
    [{ $a: 1 }, /operators/],
    [[], /object/],
    [Object.fromEntries(times(101, (index) => [`f${index}`, 1])), /at most 100/],
  ])('%j is refused', (fields, message) => {
    const parsed = parseProjection(fields);
    expect(parsed.ok ? '' : parsed.errors[0]?.message).toMatch(message);
  });

  it('keeps and leaves out names of Object.prototype like any other', () => {
    const parsed = parseProjection(JSON.parse('{"__proto__": 1, "constructor.name": 1}'));
    if (!parsed.ok) throw new Error('refused');
    const result = project(
      parsed.projection,
      JSON.parse('{"__proto__": {"a": 1}, "constructor": {"name": 2}, "b": 3}'),
    );
    expect(JSON.stringify(result)).toBe('{"__proto__":{"a":1},"constructor":{"name":2}}');
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  });

  it('is what mingo, a third opinion, makes of random documents', () => {
    const seed = 7;
    const random = createRandom(seed);
    let tried = 0;
    for (let left = 3_000; left > 0; left -= 1) {
      const candidate = makeDocument(random, 1);
      // mingo takes no such names, falls over null, and drops the arrays in arrays that MongoDB goes into.
      if (/null|__proto__|constructor|\[\[|,\[|""|\[\]/.test(JSON.stringify(candidate))) continue;
      const paths = times(1 + Math.floor(random() * 2), () =>
        pick(random, ['a', 'b', 'c', 'a.b', 'a.c', 'b.a', 'a.b.c', '_version']),
      );
      const choice = random() < 0.5 ? 1 : 0;
      const fields = Object.fromEntries(paths.map((path) => [path, choice]));
      const parsed = parseProjection(fields);
      if (!parsed.ok) continue;
      tried += 1;
      const [expected] = new Query({}).find<JsonObject>([structuredClone(candidate)], fields as never).all();
      expect(project(parsed.projection, candidate), JSON.stringify({ seed, fields, candidate })).toEqual(expected);
    }
    expect(tried).toBeGreaterThan(500);
  });
});
