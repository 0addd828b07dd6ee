/** Regular expressions mean the same in Postgres and in memory, and none takes long in either. */

import type pg from 'pg';
import { RE2JS } from 're2js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLinguisticDatabase } from './documents-table.fixture.js';
import { parsePattern } from './pattern.js';
import { texts as commonTexts, createRandom, pick, type Random, times } from './random.fixture.js';
import { slowPatterns } from './slow-patterns.fixture.js';

const { env } = process;
const patternsCount = Number(env.PATTERNS ?? 1_500);
const seed = Number(env.SEED ?? 7);

const pieces: [string, ...string[]] = [
  'a',
  'b',
  'A',
  'k',
  's',
  'ſ',
  'é',
  'É',
  '😀',
  '日',
  '0',
  '9',
  '_',
  '-',
  ' ',
  '%',
  "'",
  '"',
  '/',
  ',',
  '#',
  '~',
  '<',
  '=',
  '!',
  ':',
  ';',
  '@',
  '&',
  '.',
  '\\d',
  '\\D',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\n',
  '\\t',
  '\\.',
  '\\\\',
  '\\*',
  '\\[',
  '\\(',
  '\\$',
  '\\^',
  '\\x41',
  '\\x{1F600}',
  '\\u00e9',
  '[ab]',
  '[^ab]',
  '[a-c]',
  '[^a-c0-9]',
  '[\\d_]',
  '[^\\s]',
  '[\\W]',
  '[é-ü]',
  '[😀-😂]',
  '[-a]',
  '[a-]',
  '[]a]',
  '[^]]',
  '[\\]\\-\\\\]',
  '[A-Z]',
  '[^\\D]',
  '[\\u0001-\\x{10FFFF}]',
  '^',
  '$',
  '|',
  '(',
  ')',
  '(?:',
  '*',
  '+',
  '?',
  '{2}',
  '{1,3}',
  '{0,2}',
  '{2,}',
  '{0}',
  '{',
  '}',
  ']',
  '*?',
  '+?',
];
const characters = [
  ...'abcAkKsSſéÉü😀😁日0_9- %\'"\n\t\r.\\*[($^',
  '\u212a',
  '\u2028',
  '\u{10ffff}',
  '\u0085',
  '\u00a0',
  '\u0001',
];

const makePattern = (random: Random) => times(1 + Math.floor(random() * 6), () => pick(random, pieces)).join('');
const makeText = (random: Random) =>
  times(Math.floor(random() * 6), () => pick(random, characters as [string, ...string[]])).join('');

describe(`regular expressions, seed ${seed}`, () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createLinguisticDatabase());
  });
  afterAll(() => close());

  const ask = async (postgres: string, texts: readonly string[]): Promise<boolean[]> => {
    const { rows } = await client.query(
      `SELECT to_jsonb(text) @? $1::jsonpath AS found FROM unnest($2::text[]) WITH ORDINALITY AS item(text, place) ORDER BY place`,
      [`$ ? (@ like_regex ${JSON.stringify(postgres)} flag "s")`, texts],
    );
    return rows.map(({ found }) => found === true);
  };

  it(`${patternsCount} random patterns find the same texts in both engines`, { timeout: 300_000 }, async () => {
    const random = createRandom(seed);
    let tried = 0;
    let found = 0;
    while (tried < patternsCount) {
      const source = makePattern(random);
      const parsed = parsePattern(source, random() < 0.4);
      if (!parsed.ok) continue;
      tried += 1;
      const texts = [...times(25, () => makeText(random)), ...commonTexts.slice(0, 15)];
      const re2 = RE2JS.compile(parsed.pattern.re2);
      const expected = texts.map((text) => re2.test(text));
      found += expected.filter(Boolean).length;
      const answers = await ask(parsed.pattern.postgres, texts).catch((cause: unknown) => {
        throw new Error(`Postgres refuses ${source}: ${parsed.pattern.postgres}`, { cause });
      });
      expect(answers, `${source} ${parsed.pattern.ignoreCase} ${JSON.stringify(texts)}`).toEqual(expected);
    }
    expect(found).toBeGreaterThan(tried);
  });

  it.each(slowPatterns)('%s is refused, or both engines come to the same end', async (source) => {
    const parsed = parsePattern(source, false);
    if (!parsed.ok) return expect(parsed.message).not.toBe('');
    const texts = [
      'a'.repeat(20_000),
      `${'a'.repeat(20_000)}!`,
      'ab c1'.repeat(4_000),
      `${'ks'.repeat(10_000)}x`,
      '😀'.repeat(10_000),
      times(40_000, (index) => String.fromCharCode(97 + ((index * index * 7919) % 26))).join(''),
    ];
    const expected = texts.map((text) => RE2JS.compile(parsed.pattern.re2).test(text));
    expect(await ask(parsed.pattern.postgres, texts)).toEqual(expected);
  });
});
