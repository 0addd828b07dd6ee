/** restdb.io's contract, the wire format of `/realtime` and what its clients need of it: one test for each row, in their order. */
import { openSse, type SseProbe, type SseProbeOptions } from '@tidewire/testing/sse-probe';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type ContractServer, startContractServer } from './contract.fixture.js';

let server: ContractServer;
const open: SseProbe[] = [];
const call: ContractServer['call'] = (...given) => server.call(...given);

beforeAll(async () => {
  server = await startContractServer();
});
afterEach(() => {
  for (const probe of open.splice(0)) probe.close();
});
afterAll(() => server.close());

/** A stream that has begun: its first ping has come. */
async function listen(query = `apikey=${server.key}`, options: SseProbeOptions = {}): Promise<SseProbe> {
  const probe = await openSse(`${server.url}/realtime?${query}`, options);
  open.push(probe);
  if (probe.status === 200) await probe.waitFor('ping');
  return probe;
}

/** The one event that the work makes on a stream, with its parsed data. */
async function eventOf<T>(type: string, work: () => Promise<T>): Promise<{ data: unknown; result: T; id: string }> {
  const probe = await listen();
  const result = await work();
  const { data, id } = await probe.waitFor(type);
  return { data: JSON.parse(data), result, id: id ?? '' };
}

describe('the stream', () => {
  test('is opened with apikey in the query or x-apikey in a header', async () => {
    expect((await listen()).status).toBe(200);
    expect((await listen('', { headers: { 'x-apikey': server.key } })).status).toBe(200);
    expect((await listen('apikey=577ed0a645c8ac6e5b035fbe')).status).toBe(401);
  });

  test('is opened with ?jwt=<JWT>&rt-apikey=<KEY> by a user, who hears what stands under realtime in users', async () => {
    await server.create('users', { sub: 'user-1', realtime: { sub: ['POST:heard'], pub: [] } });
    const key = await server.createKey({ rest: ['*:*'] });
    const body = { secret: 'a secret of the caller', subject: 'user-1', expiresIn: '1h', payload: { a: 1 } };
    const foreign = await call('/auth/jwt', { method: 'POST', body, key });
    const own = await call('/auth/jwt', { method: 'POST', body: { subject: 'user-1' }, key });
    expect([foreign.body, own.body]).toEqual(Array(2).fill({ jwt: expect.any(String), refresh: expect.any(String) }));
    const { jwt } = own.body as { jwt: string };
    const probe = await listen(`jwt=${jwt}&rt-apikey=${await server.createKey({ origins: ['*'] })}`);
    await server.create('unheard', {});
    const { _id } = await server.create('heard', {});
    expect(JSON.parse((await probe.waitFor('post')).data)).toMatchObject({ collection: 'heard', data: { _id } });
    expect((await listen(`jwt=${(foreign.body as { jwt: string }).jwt}&rt-apikey=${key}`)).status).toBe(401);
  });

  test('begins with retry: 2000 and the unnamed message {"channel":"init","data":{}}', async () => {
    const probe = await listen();
    expect(probe.retryMs).toBe(2_000);
    expect(probe.messages[0]).toMatchObject({ event: 'message', data: '{"channel":"init","data":{}}' });
  });

  test('numbers its events by id:', async () => {
    const first = await eventOf('post', () => server.create('numbered', {}));
    const second = await eventOf('post', () => server.create('numbered', {}));
    expect(Number(second.id)).toBe(Number(first.id) + 1);
  });
});

describe('the events', () => {
  test('POST is post with the whole document', async () => {
    const { data, result } = await eventOf('post', () => server.create('customer', { name: 'Ada' }));
    const { _keywords, _tags, ...document } = result;
    expect(data).toEqual({ event: 'post', collection: 'customer', data: document });
  });

  test.each(['PUT', 'PATCH'])('%s is put with the id', async (method) => {
    const { _id } = await server.create('customer', {});
    const { data } = await eventOf('put', () => call(`/rest/customer/${_id}`, { method, body: { a: 1 } }));
    expect(data).toEqual({ event: 'put', collection: 'customer', data: _id });
  });

  test('DELETE is delete with a list of ids', async () => {
    const { _id } = await server.create('customer', {});
    const { data } = await eventOf('delete', () => call(`/rest/customer/${_id}`, { method: 'DELETE' }));
    expect(data).toEqual({ event: 'delete', collection: 'customer', data: [_id] });
  });

  test('a custom event is publish with its name and data', async () => {
    const body = { event: 'GOAL', data: { by: 'Ada', minute: 90 } };
    const { data } = await eventOf('publish', () => call('/realtime', { method: 'POST', body }));
    expect(data).toEqual(body);
  });

  test('a ping holds an ISO date that Date reads', async () => {
    const { data } = await (await listen()).waitFor('ping');
    expect(new Date(data).toISOString()).toBe(data);
  });

  test('POST /realtime answers 200 {"message":"OK"}', async () => {
    const { status, body } = await call('/realtime', { method: 'POST', body: { event: 'GOAL', data: {} } });
    expect([status, body]).toEqual([200, { message: 'OK' }]);
  });
});

describe('what clients need', () => {
  test('a PATCH goes out as put, for nobody listens to patch', async () => {
    const probe = await listen();
    const { _id } = await server.create('patched', {});
    await call(`/rest/patched/${_id}`, { method: 'PATCH', body: { a: 1 } });
    await probe.waitFor('put');
    expect(probe.messages.map(({ event }) => event)).toEqual(['message', 'ping', 'post', 'put']);
  });

  test('a ping comes at once and then at least every 10 s, by the clock of the server', {
    timeout: 40_000,
  }, async () => {
    const probe = await listen();
    const isSecond = () => probe.messages.filter(({ event }) => event === 'ping').length >= 2;
    await probe.waitFor(isSecond, { timeoutMs: 30_000 });
    const [first = 0, second = 0] = probe.messages
      .filter(({ event }) => event === 'ping')
      .map(({ data }) => Date.parse(data));
    expect(second - first).toBeLessThanOrEqual(10_000);
  });

  test('a polyfill comes back with lastEventId and r= in the query, and misses nothing', async () => {
    const probe = await listen();
    await server.create('resumed', { n: 1 });
    const { id } = await probe.waitFor('post');
    probe.cut();
    const missed = [await server.create('resumed', { n: 2 }), await server.create('resumed', { n: 3 })];
    const again = await listen(`apikey=${server.key}&lastEventId=${id}&r=0123456789`);
    await again.waitFor(({ data }) => data.includes(missed[1]?._id ?? '?'));
    expect(again.json('post')).toMatchObject(missed.map(({ _id }) => ({ collection: 'resumed', data: { _id } })));
  });

  test('the content type is text/event-stream with charset=utf-8', async () => {
    expect((await listen()).headers['content-type']).toMatch(/^text\/event-stream; ?charset=utf-8$/i);
  });

  test('any origin of the key may listen, without credentials', async () => {
    const { headers } = await listen(undefined, { headers: { origin: 'https://app.example' } });
    expect(headers['access-control-allow-origin']).toBe('https://app.example');
    expect(headers['access-control-allow-credentials']).toBeUndefined();
  });

  test('nothing of this was an accident', () => expect(server.accidents).toEqual([]));
});
