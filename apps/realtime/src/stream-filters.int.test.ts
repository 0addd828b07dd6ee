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

async function open(path: string, options?: Parameters<typeof openPath>[1]): Promise<SseProbe> {
  const probe = await openPath(path, options);
  if (probe.status === 200) await probe.waitFor('ping');
  return probe;
}

const scope = () => ({ databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } });

const create = (collection: string, data: Record<string, number> = {}) => createDocument(node, collection, data);
const set = (collection: string, id: string, data: Record<string, number>) =>
  node.client.document.update({ scope: scope(), collection, where: { id }, data: () => data });
const remove = (collection: string, id: string) =>
  node.client.document.delete({ scope: scope(), collection, where: { id } });
const publish = (name: string, data: unknown) =>
  node.client.event.create({ scope: scope(), name, data: data as never });
/** A last event, by which every stream is known to have come to the end. */
async function finish(): Promise<number> {
  const outcome = await publish('END', null);
  return outcome.status === 'written' ? Number(outcome.eventId) : 0;
}

const typed = (probe: SseProbe) =>
  probe.messages.filter(({ event }) => !['ping', 'message'].includes(event)).map(({ event }) => event);

describe('the filters of a stream', () => {
  it('show what is asked for and move the cursor over the rest, live and in replay, on every node', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const ask = (terms: Record<string, string>) => `/realtime?${new URLSearchParams({ apikey: key, ...terms })}`;
    const asked = [
      ask({ collections: 'sail' }),
      ask({ events: 'delete,GOAL' }),
      ask({ collections: 'sail', q: '{"n":{"$gte":2}}' }),
      ask({ collections: 'sail,oar', events: 'POST,chat.*' }),
    ];
    const live = await Promise.all(asked.map((path) => open(path)));
    const since = Number(live[0]?.lastEventId);
    const id = await create('sail', { n: 1 });
    await set('sail', id, { n: 2 });
    await set('sail', id, { n: 1 });
    await set('sail', id, { n: 0 });
    await create('oar', { n: 2 });
    await publish('GOAL', 1);
    await publish('chat.a', 1);
    await remove('sail', id);
    const end = await finish();
    const wanted = [
      ['post', 'put', 'put', 'put', 'delete'],
      ['publish', 'delete'],
      ['put', 'put'],
      ['post', 'post', 'publish'],
    ];
    const replayed = await Promise.all(asked.map((path) => open(`${path}&since=${since}`, { on: other })));
    for (const streams of [live, replayed]) {
      await eventually(() =>
        expect(streams.map((probe) => Number(probe.lastEventId) >= end)).toEqual(asked.map(() => true)),
      );
      expect(streams.map(typed)).toEqual(wanted);
    }
  });

  it('never widen what the key may hear', async () => {
    const { key } = await node.createKey({ listen: ['POST:mine'] });
    const probe = await open(`/realtime?apikey=${key}&collections=mine,yours&events=post,put,publish`);
    await create('yours');
    await publish('GOAL', 1);
    const id = await create('mine');
    await set('mine', id, { n: 1 });
    const end = await finish();
    await eventually(() => expect(Number(probe.lastEventId)).toBeGreaterThanOrEqual(end));
    expect(typed(probe)).toEqual(['post']);
  });

  it('are kept over 30 cuts under load: every id that is asked for, once and in order', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const probe = await open(`/realtime?apikey=${key}&collections=even&q={"n":{"$lt":1000000}}`);
    const wanted: number[] = [];
    let isOver = false;
    const writer = (async () => {
      for (let n = 0; !isOver; n += 1) {
        const outcome = await node.client.document.create({
          scope: scope(),
          collection: n % 2 === 0 ? 'even' : 'odd',
          data: { n: n % 10 === 8 ? 2_000_000 : n },
        });
        if (outcome.status === 'written' && n % 2 === 0 && n % 10 !== 8) wanted.push(Number(outcome.eventId));
      }
    })();
    for (let cut = 0; cut < 30; cut += 1) {
      await new Promise((resolve) => setImmediate(resolve));
      await probe.reconnect();
    }
    isOver = true;
    await writer;
    const ids = () => probe.messages.filter(({ event }) => event === 'post').map(({ id }) => Number(id));
    await eventually(() => expect(ids()).toHaveLength(wanted.length), { timeoutMs: 10_000 });
    expect(ids()).toEqual(wanted);
  }, 30_000);

  it.each(['collections=a%20b', 'collections=', 'events=x%0d%0aid:1', 'q={', 'q={"a":{"$where":1}}', 'q={}&q={}'])(
    'refuse %s with 400 and say where and what is allowed',
    async (terms) => {
      const { key } = await node.createKey({ listen: ['*:*'] });
      for (const path of ['/realtime', '/realtime/events']) {
        const answer = await fetch(`${node.url}${path}?apikey=${key}&${terms}`);
        expect(answer.status).toBe(400);
        expect(await answer.json()).toMatchObject({ code: 'bad_request', errors: [{ allowed: expect.any(String) }] });
      }
    },
  );
});

describe('GET /realtime/events', () => {
  const messages = (probe: SseProbe) =>
    probe.messages.filter(({ event }) => event === 'message').map(({ data }) => JSON.parse(data));

  it('shows unnamed messages with type and payload: documents of changes, the _id of a delete, custom events by their name', async () => {
    const { key } = await node.createKey({ listen: ['*:*'] });
    const probe = await open(`/realtime/events?token=${key}`);
    expect(messages(probe)).toEqual([]);
    const id = await create('boat', { n: 1 });
    await set('boat', id, { n: 2 });
    await remove('boat', id);
    await publish('backup.progress', { percent: 50, id: 'backup_abc' });
    await node.client.collection.rename({ scope: scope(), where: { name: 'boat' }, data: { name: 'ship' } });
    await node.client.collection.drop({ scope: scope(), where: { name: 'ship' } });
    await eventually(() => expect(messages(probe)).toHaveLength(6));
    expect(messages(probe)).toEqual([
      { type: 'boat.post', collection: 'boat', payload: expect.objectContaining({ _id: id, n: 1, _version: 0 }) },
      { type: 'boat.put', collection: 'boat', payload: expect.objectContaining({ _id: id, n: 2, _version: 1 }) },
      { type: 'boat.delete', collection: 'boat', payload: { _id: id } },
      { type: 'backup.progress', payload: { percent: 50, id: 'backup_abc' } },
      { type: 'boat.rename', collection: 'boat', payload: { name: 'ship' } },
      { type: 'ship.drop', collection: 'ship', payload: null },
    ]);
  });

  it('takes a key by bearer, token or apikey, and says a reset and a revocation as messages', async () => {
    const { key, id } = await node.createKey({ listen: ['*:*'] });
    const byBearer = await open('/realtime/events?since=999999999', { headers: { authorization: `Bearer ${key}` } });
    expect(messages(byBearer)[0]).toMatchObject({ type: 'reset', payload: { reason: 'unknown' } });
    await open(`/realtime/events?apikey=${key}`);
    expect((await fetch(`${node.url}/realtime/events`)).status).toBe(401);
    await node.apiKeys.revoke(node.databaseId, id);
    await byBearer.waitForEnd({ timeoutMs: 2_000 });
    expect(messages(byBearer).at(-1)).toMatchObject({ type: 'revoked' });
  });

  it("shows an admin's session every event of a database until the session ends, on its own pages alone", async () => {
    const { cookie, end } = await node.signIn();
    const probe = await open('/realtime/events?events=GOAL', { headers: { cookie, origin: node.url } });
    await publish('OTHER', 1);
    await publish('GOAL', 1);
    await eventually(() => expect(messages(probe)).toEqual([{ type: 'GOAL', payload: 1 }]));
    const refused: Record<string, string>[] = [
      { cookie, origin: 'https://evil.example' },
      { cookie: 'tidewire_session=nonsense' },
      { cookie, origin: 'null' },
    ];
    const statuses = await Promise.all(
      refused.map(async (headers) => (await fetch(`${node.url}/realtime/events`, { headers })).status),
    );
    expect(statuses).toEqual([403, 401, 403]);
    expect((await fetch(`${node.url}/realtime/events?database=nowhere`, { headers: { cookie } })).status).toBe(404);
    await end();
    await probe.waitForEnd({ timeoutMs: 3_000 });
    expect(messages(probe).at(-1)).toMatchObject({ type: 'expired' });
  });

  it('is off for a key for which realtime is off', async () => {
    const { key } = await node.createKey({});
    expect((await fetch(`${node.url}/realtime/events?token=${key}`)).status).toBe(403);
  });
});

describe('the nodes', () => {
  it('had no error beside the requests', () => {
    expect(nodes.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
