import { expect, it } from 'vitest';
import { canonicalText } from './canonical-text.js';
import { equalityTerms, termValuesOf } from './equality-terms.js';
import type { JsonObject } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { createRandom, makeDocument, makeFilter, times } from './random.fixture.js';

function filterOf(raw: JsonObject) {
  const parsed = parseFilter(raw, { now: new Date('2024-05-15T10:00:00Z') });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.filter;
}

it.each<[JsonObject, JsonObject]>([
  [
    { a: 1, b: 2 },
    { b: 2, a: 1 },
  ],
  [{ a: 1 }, { a: { $eq: 1 } }],
  [{ a: 1 }, { a: { $in: [1, 1] } }],
  [{ a: { $in: [1, 2] } }, { a: { $in: [2, 1] } }],
  [{ a: { $ne: 1 } }, { a: { $not: { $eq: 1 } } }],
  [{ a: { $bt: [1, 5] } }, { a: { $lte: 5, $gte: 1 } }],
  [{ $and: [{ a: 1 }, { $and: [{ b: 1 }, { a: 1 }] }] }, { b: 1, a: 1 }],
  [{ $nor: [{ a: 1 }, { b: 1 }] }, { a: { $ne: 1 }, b: { $ne: 1 } }],
  [{ $not: { $or: [{ a: 1 }, { $nor: [{ b: 1 }] }] } }, { b: 1, a: { $ne: 1 } }],
  [{ a: { x: 1, y: -0 } }, { a: { y: 0, x: 1 } }],
  [{ a: { $date: '2024-05-01' } }, { a: '2024-05-01T00:00:00.000Z' }],
  [{ $or: [{ a: 1 }, {}] }, {}],
  [{ a: { $regex: 'x', $options: 'i' } }, { a: { $regex: '[xX]' } }],
])('%j and %j are one query', (one, other) => {
  expect(canonicalText(filterOf(one))).toBe(canonicalText(filterOf(other)));
});

it.each<[JsonObject, JsonObject]>([
  [{ a: 1 }, { a: '1' }],
  [{ a: 1 }, { b: 1 }],
  [{ 'a.b': 1 }, { a: { b: 1 } }],
  [{ a: { $gt: { $date: '2024-05-01' } } }, { a: { $gt: '2024-05-01T00:00:00.000Z' } }],
  [{ a: { $elemMatch: { b: 1 } } }, { 'a.b': 1 }],
  [{ $or: [{ a: 1 }, { b: 1 }] }, { a: 1, b: 1 }],
  [{ a: { $in: [] } }, {}],
])('%j and %j are two', (one, other) => {
  expect(canonicalText(filterOf(one))).not.toBe(canonicalText(filterOf(other)));
});

const seed = 7;

it(`a document matches only filters whose equality terms it fulfils; equal texts mean equal answers (seed ${seed})`, {
  timeout: 60_000,
}, () => {
  const random = createRandom(seed);
  const documents = times(60, (index) => makeDocument(random, index));
  const answers = new Map<string, string>();
  const wrong: unknown[] = [];
  let terms = 0;
  for (let left = 4_000; left > 0; left -= 1) {
    const parsed = parseFilter(makeFilter(random));
    if (!parsed.ok) continue;
    const matches = createMatcher(parsed.filter);
    const answer = documents.map((document) => (matches(document) ? '1' : '0')).join('');
    const text = canonicalText(parsed.filter);
    if ((answers.get(text) ?? answer) !== answer) wrong.push(text);
    answers.set(text, answer);
    for (const { path, values } of equalityTerms(parsed.filter)) {
      for (const document of documents.filter(matches)) {
        terms += 1;
        if (!termValuesOf(document, path).some((value) => values.includes(value))) wrong.push({ path, document });
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(terms).toBeGreaterThan(100);
});
