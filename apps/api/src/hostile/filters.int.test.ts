/** Filters that mean harm, or mean something else than they seem to: refused, or exactly the documents that the matcher in memory finds. */
import { isJsonObject, type JsonObject, type JsonValue } from '@tidewire/query/json';
import { createMatcher } from '@tidewire/query/matcher';
import { comparisons, parseFilter } from '@tidewire/query/parse-filter';
import {
  createRandom,
  makeFields,
  makeFilter,
  makeHostileFilter,
  type Random,
  times,
} from '@tidewire/query/random.fixture';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  createTally,
  eachOf,
  escapeText,
  expectRefusal,
  expectTried,
  type HostileApi,
  startHostileApi,
} from './hostile.fixture.js';

const { env } = process;
const randomCount = Number(env.FILTERS ?? 10_000);
const seed = Number(env.SEED ?? 7);

let hostile: HostileApi;
/** As reads show them, with the metafields that queries see. */
let documents: (JsonObject & { _id: string })[];

beforeAll(async () => {
  hostile = await startHostileApi();
  documents = await store('target', createRandom(seed), 24);
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

async function store(collection: string, random: Random, count: number): Promise<typeof documents> {
  const body = JSON.stringify(times(count, () => storable(makeFields(random))));
  const { status, text } = await hostile.send({ method: 'POST', path: `/rest/${collection}`, body });
  expect(`${status} ${text.slice(0, 300)}`).toMatch(/^201 /);
  const made = JSON.parse(text) as (JsonObject & { _id: string })[];
  return made.map(({ _keywords, _tags, ...document }) => document as JsonObject & { _id: string });
}

/** Without the names that no document may have. */
function storable<V extends JsonValue>(value: V, isRoot = true): V {
  if (Array.isArray(value)) return value.map((item) => storable(item, false)) as V;
  if (!isJsonObject(value)) return value;
  const entries = Object.entries(value).filter(
    ([name]) => name !== '__proto__' && !(isRoot ? /^[_$]/ : /^\$/).test(name),
  );
  return Object.fromEntries(entries.map(([name, item]) => [name, storable(item, false)])) as V;
}

const ask = (text: string, collection = 'target') =>
  hostile.send({ path: `/rest/${collection}?q=${escapeText(text)}` });
const idsOf = ({ text }: Answer) => (JSON.parse(text) as { _id: string }[]).map(({ _id }) => _id);

/** 400 when the parser refuses it, else the very documents. Returns how many there were. */
async function expectSame(
  raw: JsonValue,
  among: typeof documents,
  collection: string,
  answered?: Answer,
): Promise<number> {
  const text = JSON.stringify(raw);
  const answer = answered ?? (await ask(text, collection));
  const parsed = parseFilter(raw);
  if (!parsed.ok) {
    expectRefusal(answer, text, [text]);
    return 0;
  }
  const expected = among.filter(createMatcher(parsed.filter)).map(({ _id }) => _id);
  const isSame = answer.status === 200 && idsOf(answer).join() === expected.join();
  if (!isSame)
    expect({ text, status: answer.status, found: answer.text.slice(0, 500) }).toEqual({
      text,
      status: 200,
      found: expected,
    });
  return expected.length;
}

/** Of MongoDB's language and others: what runs code, reads elsewhere, or is simply not known here. */
const foreignOperators = [
  ...[
    '$where',
    '$function',
    '$accumulator',
    '$expr',
    '$jsonSchema',
    '$lookup',
    '$graphLookup',
    '$unionWith',
    '$merge',
    '$out',
    '$eval',
    '$exec',
  ],
  ...[
    '$mod',
    '$rand',
    '$sampleRate',
    '$comment',
    '$hint',
    '$maxTimeMS',
    '$query',
    '$orderby',
    '$returnKey',
    '$showDiskLoc',
    '$natural',
    '$slice',
  ],
  ...[
    '$geoWithin',
    '$geoIntersects',
    '$near',
    '$nearSphere',
    '$box',
    '$center',
    '$geometry',
    '$bitsAllSet',
    '$bitsAnyClear',
    '$meta',
    '$elemmatch',
  ],
  ...[
    '$AND',
    '$Or',
    '$GT',
    '$ne ',
    ' $ne',
    '$',
    '$$',
    '$$ROOT',
    '$ref',
    '$id',
    '$db',
    '$regexp',
    '$like',
    '$ilike',
    '$between',
    '$startsWith',
    '$sql',
  ],
  ...[
    '$raw',
    '$queryRaw',
    '$set',
    '$inc',
    '$unset',
    '$push',
    '$proto',
    '$__proto__',
    '$constructor',
    '$toString',
    '$where\u0000',
    '\uff04where',
    '$\u200bgt',
  ],
];
const isOperator = (name: string) => name.startsWith('$');
const nested = (depth: number, inner: JsonValue): JsonValue =>
  times(depth, () => 0).reduce<JsonValue>((within) => ({ $nor: [within] }), inner);
const negated = (depth: number): JsonValue =>
  times(depth, () => 0).reduce<JsonValue>((within) => ({ $not: within }), { $gt: 1 });

const refused: [name: string, text: string][] = [
  ...foreignOperators.filter(isOperator).flatMap((name): [string, string][] => {
    const own = JSON.stringify(name);
    return [
      [`${name} at the root`, `{${own}:"sleep(1000)"}`],
      [`${name} of a field`, `{"a":{${own}:1}}`],
      [`${name} within $and`, `{"$and":[{"a":1},{${own}:["$a",1]}]}`],
      [`${name} within $elemMatch`, `{"a":{"$elemMatch":{${own}:1}}}`],
      [`${name} within $not`, `{"a":{"$not":{${own}:1}}}`],
      [`${name} beside a good operator`, `{"a":{"$gt":0,${own}:1}}`],
      [`${name} in a value`, `{"a":{"b":{${own}:1}}}`],
      [`${name} at the head of a path`, `{${JSON.stringify(`${name}.a`)}:1}`],
      // The two keys of a reference are fields of it.
      ...(['$ref', '$id'].includes(name)
        ? []
        : [[`${name} in a path`, `{${JSON.stringify(`a.${name}`)}:1}`] as [string, string]]),
    ];
  }),
  ...[9, 10, 100, 400].map((depth): [string, string] => [
    `$nor ${depth} deep`,
    JSON.stringify(nested(depth, { a: 1 })),
  ]),
  ...[9, 100, 500].map((depth): [string, string] => [`$not ${depth} deep`, JSON.stringify({ a: negated(depth) })]),
  ['101 conditions', JSON.stringify({ $or: times(101, (n) => ({ a: n })) })],
  ['101 fields', JSON.stringify(Object.fromEntries(times(101, (n) => [`f${n}`, 1])))],
  ['1,001 values of $in', JSON.stringify({ a: { $in: times(1_001, (n) => n) } })],
  ['a value 33 deep', `{"a":${'['.repeat(34)}${']'.repeat(34)}}`],
  ['a path of 17 segments', JSON.stringify({ [times(17, () => 'a').join('.')]: 1 })],
  ['a path of 513 characters', JSON.stringify({ ['a'.repeat(513)]: 1 })],
  ['a path with four indexes', '{"a.0.0.0.0":1}'],
  ['an empty path', '{"":1}'],
  ['NUL in a path', '{"a\\u0000":1}'],
  ['NUL in a value', '{"a":"\\u0000"}'],
  ['a lone surrogate', '{"a":{"$in":["\\ud800"]}}'],
  ['a number beyond a double', '{"a":1e999}'],
  ...[
    '',
    ' ',
    '{',
    '[]',
    '[{}]',
    '"a"',
    '1',
    'null',
    'true',
    '{"a":1}x',
    "{'a':1}",
    '{a:1}',
    '{"a":NaN}',
    '{"a":undefined}',
    '\ufeff{}',
    '{"a":function(){}}',
    '{"a":/x/}',
  ].map((text): [string, string] => [`no object: ${text}`, text]),
];

/** With operands of every type for every operator; and what looks like a way around a check. */
const operands: JsonValue[] = [
  null,
  0,
  -1,
  1.5,
  true,
  '',
  'a',
  [],
  [1],
  [[]],
  [{}],
  {},
  { a: 1 },
  { $gt: '' },
  { $ne: null },
  { $date: 'x' },
  { $date: '2024-05-01' },
  1e308,
];
const metafieldOperands: JsonValue[] = [
  null,
  1,
  '',
  { $ne: null },
  { $gt: '' },
  { $exists: true },
  { $in: [] },
  { $regex: '.' },
];
const doubtful: JsonValue[] = [
  ...comparisons.flatMap((operator) => operands.map((operand): JsonObject => ({ a: { [operator]: operand } }))),
  ...['$and', '$or', '$nor', '$not', '$text'].flatMap((operator) =>
    operands.map((operand): JsonObject => ({ [operator]: operand })),
  ),
  ...['_id', '_created', '_version', '_createdby', '_keywords', '_tags', '_x'].flatMap((name) =>
    metafieldOperands.map((operand): JsonObject => ({ [name]: operand })),
  ),
  ...[
    "it's",
    '"q"',
    'a b',
    'a"b',
    '\\',
    'a.b',
    '.',
    'a.',
    '.a',
    'a..b',
    '0',
    '-1',
    'é',
    '😀',
    '%',
    '*',
    '**',
    '@',
    '@.a',
    '[0]',
    'a[0]',
    'a->b',
    "a'->>'b",
  ].map((name): JsonObject => ({ [name]: { $exists: true } })),
  { a: { $options: 'i' } },
  { a: { $regex: 'A', $options: 'x' } },
  { a: { $gt: 0, b: 1 } },
  { a: { b: 1, $gt: 0 } },
  { $and: [{ $or: [{ $nor: [{ a: { $ne: null } }] }] }] },
  { a: { $in: [{ $regex: '.' }] } },
  { a: { $all: [] } },
  { a: { $type: 'function' } },
];

describe('filters', { timeout: 120_000 }, () => {
  const tally = createTally();

  it(`of operators and shapes that the language does not have are refused in reads and in writes: ${refused.length}`, async () => {
    const before = await hostile.takeStock();
    await eachOf(refused, 4, async ([name, text], index) => {
      const read = await ask(text);
      tally.note(read);
      expectRefusal(read, name, [text]);
      expect(read.status, name).toBe(400);
      const query = `q=${escapeText(text)}&confirm=true`;
      const write = index % 2 === 0 ? { method: 'DELETE' } : { method: 'PATCH', body: '{"a":0}' };
      const written = await hostile.send({ ...write, path: `/rest/target/*?${query}` });
      tally.note(written);
      expectRefusal(written, `${write.method} ${name}`, [text]);
    });
    expect(await hostile.takeStock()).toBe(before);
  });

  it(`with operands of any type are refused, or find what the matcher finds: ${doubtful.length}`, async () => {
    let accepted = 0;
    await eachOf(doubtful, 4, async (raw) => {
      const answer = await ask(JSON.stringify(raw));
      tally.note(answer);
      if (answer.status === 200) accepted += 1;
      await expectSame(raw, documents, 'target', answer);
    });
    expect(accepted).toBeGreaterThan(doubtful.length / 4);
  });

  it('let nobody past a comparison with an object in the place of a text', async () => {
    const made = await hostile.send({
      method: 'POST',
      path: '/rest/accounts',
      body: '{"user":"ada","secret":"s3cr3t"}',
    });
    expect(made.status).toBe(201);
    for (const secret of [
      { $eq: { $ne: null } },
      { $in: [{ $ne: null }] },
      { secret: { $ne: '' } },
      ['s3cr3t'],
      { 0: 's' },
      0,
      null,
      true,
    ]) {
      const answer = await ask(JSON.stringify({ user: 'ada', secret }), 'accounts');
      tally.note(answer);
      if (answer.status === 200)
        expect(`${JSON.stringify(secret)} ${answer.text}`).toBe(`${JSON.stringify(secret)} []`);
      else expectRefusal(answer, JSON.stringify(secret));
    }
  });

  it('a thousand deep are refused', async () => {
    for (const text of [
      JSON.stringify({ a: negated(1_000) }),
      JSON.stringify(nested(800, { a: 1 })),
      `{"a":${'['.repeat(4_000)}${']'.repeat(4_000)}}`,
    ]) {
      // Unescaped, for else it would not fit into a URL.
      const answer = await hostile.send({ path: `/rest/target?q=${text}` });
      tally.note(answer);
      expectRefusal(answer, text.slice(0, 40), [text]);
    }
  });

  it('were tried', () => expectTried('filters', tally, 200));
});

describe('random filters', () => {
  it(`${randomCount} of them find what the matcher finds, seed ${seed}`, {
    timeout: 60_000 + 20 * randomCount,
  }, async () => {
    const random = createRandom(seed + 1);
    const perRound = 2_000;
    const count = { filters: 0, pairs: 0, matches: 0, refused: 0 };
    for (let round = 0; count.filters < randomCount; round += 1) {
      const collection = `random${round}`;
      const among = await store(collection, random, 16);
      const filters = times(Math.min(perRound, randomCount - count.filters), (index) =>
        index % 4 === 0 ? makeHostileFilter(random) : makeFilter(random),
      );
      await eachOf(filters, 5, async (raw) => {
        const answer = await ask(JSON.stringify(raw), collection);
        if (answer.status === 400) count.refused += 1;
        else count.pairs += among.length;
        count.matches += await expectSame(raw, among, collection, answer);
      });
      count.filters += filters.length;
    }
    console.info(`random filters, seed ${seed}:`, count);
    expect(count.filters).toBe(randomCount);
    expect(count.refused).toBeLessThan(randomCount / 3);
    expect(count.matches).toBeGreaterThan(count.pairs / 20);
  });
});
