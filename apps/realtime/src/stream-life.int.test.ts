import net from 'node:net';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { eventually } from '@tidewire/testing/eventually';
import { createPostgresBridge } from '@tidewire/testing/postgres-bridge';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestNode, type TestNode } from './realtime.fixture.js';

/** Three nodes on one log and one bus, and two more: one with bounds, and one that ends its streams every second. */
const nodes: TestNode[] = [];
let node: TestNode;
let bounded: TestNode;
let rotating: TestNode;
const probes: SseProbe[] = [];
const busErrors: unknown[] = [];
const bus = createMemoryChangeBus({ onError: (error) => busErrors.push(error) });

beforeAll(async () => {
  const { address } = await createTestDatabase();
  for (let count = 0; count < 3; count += 1) nodes.push(await startTestNode(address, { bus }));
  node = nodes[0] as TestNode;
  const openStreams = { perKey: 3, perAddress: 2, total: 6 };
  bounded = await startTestNode(address, { bus, openStreams, trustProxy: 1 });
  rotating = await startTestNode(address, { bus, maxAgeSeconds: 1 });
  nodes.push(bounded, rotating);
});
afterEach(async () => {
  for (const probe of probes.splice(0)) probe.close();
  await eventually(() => expect(nodes.map(({ hub }) => hub.stats().streams)).toEqual([0, 0, 0, 0, 0]));
});
afterAll(async () => {
  await Promise.all(nodes.map((one) => one.close()));
  await bus.close();
});

async function open(path: string, options: { on?: TestNode; headers?: Record<string, string> } = {}) {
  const { on = node, headers = {} } = options;
  const probe = await openSse(`${on.url}${path}`, { headers });
  probes.push(probe);
  return probe;
}

function post(path: string, key: string, body?: unknown, headers: Record<string, string> = {}, on = node) {
  return fetch(`${on.url}${path}`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function ticketOf(key: string, on = node): Promise<string> {
  const answer = await post('/realtime/ticket', key, undefined, {}, on);
  expect(answer.status).toBe(201);
  const { ticket, expiresAt } = (await answer.json()) as { ticket: string; expiresAt: string };
  expect(Date.parse(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
  return ticket;
}

const three = () => nodes.slice(0, 3);

describe('an ephemeral event', () => {
  it('is shown without an id on every node, whatever the form of the stream, and is in no log', async () => {
    const { key } = await node.createKey({ listen: ['*:*'], publish: ['chat.*', 'chat'] });
    const paths = [`/realtime?apikey=${key}`, `/realtime/events?apikey=${key}`, `/channels/chat/stream?apikey=${key}`];
    const streams = await Promise.all(three().flatMap((on) => paths.map((path) => open(path, { on }))));
    await Promise.all(streams.map((probe) => probe.waitFor(({ event }) => event === 'ping' || event === 'heartbeat')));
    const before = streams.map(({ lastEventId }) => lastEventId);
    const answer = await post('/realtime', key, { event: 'chat.typing', data: { by: 'Ada' }, ephemeral: true });
    expect([answer.status, await answer.json(), answer.headers.get('x-event-id')]).toEqual([
      200,
      { message: 'OK' },
      null,
    ]);
    const shapes = [
      ['publish', { event: 'chat.typing', data: { by: 'Ada' } }],
      ['message', { type: 'chat.typing', payload: { by: 'Ada' } }],
      ['typing', { by: 'Ada' }],
    ];
    for (const [index, probe] of streams.entries()) {
      const [event, data] = shapes[index % 3] as [string, unknown];
      const shown = await probe.waitFor((message) => message.event === event && message.data.includes('Ada'));
      expect([JSON.parse(shown.data), shown.id]).toEqual([data, undefined]);
    }
    expect(streams.map(({ lastEventId }) => lastEventId)).toEqual(before);
    expect((await post('/channels/chat', key, { data: 'fleeting', ephemeral: true })).status).toBe(200);
    for (const probe of streams.slice(2, 3)) await probe.waitFor(({ data }) => data === 'fleeting');
    expect(await node.connections.prisma.event.count({ where: { name: { startsWith: 'chat' } } })).toBe(0);
    const late = await open(`/realtime?apikey=${key}&since=0`);
    await late.waitFor('ping');
    expect(late.messages.some(({ event }) => event === 'publish')).toBe(false);
  });

  it('is for those alone who may hear it, and asked for it', async () => {
    const writer = await node.createKey({ publish: ['*'] });
    const [deaf, hearing] = await Promise.all(
      [['PUBLISH:other'], ['PUBLISH:secret']].map((listen) => node.createKey({ listen })),
    );
    const streams = [
      await open(`/realtime?apikey=${deaf?.key}`),
      await open(`/realtime?apikey=${hearing?.key}&events=post`),
      await open(`/realtime?apikey=${hearing?.key}`),
    ];
    for (const probe of streams) await probe.waitFor('ping');
    await post('/realtime', writer.key, { event: 'secret', data: 1, ephemeral: true });
    await streams[2]?.waitFor('publish');
    expect(streams.map(({ messages }) => messages.some(({ event }) => event === 'publish'))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it.each([
    ['without the grant', { event: 'b', ephemeral: true }, {}, 403],
    ['with an Idempotency-Key', { event: 'a', ephemeral: true }, { 'idempotency-key': 'x' }, 400],
    ['that is too large', { event: 'a', data: 'x'.repeat(70_000), ephemeral: true }, {}, 422],
    ['with a flag that is none', { event: 'a', ephemeral: 'yes' }, {}, 422],
  ])('is refused %s', async (_name, body, headers, status) => {
    const { key } = await node.createKey({ publish: ['a'] });
    expect((await post('/realtime', key, body, headers)).status).toBe(status);
  });
});

describe('POST /realtime', () => {
  it('with an Idempotency-Key sent 20 times over three nodes publishes once and answers alike', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:once'], publish: ['*'] });
    const probe = await open(`/realtime?apikey=${key}`);
    await probe.waitFor('ping');
    const sent = Array.from({ length: 20 }, (_, n) =>
      post('/realtime', key, { event: 'once', data: 1 }, { 'idempotency-key': 'k1' }, nodes[n % 3]),
    );
    const answers = await Promise.all(sent);
    expect(new Set(answers.map((answer) => `${answer.status} ${answer.headers.get('x-event-id')}`)).size).toBe(1);
    await probe.waitFor('publish');
    expect(await node.connections.prisma.event.count({ where: { name: 'once' } })).toBe(1);
    const another = await post('/realtime', key, { event: 'once', data: 2 }, { 'idempotency-key': 'k1' });
    expect([another.status, await another.json()]).toMatchObject([422, { code: 'idempotency_mismatch' }]);
  });
});

describe('a ticket', () => {
  it('opens one stream on any node, of any kind, without a key in the URL', async () => {
    const { key } = await node.createKey({ listen: ['*:*'], rest: ['GET:*'] });
    const paths = ['/realtime', '/realtime/events', '/channels/chat/stream', '/rest/boats/stream'];
    for (const [index, path] of paths.entries()) {
      const ticket = await ticketOf(key);
      const probe = await open(`${path}?ticket=${ticket}`, { on: nodes[index % 3] as TestNode });
      expect([path, probe.status]).toEqual([path, 200]);
      expect((await open(`${path}?ticket=${ticket}`)).status).toBe(401);
    }
  });

  it('that 30 use at once over three nodes opens one stream', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const ticket = await ticketOf(key);
    const streams = await Promise.all(
      Array.from({ length: 30 }, (_, n) => open(`/realtime?ticket=${ticket}`, { on: nodes[n % 3] as TestNode })),
    );
    expect(streams.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(streams.filter(({ status }) => status === 401)).toHaveLength(29);
  });

  it('is over after 30 s, and takes old ones with it when it is issued', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const { pool } = node.connections;
    const count = async () => Number((await pool.query('SELECT count(*) FROM stream_tickets')).rows[0]?.count);
    const old = [await ticketOf(key), await ticketOf(key), await ticketOf(key)];
    await pool.query("UPDATE stream_tickets SET expires_at = now() - interval '1 ms'");
    expect((await open(`/realtime?ticket=${old[0]}`)).status).toBe(401);
    const before = await count();
    await ticketOf(key);
    expect(await count()).toBe(before - 1);
  });

  it('ends with its key: revoked before, it opens nothing; revoked after, its stream ends', async () => {
    const { id, key } = await node.createKey({ listen: ['*:*'] });
    const [used, unused] = [await ticketOf(key), await ticketOf(key)];
    const probe = await open(`/realtime?ticket=${used}`);
    await probe.waitFor('ping');
    await node.apiKeys.revoke(node.databaseId, id);
    await probe.waitForEnd({ timeoutMs: 2_000 });
    expect(probe.messages.at(-1)?.event).toBe('revoked');
    for (const on of three()) expect((await open(`/realtime?ticket=${unused}`, { on })).status).toBe(401);
    expect((await post('/realtime/ticket', key)).status).toBe(401);
  });

  it('is not to be had without a key in good order, and does not stand beside one', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const off = await node.createKey({});
    expect((await post('/realtime/ticket', off.key)).status).toBe(403);
    expect((await post('/realtime/ticket', 'nonsense')).status).toBe(401);
    expect((await fetch(`${node.url}/realtime/ticket`, { headers: { 'x-apikey': key } })).status).toBe(405);
    const ticket = await ticketOf(key);
    expect((await open(`/realtime?ticket=${ticket}&apikey=${key}`)).status).toBe(400);
    expect((await open(`/realtime?ticket=${ticket}&ticket=${ticket}`)).status).toBe(400);
  });

  it.each(['', 'x', 'tk_', `tk_${'a'.repeat(32)}`, `tk_${'a'.repeat(33)}`, "tk_' OR 1=1 --", 'tk_%00', 'é'.repeat(35)])(
    'like %j opens nothing',
    async (ticket) => {
      expect(
        (await open(`/realtime?ticket=${ticket.includes('%') ? ticket : encodeURIComponent(ticket)}`)).status,
      ).toBe(401);
    },
  );
});

describe('while Postgres is away', () => {
  it('a stream is answered with 200, a time to come back at and its end, also for admins; what is wrong is refused', async () => {
    const bridge = createPostgresBridge((await createTestDatabase()).address);
    const away = await startTestNode(await bridge.open(), { bus });
    const { cookie } = await away.signIn();
    const { key } = await away.createKey({ rest: ['GET:*'], listen: ['*:*'] });
    const { key: strangerKey } = await node.createKey({ listen: ['*:*'] });
    const paths = [
      `/realtime?apikey=${key}`,
      `/rest/company/stream?apikey=${key}`,
      '/api/databases/default/events/stream',
      '/api/databases/default/keys/stream',
      '/api/databases/stream',
    ];
    await bridge.cut();
    for (const path of paths) {
      const probe = await open(path, { on: away, headers: { cookie } });
      expect([path, probe.status]).toEqual([path, 200]);
      await probe.waitForEnd();
      expect(probe.retryMs).toBeGreaterThanOrEqual(1_000);
    }
    expect((await open('/api/databases/default/events/stream', { on: away })).status).toBe(401);
    // Whether this key is good, and where, cannot be asked now. An EventSource that may not read the answer would give up for good.
    const origin = 'https://app.example';
    const unknown = await open(`/realtime?apikey=${strangerKey}`, { on: away, headers: { origin } });
    expect([unknown.status, unknown.headers['access-control-allow-origin']]).toEqual([200, origin]);
    await bridge.open();
    for (const path of paths)
      await eventually(async () => {
        const probe = await open(path, { on: away, headers: { cookie } });
        await probe.waitFor(() => true, { timeoutMs: 2_000 });
      });
    await away.close();
    await bridge.cut();
  });
});

describe('the bounds of open streams', () => {
  const from = (address: string) => ({ 'x-forwarded-for': address });

  /** Opens a stream and says whether there was a place. */
  async function hasPlace(key: string, address: string): Promise<boolean> {
    const probe = await open(`/realtime?apikey=${key}`, { on: bounded, headers: from(address) });
    expect(probe.status).toBe(200);
    await Promise.race([probe.waitFor('ping').catch(() => undefined), probe.waitForEnd()]);
    if (probe.isOpen) return true;
    expect(probe.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(probe.retryMs).toBeGreaterThanOrEqual(5_000);
    expect(probe.retryMs).toBeLessThanOrEqual(15_000);
    return false;
  }

  it('send the client away with 200, a time to come back at and the end: by key, by address, by /64, in all', async () => {
    const keys = await Promise.all(Array.from({ length: 3 }, () => node.createKey({ listen: ['*:*'] })));
    const [a = '', b = '', c = ''] = keys.map(({ key }) => key);
    const taken: [string, string, boolean][] = [
      [a, '192.0.2.1', true],
      [a, '192.0.2.1', true],
      [b, '192.0.2.1', false],
      [a, '192.0.2.2', true],
      [a, '192.0.2.3', false],
      [b, '2001:db8::1', true],
      [b, '2001:db8::2', true],
      [c, '2001:db8::3', false],
      [c, '2001:db8:0:1::3', true],
      [c, '192.0.2.9', false],
    ];
    for (const [key, address, isTaken] of taken)
      expect([address, await hasPlace(key, address)]).toEqual([address, isTaken]);
    for (const probe of probes.splice(0)) probe.close();
    await eventually(() => expect(bounded.hub.stats().streams).toBe(0));
    expect(await hasPlace(b, '192.0.2.1')).toBe(true);
  });

  it('count streams of every kind, and none that was refused or only asked for by HEAD', async () => {
    const { key } = await node.createKey({ listen: ['*:*'], rest: ['GET:*'] });
    for (let n = 0; n < 10; n += 1) {
      const headers = { ...from('192.0.2.50'), 'x-apikey': key };
      await fetch(`${bounded.url}/realtime`, { method: 'HEAD', headers });
      await fetch(`${bounded.url}/realtime?q={`, { headers });
      await fetch(`${bounded.url}/channels/open/stream`, { headers });
    }
    await open(`/channels/chat/stream?apikey=${key}`, { on: bounded, headers: from('192.0.2.50') });
    await open(`/rest/boats/stream?apikey=${key}`, { on: bounded, headers: from('192.0.2.50') });
    expect(await hasPlace(key, '192.0.2.50')).toBe(false);
  });
});

describe('rotation', () => {
  it('ends a stream at its age; the client comes back with its cursor, and has every id once and in order', async () => {
    const { key } = await node.createKey({ listen: ['*:tide'] });
    const probe = await open(`/realtime?apikey=${key}`, { on: rotating });
    await probe.waitFor('ping');
    const wanted: number[] = [];
    let isOver = false;
    const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
    const writer = (async () => {
      while (!isOver) {
        const outcome = await node.client.document.create({ scope, collection: 'tide', data: {} });
        if (outcome.status === 'written') wanted.push(Number(outcome.eventId));
        await node.client.document.create({ scope, collection: 'hidden', data: {} });
      }
    })();
    for (let rotations = 0; rotations < 4; rotations += 1) {
      await probe.waitForEnd();
      expect(probe.retryMs).toBeLessThanOrEqual(1_000);
      await probe.reconnect();
    }
    isOver = true;
    await writer;
    const ids = () => probe.messages.filter(({ event }) => event === 'post').map(({ id }) => Number(id));
    const comeBack = async () => {
      if (!probe.isOpen) await probe.reconnect();
      expect(ids()).toHaveLength(wanted.length);
    };
    await eventually(comeBack, { timeoutMs: 10_000 });
    expect(ids()).toEqual(wanted);
    expect(new Set(probe.messages.map(({ connection }) => connection)).size).toBeGreaterThan(4);
  }, 30_000);
});

describe('every stream', () => {
  const paths = ['/realtime', '/realtime/events', '/channels/chat/stream'];
  const hostile = [
    ...['-1', '9007199254740992', '18446744073709551616', '99999999999999999999999', '9e99', '1e3', '0x10', '1.5'],
    ...['NaN', 'Infinity', 'null', 'undefined', 'true', 'abc', 'earliest', 'latest', '+1', '1 2', '1,2', '%20', '%00'],
    ...['1%0d%0aid:9', '%0a', '%D9%A1%D9%A2', '%EF%BC%91', '1%C2%A0', `${'5'.repeat(400)}`, 'x'.repeat(8_000)],
    ...["1'--", '{"$gt":0}', '[1]', '__proto__', '999999999', '1000000000000', '-0', '00-1', '1_000', '1n', '٠', '²'],
  ];

  it(`answers ${hostile.length} hostile cursors with reset, never with an error or with silence`, async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    expect(hostile.length).toBeGreaterThanOrEqual(40);
    for (const [index, cursor] of hostile.entries()) {
      const path = paths[index % 3] as string;
      const text = cursor.includes('%') ? cursor : encodeURIComponent(cursor);
      const probe = await open(`${path}?apikey=${key}&lastEventId=${text}`);
      expect([cursor, probe.status]).toEqual([cursor, 200]);
      const reset = await probe.waitFor(({ data }) => data.includes('"reason":"unknown"'));
      expect(reset.data).toContain('"newest"');
      probe.close();
    }
    const twice = await open(`/realtime?apikey=${key}&since=1&since=2`);
    await twice.waitFor('reset');
    const empty = await open(`/realtime?apikey=${key}&lastEventId=`);
    await empty.waitFor('ping');
    expect(empty.messages.some(({ event }) => event === 'reset')).toBe(false);
  }, 30_000);

  it('takes the header above a query that a browser repeats, 50 times without an old event', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:*'], publish: ['*'] });
    const first = await post('/realtime', key, { event: 'old', data: 1 });
    const since = Number(first.headers.get('x-event-id')) - 1;
    const probe = await open(`/realtime?apikey=${key}&lastEventId=${since}`);
    await probe.waitFor('publish');
    for (let n = 0; n < 50; n += 1) await probe.reconnect();
    await probe.waitFor(({ event, connection }) => event === 'ping' && connection === 51);
    expect(probe.messages.filter(({ event }) => event === 'publish')).toHaveLength(1);
  });

  it('has the headers that keep proxies from holding it back, and is not compressed', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    for (const path of paths) {
      const { headers } = await open(`${path}?apikey=${key}`, { headers: { 'accept-encoding': 'gzip, br, zstd' } });
      expect(headers).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-cache, no-transform',
        'x-accel-buffering': 'no',
      });
      expect(headers['content-encoding']).toBeUndefined();
    }
  });

  it('answers HEAD, OPTIONS, other methods and Accept by the rules, and leaves no place taken', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const status = async (path: string, init: RequestInit) =>
      (await fetch(`${node.url}${path}?apikey=${key}`, init)).status;
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'GET' };
    for (const path of paths) {
      const allowed = [
        '*/*',
        'text/*',
        'text/event-stream;charset=utf-8',
        'text/html, text/event-stream;q=0.1',
        'TEXT/EVENT-STREAM',
      ];
      for (const accept of allowed) {
        const probe = await open(`${path}?apikey=${key}`, { headers: { accept } });
        expect([path, accept, probe.status]).toEqual([path, accept, 200]);
        probe.close();
      }
      for (const accept of ['application/json', 'text/html', 'text/event-stream;q=0', '*/json', 'text/event-streams'])
        expect([path, accept, await status(path, { headers: { accept } })]).toEqual([path, accept, 406]);
      expect(await status(path, { method: 'HEAD' })).toBe(200);
      expect(await status(path, { method: 'OPTIONS', headers: preflight })).toBe(204);
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS'])
        expect([method, await status(path, { method })]).toEqual([method, 405]);
    }
    await eventually(() => expect(node.hub.stats().streams).toBe(0));
  });

  it('serves HTTP/1.0 without chunks', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    for (const path of paths) {
      const socket = net.connect(node.port, '127.0.0.1');
      let text = '';
      socket.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      socket.write(`GET ${path}?apikey=${key} HTTP/1.0\r\n\r\n`);
      await eventually(() => expect(text).toMatch(/event: (ping|heartbeat)\n/));
      expect(text).not.toMatch(/transfer-encoding/i);
      expect(text.split('\r\n\r\n')[1]).toMatch(/^retry: 2000\n\n/);
      socket.destroy();
    }
  });
});

describe('the nodes', () => {
  it('had no error beside the requests', () => {
    expect([...busErrors, ...nodes.flatMap(({ errors }) => errors)]).toEqual([]);
  });
});
