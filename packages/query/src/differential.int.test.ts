/**
 * One language, one meaning: Postgres and the matcher are asked the same of the same documents, and must agree on each. `PAIRS` and `SEED` in the environment, or
 * `npm run differential -w packages/query -- --pairs 1000000 --seed 7`, make the random part longer or repeat it.
 */
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDocumentsTable, declaredPaths, fillTable } from './documents-table.fixture.js';
import type { JsonObject, JsonValue } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { createRandom, makeDocument, makeFilter, numbers, texts, times } from './random.fixture.js';
import { SqlParameters } from './sql-parameters.js';
import { toSql } from './to-sql.js';

const { env } = process;
const pairs = Number(env.PAIRS ?? 100_000);
const seed = Number(env.SEED ?? 7);
const documentsPerRound = 50;
const filtersPerRound = 200;
const now = new Date('2024-05-15T10:00:00Z');

describe('Postgres and the matcher agree', () => {
  let client: pg.Client;
  let close: () => Promise<void>;
  beforeAll(async () => {
    ({ client, close } = await createDocumentsTable());
  });
  afterAll(() => close());

  /** Asks both of all documents in the table. Null: the filter is refused. `difference`: the first document on which they differ. */
  async function ask(raw: JsonObject, documents: readonly JsonObject[], isIndexed: boolean) {
    const parsed = parseFilter(raw, { now });
    if (!parsed.ok) return null;
    const parameters = new SqlParameters();
    const sql = toSql(parsed.filter, parameters, isIndexed ? { declaredPaths } : {});
    const { values } = parameters;
    const { rows } = await client
      .query<{ id: string }>(`SELECT id FROM documents WHERE ${sql}`, values)
      .catch((cause: unknown) => {
        throw new Error(`Postgres refuses ${JSON.stringify({ raw, sql, values })}`, { cause });
      });
    const found = new Set(rows.map(({ id }) => id));
    const matches = createMatcher(parsed.filter);
    const matched = documents.filter(matches);
    const document = documents.find((candidate) => matches(candidate) !== found.has(String(candidate._id)));
    const difference =
      document === undefined ? null : { filter: JSON.stringify(raw), document: JSON.stringify(document), sql, values };
    return { difference, matches: matched.length };
  }

  it(`on ${pairs} random pairs of a document and a filter, seed ${seed}`, { timeout: pairs + 60_000 }, async () => {
    const random = createRandom(seed);
    const count = { pairs: 0, matches: 0, refused: 0 };
    while (count.pairs < pairs) {
      const documents = times(documentsPerRound, (index) => makeDocument(random, index));
      await fillTable(client, documents);
      // Both plans: with the indexes wherever they can be used, and without.
      await client.query(`SET enable_seqscan = ${random() < 0.5 ? 'off' : 'on'}`);
      for (let left = filtersPerRound; left > 0; left -= 1) {
        const answer = await ask(makeFilter(random), documents, random() < 0.5);
        if (answer === null) count.refused += 1;
        else {
          expect(answer.difference).toBeNull();
          count.pairs += documents.length;
          count.matches += answer.matches;
        }
      }
    }
    console.info(`seed ${seed}`, count);
    expect(count.refused).toBeLessThan(count.pairs / 1_000);
    expect(count.matches).toBeGreaterThan(count.pairs / 20);
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
          expect(answer?.difference).toBeNull();
        }
      }
    }
    const times = await ask(
      { _created: { $regex: 'T00:00:00[.]000Z$' }, _changed: { $lt: '2025-01-01T00:00:00.001' } },
      documents,
      true,
    );
    expect(times).toEqual({ difference: null, matches: documents.length });
    for (const operator of ['$gt', '$gte', '$lt', '$lte', '$eq', '$ne']) {
      for (const field of ['a', 'b', 'b.0', '_createdby', '_created']) {
        const answer = await ask({ [field]: { [operator]: { $date: '2024-05-01T12:00:00Z' } } }, documents, true);
        expect(answer?.difference).toBeNull();
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
          expect(answer?.difference).toBeNull();
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
      if (answer !== null) expect(answer.difference).toBeNull();
    }
  });
});
