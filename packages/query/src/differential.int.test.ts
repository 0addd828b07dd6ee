/**
 * One language, one meaning: Postgres and memory are asked the same of the same documents, and must agree on each. `PAIRS`, `SEED` and `MODES` (a list with commas) in the
 * environment change the random part; `npm run differential -w packages/query -- --pairs 1000000 --seed 7` is its long form, and `DIFFERENTIAL_REPORT` the file in which that finds
 * what was compared.
 */
import { appendFileSync } from 'node:fs';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askFilter, compareAtRandom, type Mode, modes } from './differential.fixture.js';
import { createDocumentsTable, fillTable } from './documents-table.fixture.js';
import type { JsonObject, JsonValue } from './json.js';
import { createRandom, makeDocument, makeHostileFilter, numbers, texts, times } from './random.fixture.js';

const { env } = process;
const pairs = Number(env.PAIRS ?? 100_000);
const seed = Number(env.SEED ?? 7);
const wanted: readonly string[] = env.MODES?.split(',') ?? modes;
/** Pairs in which the query finds the document, at least: else the queries would be about nothing. */
const leastHits: Record<Mode, number> = { filters: pairs / 20, sort: pairs, aggregation: pairs };

describe('Postgres and memory agree', () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createDocumentsTable());
  });
  afterAll(() => close());

  const ask = (raw: JsonObject, documents: readonly JsonObject[], isIndexed: boolean) =>
    askFilter({ client, documents, isIndexed }, raw);

  it.each(modes.filter((mode) => wanted.includes(mode)))(
    `on ${pairs} random pairs of a document and a query, %s, seed ${seed}`,
    { timeout: 2 * pairs + 120_000 },
    async (mode) => {
      const tell = (progress: string) => console.info(progress);
      const tally = await compareAtRandom(client, mode, { pairs, seed, tell });
      if (env.DIFFERENTIAL_REPORT !== undefined) {
        appendFileSync(env.DIFFERENTIAL_REPORT, `${JSON.stringify({ mode, seed, ...tally })}\n`);
      }
      expect(tally.samples).toEqual([]);
      expect(tally.refused).toBeLessThan(10 + pairs / 1_000);
      expect(tally.hits).toBeGreaterThanOrEqual(leastHits[mode]);
    },
  );

  it(`on whatever the parser takes of 20000 malformed filters, and Postgres refuses none, seed ${seed}`, {
    timeout: 120_000,
  }, async () => {
    const random = createRandom(seed);
    const documents = times(20, (index) => makeDocument(random, index));
    await fillTable(client, documents);
    let taken = 0;
    for (let left = 20_000; left > 0; left -= 1) {
      const answer = await ask(makeHostileFilter(random), documents, true);
      if (answer === null) continue;
      taken += 1;
      expect(answer.differences).toEqual([]);
    }
    expect(taken).toBeGreaterThan(1_000);
  });

  it('on the order of all pairs of texts and numbers, in fields, arrays and metafields', {
    timeout: 120_000,
  }, async () => {
    const scalars: JsonValue[] = [...texts, ...numbers, true, false, null];
    const documents = scalars.map((value, index) => ({
      ...makeDocument(createRandom(1), index),
      a: value,
      b: [value],
      _created: '2024-05-01T00:00:00.000Z',
      _changed: '2024-12-31T23:59:59.999Z',
      _createdby: String(value),
    }));
    await fillTable(client, documents);
    for (const operand of scalars) {
      for (const operator of ['$gt', '$gte', '$lt', '$lte', '$eq', '$ne']) {
        for (const field of ['a', 'b', 'b.0', '_createdby']) {
          const answer = await ask({ [field]: { [operator]: operand } }, documents, true);
          expect(answer?.differences).toEqual([]);
        }
      }
    }
    const times = await ask(
      { _created: { $regex: 'T00:00:00[.]000Z$' }, _changed: { $lt: '2025-01-01T00:00:00.001' } },
      documents,
      true,
    );
    expect(times).toEqual({ compared: documents.length, hits: documents.length, differences: [] });
    for (const operator of ['$gt', '$gte', '$lt', '$lte', '$eq', '$ne']) {
      for (const field of ['a', 'b', 'b.0', '_createdby', '_created']) {
        const answer = await ask({ [field]: { [operator]: { $date: '2024-05-01T12:00:00Z' } } }, documents, true);
        expect(answer?.differences).toEqual([]);
      }
    }
  });

  it('on every shape of objects and arrays in each other, for every shape of path', { timeout: 120_000 }, async () => {
    const leaves: JsonValue[] = [1, null, [], {}, [1], [[1]]];
    const wraps: ((value: JsonValue) => JsonValue)[] = [
      (value) => ({ b: value }),
      (value) => [value],
      (value) => [{ b: value }],
      (value) => [[{ b: value }]],
      (value) => ({ 0: value }),
      (value) => [{ 0: value }],
      (value) => [2, { c: value } as JsonObject, { b: value } as JsonObject],
    ];
    const once = leaves.flatMap((leaf) => wraps.map((wrap) => wrap(leaf)));
    const values = [...leaves, ...once, ...once.flatMap((value) => wraps.map((wrap) => wrap(value)))];
    const documents = values.map((a, index) => ({ ...makeDocument(createRandom(1), index), a }));
    await fillTable(client, documents);
    const paths = [
      'a',
      'a.b',
      'a.0',
      'a.1',
      'a.0.b',
      'a.b.0',
      'a.0.0',
      'a.b.b',
      'a.b.0.b',
      'a.0.b.0',
      'a.0.0.0',
      'a.b.c',
    ];
    const elements: JsonValue[] = [
      { $eq: 1 },
      { b: 1 },
      { b: null },
      { 0: 1 },
      { $eq: [1] },
      { $elemMatch: { $eq: 1 } },
      { 'b.0': 1 },
    ];
    const operands: JsonValue[] = [
      ...[1, null, [], {}, [1], { b: 1 }, { b: [1] }, [{ b: 1 }]],
      ...[
        { $gt: 0 },
        { $gte: null },
        { $exists: true },
        { $size: 1 },
        { $size: 0 },
        { $in: [null, 5] },
        { $in: [[], {}] },
        { $regex: '1' },
      ],
      ...['array', 'number', 'object', 'null'].map((name) => ({ $type: name })),
      ...elements.map((element) => ({ $elemMatch: element })),
      ...elements.map((element) => ({ $all: [{ $elemMatch: element }] })),
    ];
    for (const path of paths) {
      for (const operand of operands) {
        const raws: JsonObject[] = [
          { [path]: operand },
          { $nor: [{ [path]: operand }] },
          { a: { $elemMatch: { [path.slice(2) || 'b']: operand } } },
        ];
        for (const raw of raws) {
          const answer = await ask(raw, documents, true);
          expect(answer?.differences).toEqual([]);
        }
      }
    }
  });

  it('on where words begin and end, for every kind of character', { timeout: 60_000 }, async () => {
    const codePoints = [
      ...times(0x180, (index) => index + 1),
      ...[0x2000, 0x206f, 0x2070, 0x3000, 0x3005, 0x3041, 0xfeff, 0xff00, 0xff10, 0xff1a, 0xff21, 0x1f600, 0x1f1e6],
    ];
    const documents = codePoints.map((codePoint, index) => {
      const character = String.fromCodePoint(codePoint);
      return {
        ...makeDocument(createRandom(1), index),
        a: `x${character}y ${character}`,
        b: [`z${character}`, { c: character }],
      };
    });
    await fillTable(client, documents);
    const searches = [
      'x',
      'y',
      'z',
      '"x y"',
      '-x z',
      ...codePoints.map((codePoint) => String.fromCodePoint(codePoint)),
    ];
    for (const search of searches) {
      const answer = await ask({ $text: { $search: search } }, documents, false);
      if (answer !== null) expect(answer.differences).toEqual([]);
    }
  });
});
