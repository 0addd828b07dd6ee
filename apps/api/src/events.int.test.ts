import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Polled = { id: number; type: string; collection: string | null; at: string; event: string; data: unknown };
type Page = { data: Polled[]; next: number; head: number; oldest: number; reset?: unknown };

let api: TestApi;
let writer: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  writer = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

async function poll(key: string, query = ''): Promise<{ status: number; body: Page }> {
  const response = await fetch(`${api.url}/events${query}`, { headers: { 'x-apikey': key } });
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

  it.each(['?since=-1', '?since=abc', '?max=0', '?max=1001', '?wait=10', '?since=1&since=2'])(
    'refuses %s and names the parameter',
    async (query) => {
      const { key } = await api.createKey({ listen: ['*:*'] });
      const { status, body } = await poll(key, query);
      expect({ status, body }).toMatchObject({
        status: 400,
        body: { errors: [{ field: query.slice(1).split('=')[0] }] },
      });
    },
  );

  it('needs a key', async () => {
    const response = await fetch(`${api.url}/events`);
    expect(response.status).toBe(401);
    expect((await fetch(`${api.url}/events`, { method: 'POST' })).status).toBe(405);
  });
});
