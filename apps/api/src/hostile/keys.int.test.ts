import { createApiKey } from '@tidewire/access/api-key';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../api.fixture.js';

let api: TestApi;
let good: { id: string; key: string };
/** Reads of databases and keys. */
let reads = 0;

beforeAll(async () => {
  api = await startTestApi((await createTestDatabase()).address);
  good = await api.createKey({ rest: ['GET:company'], origins: ['*'] });
  expect((await ask({ 'x-apikey': good.key })).status).toBe(200);
  const { pool } = api.connections;
  const query = pool.query.bind(pool);
  Object.assign(pool, {
    query(...given: Parameters<typeof query>) {
      if (JSON.stringify(given[0]).includes('api_keys')) reads += 1;
      return query(...given);
    },
  });
});
afterAll(() => api.close());

type Sent = { headers?: Record<string, string> | [string, string][]; query?: string };

async function ask(headers: Record<string, string> | [string, string][], query = '') {
  const response = await fetch(`${api.url}/rest/company${query}`, { headers });
  const { requestId, ...body } = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body, requestId, challenge: response.headers.get('www-authenticate') };
}

/** What everybody with a wrong key is told. */
async function refusal() {
  return (await ask({ 'x-apikey': 'nonsense' })).body;
}

const byHeader = (text: string): Sent => ({ headers: { 'x-apikey': text } });
const byBearer = (text: string): Sent => ({ headers: { authorization: `Bearer ${text}` } });
const byQuery = (text: string): Sent => ({ query: `?apikey=${encodeURIComponent(text)}` });

function* truncations(): Generator<Sent> {
  for (let cut = 1; cut <= 20; cut += 1) yield byHeader(good.key.slice(0, -cut));
  for (let cut = 1; cut <= 20; cut += 1) yield byQuery(good.key.slice(cut));
}

/** One bit of one character, where the outcome can still be sent in a header; with and without a checksum that fits again. */
function* bitFlips(): Generator<Sent> {
  let made = 0;
  for (let index = 0; made < 200; index = (index + 7) % good.key.length) {
    const bit = 1 << (made % 7);
    const flipped = String.fromCharCode(good.key.charCodeAt(index) ^ bit);
    const text = good.key.slice(0, index) + flipped + good.key.slice(index + 1);
    made += 1;
    yield made % 2 === 0 && /^[\x21-\x7e]$/.test(flipped) && flipped !== ',' ? byBearer(text) : byQuery(text);
  }
}

function* spellings(): Generator<Sent> {
  for (const change of ['toUpperCase', 'toLowerCase'] as const) yield byHeader(good.key[change]());
  const swapped = good.key.replace(/[A-Za-z]$/, (last) =>
    last === last.toLowerCase() ? last.toUpperCase() : last.toLowerCase(),
  );
  if (swapped !== good.key) yield byHeader(swapped);
  for (const space of [' ', '\t', '\n', '\r\n', '\u00a0', '\u2003', '\u200b', '\ufeff', '\u0000', '\u202e'])
    for (const text of [space + good.key, good.key + space, `${good.key.slice(0, 20)}${space}${good.key.slice(20)}`])
      yield byQuery(text);
  const lookAlikes: Record<string, string> = {
    t: 'т',
    w: 'ѡ',
    _: '＿',
    a: 'а',
    e: 'е',
    o: 'о',
    c: 'с',
    p: 'р',
    x: 'х',
    0: 'О',
    1: 'l',
  };
  for (const [plain, other] of Object.entries(lookAlikes))
    if (good.key.includes(plain)) yield byQuery(good.key.replace(plain, other));
  for (const whole of [
    (text: string) => text.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
    encodeURIComponent,
    (text: string) => Buffer.from(text).toString('base64'),
    (text: string) => `"${text}"`,
    (text: string) => `[${text}]`,
  ])
    yield byQuery(whole(good.key).replace(good.key, `${good.key}.`));
}

/** The id of one key with the secret of another, whose checksum fits again. */
async function* mixtures(): AsyncGenerator<Sent> {
  for (let time = 0; time < 10; time += 1) {
    const other = await api.createKey({ rest: ['*:*'] });
    yield byHeader(`${good.key.slice(0, 16)}${other.key.slice(16)}`);
    yield byHeader(createApiKey(other.id).text);
  }
}

async function* ended(): AsyncGenerator<Sent> {
  const { apiKeys, databaseId } = api;
  const request = { name: 'x', rest: ['*:*'], listen: [], publish: [], origins: [] };
  const revoked = await apiKeys.create(databaseId, request);
  await apiKeys.revoke(databaseId, revoked.id);
  const off = await apiKeys.create(databaseId, request);
  await apiKeys.update(databaseId, off.id, { disabled: true });
  const expiresAt = new Date(Date.now() + 500).toISOString();
  const expired = await apiKeys.create(databaseId, { ...request, expiresAt });
  await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(expiresAt)));
  const rotated = await apiKeys.create(databaseId, request);
  await apiKeys.rotate(databaseId, rotated.id, { overlapSeconds: 0 });
  for (const { key } of [revoked, off, expired, rotated]) for (const by of [byHeader, byBearer, byQuery]) yield by(key);
  // Of a database that is not there any more, and of one that never was.
  for (let time = 0; time < 10; time += 1) yield byHeader(createApiKey().text);
}

const kinds: [string, () => Iterable<Sent> | AsyncIterable<Sent>, number][] = [
  ['cut short at either end', truncations, 40],
  ['with a bit turned over', bitFlips, 200],
  ['in other letters, with spaces, and in letters that look alike', spellings, 38],
  ['with the id of one and the secret of another', mixtures, 20],
  ['revoked, switched off, expired, rotated or unknown', ended, 22],
];

describe('a key that is not good', () => {
  it.each(kinds)('%s is refused in the same words, at the cost of one read at most', async (_kind, inputs, least) => {
    const expected = await refusal();
    let tried = 0;
    for await (const { headers = {}, query = '' } of inputs()) {
      reads = 0;
      const { status, body, requestId, challenge } = await ask(headers, query);
      expect({ tried, status, body, challenge }).toEqual({
        tried,
        status: 401,
        body: expected,
        challenge: 'Bearer realm="tidewire"',
      });
      expect(requestId).toMatch(/^[\w-]{8,64}$/);
      expect(reads).toBeLessThanOrEqual(1);
      tried += 1;
    }
    expect(tried).toBeGreaterThanOrEqual(least);
    expect((await ask({ 'x-apikey': good.key })).status).toBe(200);
  });

  it('of a megabyte, or in a header that is too large, is refused before it is looked at', async () => {
    for (const text of ['x'.repeat(1_000_000), `tw_${'a'.repeat(1_000_000)}`, good.key.repeat(20_000)]) {
      reads = 0;
      const answers = await Promise.allSettled([
        fetch(`${api.url}/rest/company`, { headers: { 'x-apikey': text } }),
        fetch(`${api.url}/rest/company?apikey=${text}`),
      ]);
      for (const answer of answers) if (answer.status === 'fulfilled') expect(answer.value.status).toBe(431);
      expect(reads).toBe(0);
    }
  });

  it.each<[string, Sent, number]>([
    [
      'the same one twice in one header',
      {
        headers: [
          ['x-apikey', 'GOOD'],
          ['x-apikey', 'GOOD'],
        ],
      },
      200,
    ],
    [
      'two in one header',
      {
        headers: [
          ['x-apikey', 'GOOD'],
          ['x-apikey', 'OTHER'],
        ],
      },
      400,
    ],
    ['header and bearer that agree', { headers: { 'x-apikey': 'GOOD', authorization: 'Bearer GOOD' } }, 200],
    ['header and bearer that disagree', { headers: { 'x-apikey': 'GOOD', authorization: 'Bearer OTHER' } }, 400],
    ['header and query that disagree', { headers: { 'x-apikey': 'GOOD' }, query: '?apikey=OTHER' }, 400],
    ['a good one in the header and nonsense in the query', { headers: { 'x-apikey': 'GOOD' }, query: '?token=x' }, 400],
    ['two in the query', { query: '?apikey=GOOD&apikey=OTHER' }, 400],
    ['two names in the query', { query: '?apikey=GOOD&token=OTHER' }, 400],
    ['as an array', { query: '?apikey[]=GOOD' }, 401],
    ['as an array with a place', { query: '?apikey[0]=GOOD' }, 401],
    ['as an object', { query: '?apikey[key]=GOOD' }, 401],
    ['another scheme', { headers: { authorization: 'Basic GOOD' } }, 401],
    ['no scheme', { headers: { authorization: 'GOOD' } }, 401],
    ['an empty bearer', { headers: { authorization: 'Bearer ' } }, 401],
    ['an empty header', { headers: { 'x-apikey': '' } }, 401],
    ['in a cookie', { headers: { cookie: 'x-apikey=GOOD; apikey=GOOD' } }, 401],
    ['in another header', { headers: { 'x-api-key': 'GOOD', apikey: 'GOOD' } }, 401],
  ])('sent as %s is taken or refused as it is written', async (_how, { headers = {}, query = '' }, status) => {
    const other = await api.createKey({ rest: ['GET:company'] });
    const fill = (text: string) => text.replaceAll('GOOD', good.key).replaceAll('OTHER', other.key);
    const pairs = (Array.isArray(headers) ? headers : Object.entries(headers)).map(
      ([name, value]): [string, string] => [name, fill(value)],
    );
    expect((await ask(pairs, fill(query))).status).toBe(status);
  });

  it('costs one read in all when it is sent a thousand times at once', async () => {
    const { text } = createApiKey();
    reads = 0;
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => ask({ 'x-apikey': text })));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    expect(reads).toBe(1);
  });
});

it('nothing that was tried was an accident', () => expect(api.accidents).toEqual([]));
