/** The words that Postgres finds in a document are those that queries look for in the index. */
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { allOrbits } from './case-orbits.js';
import { createLinguisticDatabase } from './documents-table.fixture.js';
import type { JsonObject } from './json.js';
import { createRandom, makeDocument, texts, times } from './random.fixture.js';
import { createWordsFunction, indexedWord, wordsFunction } from './text-index.js';
import { splitWords } from './text-search.js';

const { env } = process;
let client: pg.Client;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ client, close } = await createLinguisticDatabase());
  await client.query(createWordsFunction());
});
afterAll(() => close());

async function wordsOf(document: JsonObject): Promise<string[]> {
  const { rows } = await client.query(`SELECT ${wordsFunction}($1::jsonb) AS words`, [JSON.stringify(document)]);
  const words: string[] = rows[0]?.words ?? [];
  return [...new Set(words)].filter((word) => word !== '');
}

function wordsIn(value: unknown): string[] {
  if (typeof value === 'string') return splitWords(value).map(indexedWord);
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(wordsIn) : [];
}

it('random documents have the same words in Postgres and in memory', async () => {
  const random = createRandom(Number(env.SEED ?? 5));
  for (let left = 300; left > 0; left -= 1) {
    const { _id, _created, _changed, _createdby, _changedby, _version, ...fields } = makeDocument(random, left);
    expect(new Set(await wordsOf(fields)), JSON.stringify(fields)).toEqual(new Set(wordsIn(fields)));
  }
});

it('every letter with a case has the same word as its other cases', async () => {
  for (const orbit of allOrbits()) {
    const words = await wordsOf({ all: orbit.map((codePoint) => `x${String.fromCodePoint(codePoint)}`) });
    expect(words, JSON.stringify(orbit)).toHaveLength(1);
  }
});

it('odd texts, long words and documents without texts are taken', async () => {
  for (const text of texts)
    expect(new Set(await wordsOf({ text }))).toEqual(new Set(splitWords(text).map(indexedWord)));
  const long = times(5_000, (index) => String.fromCodePoint(0x4e00 + index)).join('');
  expect(await wordsOf({ long })).toEqual([indexedWord(long)]);
  expect(await wordsOf({ a: 1, b: [] })).toEqual([]);
});
