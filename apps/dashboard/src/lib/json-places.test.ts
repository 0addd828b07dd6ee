import { expect, test } from 'vitest';
import { findJsonPlaces, lineOf, nearestPlace, readJson } from './json-places.js';

const text = `{
  "type": "object",
  "properties": {
    "a/b": { "enum": ["x", {"~": [1, 2]}] },
    "c,}": true
  }
}`;

test('every key and every item is found where it stands', () => {
  const places = findJsonPlaces(text);
  const at = (pointer: string) => text.slice(places.get(pointer) ?? text.length);
  expect(at('')).toBe(text);
  expect(at('/properties/a~1b')).toMatch(/^"a\/b"/);
  expect(at('/properties/a~1b/enum/0')).toMatch(/^"x"/);
  expect(at('/properties/a~1b/enum/1/~0')).toMatch(/^"~"/);
  expect(at('/properties/a~1b/enum/1/~0/1')).toMatch(/^2/);
  expect(at('/properties/c,}')).toMatch(/^"c,}"/);
  expect(places.size).toBe(11);
});

test('what is missing is shown at the nearest thing that is there', () => {
  const places = findJsonPlaces(text);
  expect(lineOf(text, nearestPlace(places, '/properties/c,}/fieldType'))).toBe(5);
  expect(lineOf(text, nearestPlace(places, '/nothing/of/this'))).toBe(1);
  expect(nearestPlace(new Map(), 'no pointer')).toBe(0);
});

test('a mistake is told with its line where it is known', () => {
  expect(readJson('{"a":1}')).toEqual({ ok: true, value: { a: 1 } });
  expect(readJson('{\n"a":1,\n}')).toMatchObject({ ok: false, line: 3 });
  expect(readJson('{\n"a":1')).toMatchObject({ ok: false, line: 2 });
  expect(readJson('  ')).toMatchObject({ ok: false, line: null });
});
