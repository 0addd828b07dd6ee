import { createChannelLog } from '@tidewire/change-log/channel-log';
import { reservedEventNames } from '@tidewire/protocol/names';
import { eventually } from '@tidewire/testing/eventually';
import type { SseProbe } from '@tidewire/testing/sse-probe';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestNode, useThreeNodes } from './realtime.fixture.js';

const { nodes, open: openPath } = useThreeNodes();
let node: TestNode;
let other: TestNode;

beforeAll(() => {
  [node, other] = nodes as [TestNode, TestNode];
});

type Message = { id: number; event: string; data: unknown; at: string };

async function open(key: string, channel: string, options: { on?: TestNode; query?: string } = {}): Promise<SseProbe> {
  const { on = node, query = '' } = options;
  const probe = await openPath(`/channels/${channel}/stream?apikey=${key}${query}`, { on });
  if (probe.status === 200) await probe.waitFor('heartbeat');
  return probe;
}

function post(
  key: string,
  channel: string,
  body: unknown,
  options: { on?: TestNode; headers?: Record<string, string> } = {},
) {
  return fetch(`${(options.on ?? node).url}/channels/${channel}`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json', ...options.headers },
    body: JSON.stringify(body),
  });
}

async function list(key: string, channel: string, query = ''): Promise<{ data: Message[]; before: number | null }> {
  const answer = await fetch(`${node.url}/channels/${channel}${query}`, { headers: { 'x-apikey': key } });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { data: Message[]; before: number | null };
}

async function publishAll(key: string, channel: string, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n += 1) expect((await post(key, channel, { data: n })).status).toBe(200);
}

const shown = (probe: SseProbe) =>
  probe.messages.filter(({ event }) => event !== 'heartbeat').map(({ event, data }) => [event, data]);

describe('a channel', () => {
  it('shows its messages to streams on every node: plain ones, those with an event of their own, and heartbeat with OK', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:news', 'PUBLISH:news.*'], publish: ['news', 'news.*'] });
    const streams = await Promise.all(nodes.map((on) => open(key, 'news', { on })));
    const answer = await post(key, 'news', { data: { title: 'Tide' } });
    expect([answer.status, await answer.json()]).toEqual([200, { message: 'OK' }]);
    await post(key, 'news', { event: 'flash', data: 'now\nor never' });
    await post(key, 'news', { event: 'message' });
    const messages = [
      ['message', '{"title":"Tide"}'],
      ['flash', 'now\nor never'],
      ['message', 'null'],
    ];
    for (const probe of streams) {
      await eventually(() => expect(shown(probe)).toEqual(messages));
      expect(probe.messages.find(({ event }) => event === 'heartbeat')?.data).toBe('OK');
      expect(probe.messages.find(({ event }) => event === 'message')?.id).toBe(answer.headers.get('x-event-id'));
      expect(probe.headers['x-accel-buffering']).toBe('no');
    }
  });

  it('begins a stream with its recent messages, 50 or as many as are asked for, and with none at a cursor', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:recent'], publish: ['recent'] });
    await publishAll(key, 'recent', 1, 60);
    const numbers = (probe: SseProbe) => shown(probe).map(([, data]) => Number(data));
    const streams = await Promise.all([
      open(key, 'recent'),
      open(key, 'recent', { query: '&recent=3' }),
      open(key, 'recent', { query: '&recent=0' }),
    ]);
    expect(numbers(streams[0] as SseProbe)).toEqual(Array.from({ length: 50 }, (_, index) => index + 11));
    expect(numbers(streams[1] as SseProbe)).toEqual([58, 59, 60]);
    expect(numbers(streams[2] as SseProbe)).toEqual([]);
    const ids = (streams[1] as SseProbe).messages.map(({ id }) => Number(id));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    // Another node may not have seen the last messages yet; then they follow.
    const elsewhere = await open(key, 'recent', { on: other, query: '&recent=3' });
    await eventually(() => expect(numbers(elsewhere).at(-1)).toBe(60));
    expect(numbers(elsewhere)).toEqual(
      Array.from({ length: numbers(elsewhere).length }, (_, index) => 61 - numbers(elsewhere).length + index),
    );
    const cursor = (streams[1] as SseProbe).messages[1]?.id;
    const resumed = await open(key, 'recent', { query: `&lastEventId=${cursor}` });
    await eventually(() => expect(numbers(resumed)).toEqual([60]));
  });

  it('gives a client that is cut 40 times while 4 writers publish every message once and in order, the recent ones included', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:busy'], publish: ['busy'] });
    const probe = await open(key, 'busy', { query: '&recent=500' });
    let isOver = false;
    let written = 0;
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      while (!isOver) {
        await post(key, 'busy', { data: writer }, { on: nodes[writer % 3] as TestNode });
        written += 1;
      }
    });
    for (let cut = 0; cut < 40; cut += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await probe.reconnect();
    }
    isOver = true;
    await Promise.all(writers);
    const ids = () => probe.messages.filter(({ event }) => event === 'message').map(({ id }) => Number(id));
    await eventually(() => expect(ids()).toHaveLength(written), { timeoutMs: 10_000 });
    expect(ids()).toEqual([...new Set(ids())].sort((a, b) => a - b));
  }, 30_000);

  it('starts a stream under load with recent messages and live ones that leave no gap and have no double', async () => {
    const { key } = await node.createKey({ listen: ['PUBLISH:start'], publish: ['start'] });
    let written = 0;
    let isOver = false;
    const writer = (async () => {
      while (!isOver) {
        written += 1;
        await post(key, 'start', { data: written });
      }
    })();
    const streams: SseProbe[] = [];
    for (let round = 0; round < 30; round += 1)
      streams.push(await open(key, 'start', { on: nodes[round % 3] as TestNode, query: '&recent=500' }));
    isOver = true;
    await writer;
    const all = Array.from({ length: written }, (_, index) => index + 1);
    const numbers = (probe: SseProbe) => shown(probe).map(([, data]) => Number(data));
    for (const probe of streams)
      await eventually(() => expect(numbers(probe).at(-1)).toBe(written), { timeoutMs: 10_000 });
    for (const probe of streams) expect(numbers(probe)).toEqual(all.slice(-numbers(probe).length));
    expect(streams.map((probe) => numbers(probe).length).every((length) => length >= Math.min(500, written))).toBe(
      true,
    );
  }, 30_000);

  it('lists its messages a page at a time, back to the first', async () => {
    const { key } = await node.createKey({
      listen: ['PUBLISH:pages.*', 'PUBLISH:pages'],
      publish: ['pages', 'pages.*'],
    });
    for (let n = 1; n <= 12; n += 1)
      await post(key, 'pages', { event: n % 3 === 0 ? `third${n % 2}` : 'message', data: { n } });
    await post(key, 'pages', { event: 'third.deep', data: 13 });
    const { data, before } = await list(key, 'pages', '?max=5');
    expect(data.map((message) => message.data)).toEqual([{ n: 9 }, { n: 10 }, { n: 11 }, { n: 12 }, 13]);
    expect(data[0]).toEqual({ id: before, event: 'third1', data: { n: 9 }, at: expect.stringMatching(/^\d{4}-.*Z$/) });
    const older = await list(key, 'pages', `?max=5&before=${before}`);
    expect(older.data.map((message) => message.data)).toEqual([4, 5, 6, 7, 8].map((n) => ({ n })));
    const oldest = await list(key, 'pages', `?before=${older.before}`);
    expect(oldest.data).toHaveLength(3);
    expect(await list(key, 'pages', `?before=${oldest.before}`)).toEqual({ data: [], before: null });
  });

  it('leaves out what the key may not hear, one by one, in lists, in streams and in what they begin with', async () => {
    const writer = await node.createKey({ publish: ['*'] });
    const { key } = await node.createKey({ listen: ['PUBLISH:mixed.open'] });
    const early = await open(key, 'mixed');
    await post(writer.key, 'mixed', { data: 'closed' });
    await post(writer.key, 'mixed', { event: 'openly', data: 'closed' });
    await post(writer.key, 'mixed', { event: 'open.not', data: 'closed' });
    expect((await post(writer.key, 'mixed', { event: 'open', data: 'reserved' })).status).toBe(422);
    await node.client.event.create({
      scope: { databaseId: node.databaseId, author: { actor: 'system', by: 'system' } },
      name: 'mixed.open',
      data: 'heard',
    });
    await post(writer.key, 'mixed', { data: 'closed' });
    const heard = [['mixed.open', 'heard']];
    await eventually(() => expect(shown(early)).toEqual(heard));
    await eventually(async () => expect(shown(await open(key, 'mixed', { on: other }))).toEqual(heard));
    expect((await list(key, 'mixed')).data).toMatchObject([{ event: 'mixed.open', data: 'heard' }]);
  });

  it('is closed to a key that may hear none of it, and to one for which realtime is off', async () => {
    const keys = await Promise.all(
      [['PUBLISH:others'], ['POST:secret'], ['PUBLISH:secrets'], []].map((listen) => node.createKey({ listen })),
    );
    for (const [index, { key }] of keys.entries()) {
      const answers = await Promise.all(
        ['', '/stream'].map((path) => fetch(`${node.url}/channels/secret${path}`, { headers: { 'x-apikey': key } })),
      );
      const code = index === 3 ? 'realtime_off' : 'forbidden';
      for (const answer of answers) expect([answer.status, await answer.json()]).toMatchObject([403, { code }]);
    }
    const grants = [['PUBLISH:secret'], ['PUBLISH:secret.a'], ['PUBLISH:secret.*'], ['PUBLISH:*'], ['*:*']];
    for (const listen of grants)
      expect((await open((await node.createKey({ listen })).key, 'secret')).status).toBe(200);
    const { key } = await node.createKey({ listen: ['*:*'], publish: ['secret.a'] });
    expect((await post(key, 'secret', { data: 1 })).status).toBe(403);
    expect((await post(key, 'secret', { event: 'a', data: 1 })).status).toBe(200);
  });

  it.each([
    ...reservedEventNames,
    'heartbeat',
    'x\r\nid: 999',
    'x\ndata: y',
    'x\rdata: y',
    'x\0',
    '',
    ' ',
    '1x',
    '-x',
    '.x',
    '_x',
    'x y',
    'x/y',
    'é',
    'x'.repeat(64),
  ])('refuses a message with the event %j and stores nothing', async (event) => {
    const { key } = await node.createKey({ listen: ['*:*'], publish: ['*'] });
    const probe = await open(key, 'names', { query: '&recent=0' });
    const count = () => node.connections.prisma.event.count();
    const before = await count();
    const answer = await post(key, 'names', { event, data: 1 });
    expect([answer.status, await answer.json()]).toMatchObject([422, { code: 'validation_failed' }]);
    expect([await count(), shown(probe)]).toEqual([before, []]);
  });

  it.each(['open', 'reset', '1x', 'a%20b', 'a%0d%0ab', 'a%00', 'x'.repeat(65), '%E2%82%AC'])(
    'has no name like %s: 400 for list, stream and message',
    async (name) => {
      const { key } = await node.createKey({ listen: ['*:*'], publish: ['*'] });
      const headers = { 'x-apikey': key };
      const answers = [
        await fetch(`${node.url}/channels/${name}`, { headers }),
        await fetch(`${node.url}/channels/${name}/stream`, { headers }),
        await post(key, name, { data: 1 }),
      ];
      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
    },
  );

  it.each([
    '?max=0',
    '?max=501',
    '?max=x',
    '?before=-1',
    '?before=1&before=2',
    '?unknown=1',
    '/stream?recent=501',
    '/stream?recent=x',
    '/stream?recent=1&recent=2',
  ])('refuses %s and says what is allowed', async (query) => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const answer = await fetch(`${node.url}/channels/a${query}`, { headers: { 'x-apikey': key } });
    expect([answer.status, await answer.json()]).toMatchObject([400, { errors: [{ allowed: expect.any(String) }] }]);
  });

  it('answers a message with an Idempotency-Key sent 20 times over three nodes with one event', async () => {
    const { key } = await node.createKey({ listen: ['*:*'], publish: ['*'] });
    const headers = { 'idempotency-key': 'once' };
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => post(key, 'once', { data: 1 }, { on: nodes[n % 3] as TestNode, headers })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map((answer) => answer.headers.get('x-event-id'))).size).toBe(1);
    expect((await list(key, 'once')).data).toHaveLength(1);
    expect((await post(key, 'once', { data: 2 }, { headers })).status).toBe(422);
    expect((await post(key, 'once', { data: 1 }, { headers: { 'idempotency-key': 'a b' } })).status).toBe(400);
  });

  it('reads only what it shows of a long log, however many names lie below the channel', async () => {
    const { pool, lanePool } = node.connections;
    const from = Number((await pool.query('SELECT head FROM log_heads')).rows[0]?.head);
    // Names below, names beside, and a log that goes on.
    await lanePool.query(
      `INSERT INTO events (database_id, id, type, name, data, actor, operation_id, at)
        SELECT $1, $2 + n, 'publish', CASE n % 3 WHEN 0 THEN 'deep.r' || n % 30 WHEN 1 THEN 'deep' ELSE 'deeper.x' || n END, to_json(n), 'system', gen_random_uuid(), now()
        FROM generate_series(1, 30000) n`,
      [node.databaseId, from],
    );
    await lanePool.query('UPDATE log_heads SET head = head + 30000');
    await pool.query('ANALYZE events');
    const asked: { text: string; values?: unknown[] }[] = [];
    const query = (config: { text: string; values?: unknown[] }) => {
      asked.push(config);
      return pool.query(config);
    };
    const watched = Object.assign(Object.create(pool), { query });
    const page = await createChannelLog(watched).recent(node.databaseId, 'deep', { before: from + 29_000, max: 100 });
    const wanted = Array.from({ length: 29_000 - 1 }, (_, n) => n + 1).filter((n) => n % 3 !== 2);
    expect(page.map(({ id }) => id - from)).toEqual(wanted.slice(-100));
    const { text = '', values = [] } = asked[0] ?? {};
    const { rows } = await pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values);
    const scans = JSON.stringify(rows).match(/"Node Type":"[^"]*Scan"[^{}]*"Relation Name":"events"[^{}]*/g) ?? [];
    expect(scans.length).toBeGreaterThan(3);
    for (const scan of scans) expect(scan).toMatch(/"Index Name":"events_channel_idx"/);
    const readRows = scans.map((scan) => {
      const number = (field: string) => Number(new RegExp(`"${field}":([\\d.]+)`).exec(scan)?.[1] ?? 0);
      return number('Actual Rows') * number('Actual Loops');
    });
    expect(readRows.reduce((sum, count) => sum + count, 0)).toBeLessThan(3_000);
  });
});

describe('the nodes', () => {
  it('had no error beside the requests', () => {
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
