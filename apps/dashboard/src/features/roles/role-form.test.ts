import { expect, test } from 'vitest';
import { mistakesOf, readRole, textOfRole } from './role-form.js';

const author = {
  name: 'author',
  rest: ['*:note', 'GET:city'],
  listen: ['POST:note'],
  publish: [],
  rules: { note: { q: { owner: '$user.sub' } } },
  createdAt: '2026-01-01T00:00:00.000Z',
};

test('a role goes into the form and comes out as it was', () => {
  const { createdAt: _, ...request } = author;
  expect(readRole(textOfRole(author))).toEqual({ ok: true, request });
});

test('words that are no grants, names that are none and text that is no JSON are named', () => {
  const read = readRole({ ...textOfRole(author), name: 'no name', rest: 'GET:a, oops', rules: '{\n"note": ' });
  expect(read.ok).toBe(false);
  if (read.ok) return;
  expect(Object.keys(read.fields).sort()).toEqual(['name', 'rest', 'rules']);
  expect(read.fields.rest).toContain('oops does not fit');
});

test('a mistake within the rules is told with its place, and marks its line', () => {
  const text = textOfRole(author);
  const read = readRole({ ...text, rules: '{\n  "note": {\n    "wrong": 1\n  }\n}' });
  expect(read.ok).toBe(false);
  const field = '/rules/note/q/owner';
  const told = mistakesOf(text, [{ field, message: 'There is no value "$user.x".', allowed: '$user.sub' }]);
  expect(told.fields.rules).toBe('/note/q/owner: There is no value "$user.x". (allowed: $user.sub)');
  expect([...told.lines]).toEqual([4]);
});

test('no rules are no rules', () => {
  expect(readRole({ ...textOfRole(null), name: 'empty', rules: ' ' })).toMatchObject({
    ok: true,
    request: { rules: {} },
  });
});
