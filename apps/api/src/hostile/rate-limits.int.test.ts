import { createMemoryRateCounter } from '@tidewire/access/memory-rate-counter';
import { createRequestLimits } from '@tidewire/access/request-limits';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from '../api.fixture.js';

/** A server on which addresses are counted, those of this machine too, with its own clock. */
type Place = { api: TestApi; pass(ms: number): void; reads(): number };

const attemptsPerAddress = 20;
const places: Record<0 | 1 | 2, Place> = {} as Record<0 | 1 | 2, Place>;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  for (const trustProxy of [0, 1, 2] as const) {
    let time = Date.now();
    const now = () => time;
    const counter = createMemoryRateCounter({ now });
    const limits = createRequestLimits({ counter, attemptsPerAddress, isExempt: () => false, now });
    const api = await startTestApi(address, { limits, trustProxy });
    const { pool } = api.connections;
    const query = pool.query.bind(pool);
    let reads = 0;
    const pass = (ms: number) => {
      time += ms;
    };
    Object.assign(pool, {
      query(...given: Parameters<typeof query>) {
        reads += 1;
        return query(...given);
      },
    });
    places[trustProxy] = { api, pass, reads: () => reads };
  }
});
afterAll(() => Promise.all(Object.values(places).map(({ api }) => api.close())));

function ask({ api }: Place, key: string | null, forwarded?: string, path = '/rest/company') {
  const headers: Record<string, string> = {};
  if (key !== null) headers['x-apikey'] = key;
  if (forwarded !== undefined) headers['x-forwarded-for'] = forwarded;
  return fetch(api.url + path, { headers });
}

async function statuses(answers: Promise<Response>[]): Promise<Record<number, number>> {
  const counts: Record<number, number> = {};
  for (const { status } of await Promise.all(answers)) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function limited(place: Place, rateLimit: number | null) {
  const request = { name: 'limited', rest: ['GET:company'], listen: [], publish: [], origins: [], rateLimit };
  return place.api.apiKeys.create(place.api.databaseId, request);
}

describe('a key with a limit', () => {
  it('is answered that often in a minute, then with 429 and the time to wait; other keys are not touched', async () => {
    const place = places[0];
    const { key } = await limited(place, 30);
    const { key: other } = await limited(place, null);
    expect(await statuses(Array.from({ length: 300 }, () => ask(place, key)))).toEqual({ 200: 30, 429: 270 });
    const refused = await ask(place, key);
    const { code, status, detail } = (await refused.json()) as Record<string, unknown>;
    expect([code, status, detail]).toEqual([
      'too_many_requests',
      429,
      expect.stringContaining('The key has used up its 30 requests of this minute.'),
    ]);
    const seconds = Number(refused.headers.get('retry-after'));
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(refused.headers.get('ratelimit')).toBe(`"key";r=0;t=${seconds}`);
    expect(refused.headers.get('ratelimit-policy')).toBe('"key";q=30;w=60');
    const free = await ask(place, other);
    expect([free.status, free.headers.get('ratelimit')]).toEqual([200, null]);
    place.pass(seconds * 1_000);
    const again = await ask(place, key);
    expect([again.status, again.headers.get('ratelimit')]).toEqual([200, '"key";r=29;t=60']);
  });

  it('that drips its requests is refused from the first one above, and begins anew with the next minute', async () => {
    const place = places[0];
    const { key } = await limited(place, 10);
    const seen: number[] = [];
    for (let turn = 0; turn < 30; turn += 1) {
      seen.push((await ask(place, key)).status);
      place.pass(4_000);
    }
    const minute = [...Array<number>(10).fill(200), ...Array<number>(5).fill(429)];
    expect(seen).toEqual([...minute, ...minute]);
  });

  it('is counted by its id: with whichever of its texts, header or query, and from whatever address', async () => {
    const place = places[1];
    const { id, key } = await limited(place, 6);
    const rotated = await place.api.apiKeys.rotate(place.api.databaseId, id, { overlapSeconds: 60 });
    const answers = [
      ask(place, key),
      ask(place, rotated.key),
      ask(place, null, undefined, `/rest/company?apikey=${key}`),
      ask(place, null, undefined, `/rest/company?token=${rotated.key}`),
      fetch(`${place.api.url}/rest/company`, { headers: { authorization: `Bearer ${key}` } }),
      ask(place, key, '203.0.113.1'),
      ask(place, key, '203.0.113.2'),
      ask(place, rotated.key, '203.0.113.3'),
    ];
    expect(await statuses(answers)).toEqual({ 200: 6, 429: 2 });
  });
});

describe('an address without a good key', () => {
  it('gets 401 as often as is allowed and then 429, before anything is read for it, while good keys from there go on', async () => {
    const place = places[1];
    const { key } = await limited(place, null);
    expect((await ask(place, key, '198.51.100.1')).status).toBe(200);
    const wrong = (n: number) => `tw_${String(n).padStart(12, 'a')}_${'b'.repeat(38)}`;
    expect(await statuses(Array.from({ length: 200 }, (_, n) => ask(place, wrong(n), '198.51.100.1')))).toEqual({
      401: attemptsPerAddress,
      429: 180,
    });
    const before = place.reads();
    const refused = await ask(place, 'x', '198.51.100.1');
    expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true]);
    expect(await refused.json()).toMatchObject({
      code: 'too_many_requests',
      detail: expect.stringContaining('without a good key'),
    });
    expect((await ask(place, null, '198.51.100.1')).status).toBe(429);
    expect(place.reads()).toBe(before);
    expect((await ask(place, key, '198.51.100.1')).status).toBe(200);
    expect((await ask(place, 'x', '198.51.100.2')).status).toBe(401);
    place.pass(60_000);
    expect((await ask(place, 'x', '198.51.100.1')).status).toBe(401);
  });

  /** What a client may write there itself, in front of what proxies add. */
  const spoofs = [
    '203.0.113.9',
    '127.0.0.1',
    '::1',
    'localhost',
    '',
    ' ',
    ',',
    ',,,',
    'unknown',
    '_hidden',
    '10.0.0.1, 192.0.2.1',
    '2001:db8::9',
    '[2001:db8::9]:443',
    '203.0.113.9:8080',
    '"203.0.113.9"',
    "203.0.113.9' OR 1=1 --",
    'for=203.0.113.9',
    '::ffff:203.0.113.9',
    '0x7f.1',
    'x'.repeat(2_000),
  ];

  it.each([
    [0, (spoof: string) => spoof],
    [1, (spoof: string) => `${spoof}, 198.51.100.50`],
    [2, (spoof: string) => `${spoof}, 198.51.100.60, 10.1.1.1`],
  ] as const)(
    'cannot change its bucket by what it writes into X-Forwarded-For, with %i proxies believed',
    async (trust, forwarded) => {
      const place = places[trust];
      place.pass(60_000);
      const seen: number[] = [];
      for (const spoof of spoofs) seen.push((await ask(place, 'x', forwarded(spoof))).status);
      for (const spoof of spoofs) seen.push((await ask(place, 'x', forwarded(spoof))).status);
      expect(spoofs).toHaveLength(20);
      expect(seen).toEqual([...Array<number>(20).fill(401), ...Array<number>(20).fill(429)]);
    },
  );

  it('is its /64 in IPv6, whichever of its addresses it uses', async () => {
    const place = places[1];
    const addresses = Array.from({ length: 500 }, (_, n) => `2001:db8:1:2:${(n * 7919).toString(16).slice(-4)}::${n}`);
    expect(await statuses(addresses.map((address) => ask(place, 'x', address)))).toEqual({
      401: attemptsPerAddress,
      429: 480,
    });
    expect((await ask(place, 'x', '2001:db8:1:3::1')).status).toBe(401);
  });
});
