/** What `implies` says is so, and the plain cases are seen. */
import { describe, expect, it } from 'vitest';
import type { Filter } from './ast.js';
import { implies } from './implies.js';
import type { JsonObject } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { createRandom, makeDocument, makeFilter, makeScalar, pick, times } from './random.fixture.js';

const { env } = process;

function filterOf(raw: JsonObject): Filter {
  const parsed = parseFilter(raw);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.filter;
}

describe('a query', () => {
  it.each<[JsonObject, JsonObject, boolean]>([
    [{ a: 1 }, { a: 1 }, true],
    [{ a: 1, b: 2 }, { a: 1 }, true],
    [{ a: 1 }, { a: 1, b: 2 }, false],
    [{ a: 1 }, { a: { $in: [1, 2] } }, true],
    [{ a: { $in: [1, 3] } }, { a: { $in: [1, 2] } }, false],
    [{ a: 7 }, { a: { $gt: 5 } }, true],
    [{ a: 5 }, { a: { $gt: 5 } }, false],
    [{ a: { $gt: 7 } }, { a: { $gt: 5 } }, true],
    [{ a: { $gte: 5 } }, { a: { $gt: 5 } }, false],
    [{ a: { $gt: 5 } }, { a: { $gte: 5 } }, true],
    [{ a: { $lt: 'b' } }, { a: { $lte: 'b' } }, true],
    [{ a: { $lt: 'b' } }, { a: { $lt: 5 } }, false],
    [{ a: { $gt: 5 } }, { a: { $exists: true } }, true],
    [{ a: null }, { a: { $exists: true } }, false],
    [{ a: null }, { a: null }, true],
    [{ a: [1] }, { a: 1 }, false],
    [{ $or: [{ a: 1 }, { a: 2 }] }, { a: { $gte: 1 } }, true],
    [{ $or: [{ a: 1 }, { b: 2 }] }, { a: { $gte: 1 } }, false],
    [{ a: 1 }, { $or: [{ a: 1 }, { b: 1 }] }, true],
    [{ a: { $ne: 1 }, b: 1 }, { a: { $ne: 1 } }, true],
    [{ a: 2 }, { a: { $ne: 1 } }, false],
    [{ 'a.b': 2 }, { 'a.b': { $gt: 1 } }, true],
    [{ a: { $gt: { $date: '2024-02-01' } } }, { a: { $gt: { $date: '2024-01-01' } } }, true],
    [{ a: { $gt: 'x' } }, { a: { $gt: { $date: '2024-01-01' } } }, false],
    [{ a: 1 }, {}, true],
    [{}, { a: 1 }, false],
  ])('%j has the condition %j: %s', (query, condition, expected) => {
    expect(implies(filterOf(query), filterOf(condition))).toBe(expected);
  });
});

it('no document that a query finds is outside of a condition that it implies', { timeout: 30_000 }, () => {
  const seed = Number(env.SEED ?? 11);
  const random = createRandom(seed);
  const documents = times(200, (number) => makeDocument(random, number));
  let implied = 0;
  for (let left = 4_000; left > 0; left -= 1) {
    const path = pick(random, ['a', 'b', 'a.b']);
    const simple = (): JsonObject => ({
      [path]: { [pick(random, ['$gt', '$gte', '$lt', '$lte', '$eq'])]: makeScalar(random) },
    });
    const [query, condition] = [0, 1].map(() => parseFilter(random() < 0.7 ? simple() : makeFilter(random)));
    if (!query?.ok || !condition?.ok || !implies(query.filter, condition.filter)) continue;
    implied += 1;
    const isMet = createMatcher(condition.filter);
    const strays = documents.filter(createMatcher(query.filter)).filter((document) => !isMet(document));
    expect(strays, JSON.stringify({ seed, query, condition })).toEqual([]);
  }
  expect(implied).toBeGreaterThan(100);
});
