import http from 'node:http';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Polled = { id: number; type: string; collection: string | null; at: string; event: string; data: unknown };
type Page = { data: Polled[]; next: number; head: number; oldest: number; reset?: unknown };

let api: TestApi;
/** Two more on the same log; the buses do not know each other. */
const others: TestApi[] = [];
let writer: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  for (let count = 0; count < 2; count += 1) others.push(await startTestApi(address));
  writer = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await Promise.all([api, ...others].map((one) => one.close()));
});

async function poll(key: string, query = '', on = api): Promise<{ status: number; body: Page }> {
  const response = await fetch(`${on.url}/events${query}`, { headers: { 'x-apikey': key } });
  return { status: response.status, body: (await response.json()) as Page };
}

async function write(method: string, path: string, body?: unknown): Promise<{ _id: string }> {
  const response = await fetch(`${api.url}/rest/${path}`, {
    method,
    headers: { 'x-apikey': writer, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return (await response.json()) as { _id: string };
}

async function head(): Promise<number> {
  const { rows } = await api.connections.pool.query<{ head: number }>('SELECT head FROM log_heads');
  return rows[0]?.head ?? -1;
}

describe('GET /events', () => {
  it('answers every event since the cursor once, in order, in the form of the stream with id, type and time', async () => {
    const { key } = await api.createKey({ listen: ['*:poll'] });
    const since = await head();
    const { _id } = await write('POST', 'poll', { a: 1 });
    await write('PUT', `poll/${_id}`, { a: 2 });
    await write('DELETE', `poll/${_id}`);
    const { status, body } = await poll(key, `?since=${since}`);
    expect(status).toBe(200);
    const at = expect.stringMatching(/^\d{4}-.*Z$/);
    expect(body).toEqual({
      data: [
        {
          id: since + 1,
          type: 'post',
          at,
          event: 'post',
          collection: 'poll',
          data: expect.objectContaining({ _id, a: 1 }),
        },
        { id: since + 2, type: 'put', at, event: 'put', collection: 'poll', data: _id },
        { id: since + 3, type: 'delete', at, event: 'delete', collection: 'poll', data: [_id] },
      ],
      next: since + 3,
      head: since + 3,
      oldest: 1,
    });
  });

  it('leaves out what the key may not hear, and goes past it', async () => {
    const { key } = await api.createKey({ listen: ['POST:heard'] });
    const since = await head();
    await write('POST', 'unheard', { a: 1 });
    const { _id } = await write('POST', 'heard', { a: 1 });
    await write('PUT', `heard/${_id}`, { a: 2 });
    const { body } = await poll(key, `?since=${since}`);
    expect(body.data.map(({ id, type }) => [id, type])).toEqual([[since + 2, 'post']]);
    expect(body.next).toBe(since + 3);
    expect((await poll(key, `?since=${since}&max=1`)).body).toMatchObject({
      data: [],
      next: since + 1,
      head: since + 3,
    });
  });

  it('asks what the key may hear at delivery: a grant that was taken away hides the events of before', async () => {
    const { id, key } = await api.createKey({ listen: ['*:taken', '*:other'] });
    const since = await head();
    await write('POST', 'taken', { a: 1 });
    expect((await poll(key, `?since=${since}`)).body.data).toHaveLength(1);
    await api.apiKeys.update(api.databaseId, id, { listen: ['*:other'] });
    expect((await poll(key, `?since=${since}`)).body).toMatchObject({ data: [], next: since + 1 });
    await api.apiKeys.update(api.databaseId, id, { listen: [] });
    expect(await poll(key, `?since=${since}`)).toMatchObject({ status: 403, body: { code: 'realtime_off' } });
  });

  it('begins now without a cursor, and a client that follows next misses nothing', async () => {
    const { key } = await api.createKey({ listen: ['*:follow'] });
    const first = (await poll(key)).body;
    expect(first).toMatchObject({ data: [], next: await head() });
    for (let n = 0; n < 25; n += 1) await write('POST', n % 2 ? 'follow' : 'between', { n });
    const seen: unknown[] = [];
    for (let next = first.next; ; ) {
      const { body } = await poll(key, `?since=${next}&max=4`);
      seen.push(...body.data.map(({ data }) => (data as { n: number }).n));
      if (body.next === next) break;
      next = body.next;
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, index) => 2 * index + 1));
  });

  it('with wait answers when something comes that is asked for and may be heard, on every node', async () => {
    const { key } = await api.createKey({ listen: ['*:awaited', '*:apart'] });
    const since = await head();
    const waiting = [api, ...others].map((on) =>
      poll(key, `?since=${since}&wait=30&collections=awaited&q={"n":{"$gt":1}}`, on),
    );
    await eventually(() => expect([api, ...others].map((on) => on.waiting())).toEqual([1, 1, 1]));
    await write('POST', 'unheard', { n: 2 });
    await write('POST', 'apart', { n: 2 });
    await write('POST', 'awaited', { n: 1 });
    await write('POST', 'awaited', { n: 2 });
    for (const { status, body } of await Promise.all(waiting)) {
      expect(status).toBe(200);
      expect(body.data).toMatchObject([{ id: since + 4, type: 'post', data: { n: 2 } }]);
      expect([body.next, body.head]).toEqual([since + 4, since + 4]);
    }
    expect(api.waiting()).toBe(0);
  });

  it('with wait answers at once when there is something already, and with nothing when the time is over', async () => {
    const { key } = await api.createKey({ listen: ['*:prompt'] });
    const since = await head();
    const waiting = poll(key, `?since=${since}&wait=1`);
    await eventually(() => expect(api.waiting()).toBe(1));
    await write('POST', 'unheard', {});
    expect((await waiting).body).toMatchObject({ data: [], next: since + 1, head: since + 1 });
    await write('POST', 'prompt', {});
    expect((await poll(key, `?since=${since}&wait=30`)).body.data).toHaveLength(1);
  });

  it('with wait gives a client that follows next on any node every event once and in order while 4 writers write', async () => {
    const { key } = await api.createKey({ listen: ['*:stream'] });
    const first = (await poll(key)).body.next;
    let isOver = false;
    let written = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        await write('POST', 'stream', {});
        written += 1;
        await write('POST', 'unheard', {});
      }
    });
    const seen: number[] = [];
    let next = first;
    for (let turn = 0; turn < 60; turn += 1) {
      const { body } = await poll(key, `?since=${next}&wait=5&max=7`, [api, ...others][turn % 3]);
      seen.push(...body.data.map(({ id }) => id));
      next = body.next;
    }
    isOver = true;
    await Promise.all(writers);
    for (;;) {
      const { body } = await poll(key, `?since=${next}`);
      if (body.next === next) break;
      seen.push(...body.data.map(({ id }) => id));
      next = body.next;
    }
    expect(seen).toEqual([...new Set(seen)].sort((a, b) => a - b));
    expect(seen).toHaveLength(written);
  }, 30_000);

  it('with wait lets go of a client that leaves, and answers 401 when the key is revoked meanwhile', async () => {
    const { id, key } = await api.createKey({ listen: ['*:gone'] });
    const leaving = Array.from({ length: 5 }, () => {
      const request = http.get(`${api.url}/events?wait=30`, { headers: { 'x-apikey': key }, agent: false });
      request.on('error', () => undefined);
      return request;
    });
    const waiting = poll(key, '?wait=30');
    const elsewhere = poll(key, '?wait=30', others[0]);
    await eventually(() => expect([api.waiting(), others[0]?.waiting()]).toEqual([6, 1]));
    for (const request of leaving) request.destroy();
    await eventually(() => expect(api.waiting()).toBe(1));
    await api.apiKeys.revoke(api.databaseId, id);
    expect([(await waiting).status, (await elsewhere).status]).toEqual([401, 401]);
    expect([api.waiting(), others[0]?.waiting()]).toEqual([0, 0]);
  });

  it('reads nothing of Postgres for those who wait', async () => {
    const { key } = await api.createKey({ listen: ['*:quiet'] });
    const waiting = Array.from({ length: 50 }, () => poll(key, '?wait=2'));
    await eventually(() => expect(api.waiting()).toBe(50));
    const { pool } = api.connections;
    const original = pool.query.bind(pool);
    let queries = 0;
    const counting = (...args: unknown[]) => {
      queries += 1;
      return Reflect.apply(original, pool, args);
    };
    Reflect.set(pool, 'query', counting);
    await Promise.all(waiting);
    Reflect.set(pool, 'query', original);
    // The look at the heads, once a second, is for all.
    expect(queries).toBeLessThan(10);
  });

  it('goes on over a jump of the numbering', async () => {
    const { address } = await createTestDatabase();
    const jumped = await startTestApi(address);
    const { key } = await jumped.createKey({ rest: ['*:*'], listen: ['*:*'] });
    const post = (n: number) =>
      fetch(`${jumped.url}/rest/jump`, {
        method: 'POST',
        headers: { 'x-apikey': key, 'content-type': 'application/json' },
        body: JSON.stringify({ n }),
      });
    await post(1);
    await jumped.connections.pool.query('UPDATE log_heads SET head = 1000000000000');
    expect((await post(2)).headers.get('x-event-id')).toBe('1000000000001');
    const response = await fetch(`${jumped.url}/events?since=0`, { headers: { 'x-apikey': key } });
    expect((await response.json()) as Page).toMatchObject({
      data: [{ id: 1 }, { id: 1_000_000_000_001 }],
      next: 1_000_000_000_001,
    });
    await jumped.close();
  });

  it('says reset when the log no longer reaches back, or never had the cursor', async () => {
    const { key } = await api.createKey({ listen: ['*:*'] });
    const newest = await head();
    expect((await poll(key, `?since=${newest + 1}`)).body).toEqual({ reset: { reason: 'unknown', oldest: 1, newest } });
    await api.connections.pool.query('UPDATE log_heads SET oldest = 3');
    expect((await poll(key, '?since=1')).body).toEqual({ reset: { reason: 'retention', oldest: 3, newest } });
    expect((await poll(key, '?since=2&max=1')).body).toMatchObject({ data: [{ id: 3 }], next: 3, oldest: 3 });
    await api.connections.pool.query('UPDATE log_heads SET oldest = 1');
  });

  it.each([
    '?since=-1',
    '?since=abc',
    '?max=0',
    '?max=1001',
    '?wait=31',
    '?wait=x',
    '?since=1&since=2',
    '?collections=a%20b',
    '?events=%0d',
    '?q={',
  ])('refuses %s and names the parameter', async (query) => {
    const { key } = await api.createKey({ listen: ['*:*'] });
    const { status, body } = await poll(key, query);
    expect({ status, body }).toMatchObject({
      status: 400,
      body: { errors: [{ field: query.slice(1).split('=')[0] }] },
    });
  });

  it('needs a key', async () => {
    const response = await fetch(`${api.url}/events`);
    expect(response.status).toBe(401);
    expect((await fetch(`${api.url}/events`, { method: 'POST' })).status).toBe(405);
  });
});
