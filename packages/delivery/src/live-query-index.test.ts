import { createMatcher } from '@tidewire/query/matcher';
import { parseFilter } from '@tidewire/query/parse-filter';
import { createRandom, makeDocument, makeFilter } from '@tidewire/query/random.fixture';
import { describe, expect, test } from 'vitest';
import { LiveQueryIndex } from './live-query-index.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const rounds = Number(env.ROUNDS ?? 40);

function filterOf(q: unknown) {
  const parsed = parseFilter(q);
  return parsed.ok ? parsed.filter : null;
}

describe('index of live queries', () => {
  test('every query that matches a document is among its candidates (1)', { timeout: 60_000 }, () => {
    const random = createRandom(seed);
    let matches = 0;
    let filed = 0;
    for (let round = 0; round < rounds; round += 1) {
      const index = new LiveQueryIndex<number>();
      const queries = Array.from({ length: 60 }, () => filterOf(makeFilter(random))).filter((one) => one !== null);
      for (const [number, filter] of queries.entries()) index.add(number, filter);
      const matchers = queries.map(createMatcher);
      for (let step = 0; step < 60; step += 1) {
        const document = makeDocument(random, step);
        const candidates = index.candidates([document]);
        filed += queries.length - candidates.size;
        for (const [number, isMatch] of matchers.entries()) {
          if (!isMatch(document)) continue;
          matches += 1;
          expect(candidates.has(number), `seed ${seed}, round ${round}`).toBe(true);
        }
      }
    }
    expect(matches).toBeGreaterThan(1_000);
    expect(filed).toBeGreaterThan(1_000);
  });

  test('a query that asks for one of 100,000 values is found alone', { timeout: 60_000 }, () => {
    const index = new LiveQueryIndex<number>();
    for (let number = 0; number < 100_000; number += 1) index.add(number, filterOf({ owner: number, n: { $gt: 1 } }));
    expect([...index.candidates([{ owner: 77_777 }, { owner: 'other' }])]).toEqual([77_777]);
  });

  test('a removed query is not found again, and the others are (2)', () => {
    const index = new LiveQueryIndex<string>();
    index.add('a', filterOf({ city: { $in: ['Oslo', 'Rome'] } }));
    index.add('b', filterOf({ city: 'Oslo' }));
    index.add('all', null);
    index.remove('a');
    expect([...index.candidates([{ city: 'Oslo' }])].sort()).toEqual(['all', 'b']);
    expect([...index.candidates([{ city: 'Rome' }])]).toEqual(['all']);
    index.remove('b');
    index.remove('all');
    expect(index.size).toBe(0);
    expect([...index.candidates([{ city: 'Oslo' }])]).toEqual([]);
  });
});
