import net from 'node:net';
import { eventually } from '@tidewire/testing/eventually';
import type { SseProbe } from '@tidewire/testing/sse-probe';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDocument, type TestNode, useThreeNodes } from './realtime.fixture.js';

const { nodes, open: openPath } = useThreeNodes();
let node: TestNode;
let other: TestNode;

beforeAll(() => {
  [node, other] = nodes as [TestNode, TestNode];
});

async function open(
  key: string,
  options: { on?: TestNode; query?: string; headers?: Record<string, string> } = {},
): Promise<SseProbe> {
  const { on = node, query = '', headers = {} } = options;
  const probe = await openPath(`/realtime?apikey=${key}${query}`, { on, headers });
  if (probe.status === 200) await probe.waitFor('ping');
  return probe;
}

const scope = () => ({ databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } });

const create = (collection: string, data: Record<string, number> = {}, on = node) =>
  createDocument(on, collection, data);

function publish(key: string, body: unknown, headers: Record<string, string> = {}) {
  return fetch(`${node.url}/realtime`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

const idsOf = (probe: SseProbe) =>
  probe.messages
    .filter(({ event }) => ['post', 'put', 'delete', 'publish'].includes(event))
    .map(({ id }) => Number(id));

describe('GET /realtime', () => {
  it("speaks restdb.io's format: retry, init, ping, then typed events with ids", async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const probe = await open(key);
    expect(probe.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    expect(probe.headers['x-accel-buffering']).toBe('no');
    expect(probe.headers['cache-control']).toBe('no-cache, no-transform');
    expect(probe.retryMs).toBe(2000);
    expect(probe.messages[0]).toMatchObject({ event: 'message', data: '{"channel":"init","data":{}}' });
    expect(new Date(probe.messages[1]?.data ?? '').getTime()).toBeGreaterThan(0);

    const id = await create('company', { n: 1 });
    await node.client.document.update({ scope: scope(), collection: 'company', where: { id }, data: () => ({ n: 2 }) });
    await node.client.document.delete({ scope: scope(), collection: 'company', where: { id } });
    await node.client.event.create({ scope: scope(), name: 'GOAL', data: { match: 223 } });
    await probe.waitFor('publish');
    const [post, put, gone, goal] = ['post', 'put', 'delete', 'publish'].map((event) => probe.json(event).at(-1));
    expect(post).toMatchObject({ event: 'post', collection: 'company', data: { _id: id, n: 1, _version: 0 } });
    expect(put).toEqual({ event: 'put', collection: 'company', data: id });
    expect(gone).toEqual({ event: 'delete', collection: 'company', data: [id] });
    expect(goal).toEqual({ event: 'GOAL', data: { match: 223 } });
  });

  it('tells of a rename and of a drop whoever may hear any change of the collection under its old name, live and in replay, and nobody else', async () => {
    const grants = ['DELETE:tide', 'POST:tide', 'PUT:ebb', 'POST:other', 'PUBLISH:*'];
    const keys = await Promise.all(grants.map(async (grant) => (await node.createKey({ listen: [grant] })).key));
    const live = await Promise.all(keys.map((key) => open(key)));
    const { collection } = node.client;
    await create('tide');
    const renamed = await collection.rename({ scope: scope(), where: { name: 'tide' }, data: { name: 'ebb' } });
    const dropped = await collection.drop({ scope: scope(), where: { name: 'ebb' } });
    await node.client.event.create({ scope: scope(), name: 'END', data: null });
    const numbers = [renamed, dropped].map((outcome) => (outcome.status === 'written' ? outcome.eventId : null));
    const since = Number(numbers[0]) - 2;
    const replayed = await Promise.all(keys.map((key) => open(key, { on: other, query: `&since=${since}` })));
    const rename = { event: 'rename', collection: 'tide', data: 'ebb' };
    const drop = { event: 'drop', collection: 'ebb', data: null };
    for (const probes of [live, replayed]) {
      await probes[4]?.waitFor('publish');
      await probes[0]?.waitFor('rename');
      await probes[1]?.waitFor('rename');
      await probes[2]?.waitFor('drop');
      await eventually(() =>
        expect(probes.map(({ lastEventId }) => Number(lastEventId) > Number(numbers[1]))).toEqual(
          probes.map(() => true),
        ),
      );
      const heard = probes.map((probe) => [...probe.json('rename'), ...probe.json('drop')]);
      expect(heard).toEqual([[rename], [rename], [drop], [], []]);
      const ids = probes.map(
        ({ messages }) => messages.find(({ event }) => event === 'rename' || event === 'drop')?.id,
      );
      expect(ids).toEqual([String(numbers[0]), String(numbers[0]), String(numbers[1]), undefined, undefined]);
    }
    const refused = await publish((await node.createKey({ publish: ['*'] })).key, { event: 'drop', data: 1 });
    expect(refused.status).toBe(422);
  });

  it('is compressed by nobody, whatever the client offers', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const probe = await open(key, { headers: { 'accept-encoding': 'gzip, br' } });
    expect(probe.headers['content-encoding']).toBeUndefined();
  });

  it('is refused with 403 while realtime is off for the key, and 401 for a key that nobody has', async () => {
    const { key } = await node.createKey({});
    const probe = await open(key);
    expect(probe.status).toBe(403);
    await eventually(() => expect(JSON.parse(probe.body)).toMatchObject({ code: 'realtime_off' }));
    expect((await open('tw_nobody')).status).toBe(401);
  });

  it('takes the key by header, bearer or query, and refuses two that differ', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const statuses = await Promise.all(
      [['x-apikey', key] as const, ['authorization', `Bearer ${key}`] as const].map(async ([name, value]) => {
        const probe = await openPath('/realtime', { headers: { [name]: value } });
        return probe.status;
      }),
    );
    expect(statuses).toEqual([200, 200]);
    expect((await open(key, { headers: { 'x-apikey': 'tw_other' } })).status).toBe(400);
  });

  it('lets only the origins of the key in, and lets their pages read it', async () => {
    const { key } = await node.createKey({ listen: ['*:*'], origins: ['https://app.example'] });
    const allowed = await open(key, { headers: { origin: 'https://app.example' } });
    expect(allowed.headers['access-control-allow-origin']).toBe('https://app.example');
    const foreign = await open(key, { headers: { origin: 'https://app.example.evil.example' } });
    expect([foreign.status, foreign.headers['access-control-allow-origin']]).toEqual([403, undefined]);
  });

  it.each(['Last-Event-ID', 'lastEventId', 'last_event_id', 'since'])(
    'replays from the cursor in %s, on any node',
    async (carrier) => {
      const { key } = await node.createKey({ listen: ['*:*'] });
      const first = await open(key);
      await create('company');
      await first.waitFor('post');
      const cursor = first.lastEventId ?? '';
      first.cut();
      for (let n = 0; n < 30; n += 1) await create('company', { n });
      const options =
        carrier === 'Last-Event-ID' ? { headers: { 'last-event-id': cursor } } : { query: `&${carrier}=${cursor}` };
      for (const on of nodes) {
        const probe = await open(key, { on, ...options });
        await eventually(() =>
          expect(idsOf(probe)).toEqual(Array.from({ length: 30 }, (_, n) => Number(cursor) + n + 1)),
        );
      }
    },
  );

  it('takes the header for the cursor when a browser repeats an old one in the query', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    await create('company');
    const head = (await open(key)).lastEventId;
    await create('company');
    const probe = await open(key, { query: '&lastEventId=0', headers: { 'last-event-id': head ?? '' } });
    await probe.waitFor('post');
    expect(idsOf(probe)).toEqual([Number(head) + 1]);
  });

  it.each(['-1', '9e99', 'NaN', 'abc', '18446744073709551616', '900000000', '%00', 'earliest', '١٢', '5'.repeat(400)])(
    'answers the cursor %j with reset, never an error or silence',
    async (cursor) => {
      const { key } = await node.createKey({ listen: ['*:*'] });
      const probe = await open(key, { query: `&lastEventId=${cursor}` });
      expect(probe.status).toBe(200);
      expect(JSON.parse((await probe.waitFor('reset')).data)).toMatchObject({ reason: 'unknown' });
      await create('company');
      await probe.waitFor('post');
    },
  );

  it('moves the cursor in silence over events that the key may not hear', async () => {
    const { key } = await node.createKey({ listen: ['POST:shown'] });
    const probe = await open(key);
    await create('hidden');
    const id = await create('hidden');
    const { eventId } = (await node.client.document.delete({
      scope: scope(),
      collection: 'hidden',
      where: { id },
    })) as { eventId: number };
    await eventually(() => expect(probe.lastEventId).toBe(String(eventId)));
    expect(idsOf(probe)).toEqual([]);
  });

  it('ends with a reason within a second of the revocation, on every node, and the next try gets 401', async () => {
    const { id, key } = await node.createKey({ listen: ['*:*'] });
    const streams = await Promise.all(nodes.map((on) => open(key, { on })));
    const began = performance.now();
    await node.apiKeys.revoke(node.databaseId, id);
    await Promise.all(streams.map((probe) => probe.waitForEnd({ timeoutMs: 2_000 })));
    expect(performance.now() - began).toBeLessThan(1_500);
    for (const probe of streams) expect(probe.messages.at(-1)?.event).toBe('revoked');
    for (const on of nodes) expect((await open(key, { on })).status).toBe(401);
  });

  it('narrows and widens open streams with the grants of the key and with the global flag, on every node', async () => {
    const { id, key } = await node.createKey({ listen: ['POST:company'] });
    const streams = await Promise.all(nodes.map((on) => open(key, { on })));
    const settled = () => new Promise((resolve) => setTimeout(resolve, 1_300));
    const seen: number[][] = [];
    const round = async () => {
      const document = await create('company');
      await node.client.document.update({
        scope: scope(),
        collection: 'company',
        where: { id: document },
        data: () => ({}),
      });
      await create('marker');
      await settled();
      const events = streams.map(
        (probe) => probe.messages.filter(({ event }) => event !== 'ping' && event !== 'message').length,
      );
      seen.push(events);
    };
    await round();
    await node.apiKeys.update(node.databaseId, id, { listen: ['PUT:company', 'POST:company'] });
    await settled();
    await round();
    await node.settings.patch(node.databaseId, { realtime: { global: true } });
    await settled();
    await round();
    await node.settings.patch(node.databaseId, { realtime: { global: false } });
    await node.apiKeys.update(node.databaseId, id, { listen: [] });
    await settled();
    await round();
    expect(seen).toEqual([1, 3, 6, 6].map((count) => [count, count, count]));
  }, 30_000);

  it('gives a client that is cut 60 times while 8 writers write every id once and in order', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const probe = await open(key, { query: '' });
    const start = Number(probe.lastEventId);
    let isOver = false;
    let written = 0;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let n = 0; !isOver; n += 1) {
        await create(`c${writer % 3}`, { n }, writer % 2 === 0 ? node : other);
        written += 1;
        if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
      }
    });
    for (let cut = 0; cut < 60; cut += 1) {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 25));
      await probe.reconnect();
    }
    isOver = true;
    await Promise.all(writers);
    await eventually(() => expect(idsOf(probe)).toHaveLength(written), { timeoutMs: 10_000 });
    expect(idsOf(probe)).toEqual(Array.from({ length: written }, (_, index) => start + index + 1));
  }, 40_000);

  it('reads nothing that a client sends behind its request into the stream', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const socket = net.connect(node.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    const request = `GET /realtime?apikey=${key} HTTP/1.1\r\nHost: x\r\n\r\n`;
    socket.write(request + request);
    await eventually(() => expect(text).toContain('event: ping'));
    socket.write(`${request}GARBAGE\r\n\r\n`);
    await create('company');
    await eventually(() => expect(text).toContain('event: post'));
    expect([/HTTP\/1\.1/g, /event: post/g, /"channel":"init"/g].map((part) => text.match(part)?.length)).toEqual([
      1, 1, 1,
    ]);
    socket.destroy();
  });

  it('serves HTTP/1.0 without chunks, as a proxy with default settings asks for it', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const socket = net.connect(node.port, '127.0.0.1');
    let text = '';
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    socket.write(`GET /realtime?apikey=${key} HTTP/1.0\r\n\r\n`);
    await eventually(() => expect(text).toContain('event: ping'));
    expect(text).not.toMatch(/transfer-encoding/i);
    expect(text.split('\r\n\r\n')[1]).toMatch(/^retry: 2000\n\n/);
    socket.destroy();
  });

  it('answers HEAD, a wrong method and a wrong Accept without leaving a stream open', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const url = `${node.url}/realtime?apikey=${key}`;
    const statuses = await Promise.all(
      [{ method: 'HEAD' }, { method: 'PUT' }, { headers: { accept: 'application/json' } }].map(
        async (init) => (await fetch(url, init)).status,
      ),
    );
    expect(statuses).toEqual([200, 405, 406]);
  });
});

describe('POST /realtime', () => {
  it('publishes a custom event to those who may hear it and answers OK with its id', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:GOAL'], publish: ['GOAL', 'chat.*'] });
    const probe = await open(key);
    const answer = await publish(key, { event: 'GOAL', data: { value: '3-0' } });
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'OK' }]);
    const message = await probe.waitFor('publish');
    expect(message.id).toBe(answer.headers.get('x-event-id'));
    expect((await publish(key, { event: 'chat.room1' })).status).toBe(200);
    expect((await publish(key, { event: 'OTHER', data: 1 })).status).toBe(403);
  });

  it.each([
    ['no object', '[]', 422],
    ['no name', '{"data":1}', 422],
    ['a name with CR LF', '{"event":"x\\r\\nid: 999"}', 422],
    ['a name with NUL', '{"event":"x\\u0000"}', 422],
    ['a name that is no text', '{"event":{"a":1}}', 422],
    ['a name of our own', '{"event":"reset"}', 422],
    ["a browser's name", '{"event":"error"}', 422],
    ['an unknown field', '{"event":"GOAL","to":"all"}', 422],
    ['__proto__ in the data', '{"event":"GOAL","data":{"__proto__":{}}}', 422],
    ['a number that is too large', '{"event":"GOAL","data":1e400}', 422],
    ['a lone surrogate', '{"event":"GOAL","data":"\\ud800"}', 422],
    ['broken JSON', '{"event":', 400],
    ['depth 10,000', `{"event":"GOAL","data":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 422],
    ['10 MB', `{"event":"GOAL","data":"${'x'.repeat(10_000_000)}"}`, 413],
  ])('refuses %s with a problem and stores nothing', async (_name, body, status) => {
    const { key } = await node.createKey({ listen: ['*:*'], publish: ['*'] });
    const count = () => node.connections.prisma.event.count();
    const before = await count();
    const answer = await publish(key, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ status, detail: expect.any(String) });
    expect(await count()).toBe(before);
  });

  it('refuses a body that is not JSON by its type', async () => {
    const { key } = await node.createKey({ publish: ['*'] });
    expect((await publish(key, 'event=GOAL', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(
      415,
    );
  });
});

describe("the admins' stream of the log", () => {
  it('shows every event with its author, and ends when the session does', async () => {
    const { cookie, end } = await node.signIn();
    const probe = await openPath('/api/databases/default/events/stream', { headers: { cookie } });
    await probe.waitFor('ping');
    const id = await create('company', { n: 7 });
    const shown = JSON.parse((await probe.waitFor('log')).data);
    expect(shown).toMatchObject({
      type: 'post',
      collection: 'company',
      documentId: id,
      actor: 'key:test',
      data: { n: 7 },
    });
    await end();
    await probe.waitForEnd({ timeoutMs: 3_000 });
    expect(probe.messages.at(-1)?.event).toBe('expired');
  });

  it('is closed to keys and strangers', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const url = `${node.url}/api/databases/default/events/stream`;
    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(url, { headers: { 'x-apikey': key } })).status).toBe(401);
  });
});

describe('the nodes', () => {
  it('had no error beside the requests', () => {
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
