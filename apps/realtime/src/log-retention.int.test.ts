import { createLogRetention } from '@tidewire/change-log/log-retention';
import { eventually } from '@tidewire/testing/eventually';
import type { SseProbe } from '@tidewire/testing/sse-probe';
import { beforeAll, describe, expect, it } from 'vitest';
import { createDocument, type TestNode, useThreeNodes } from './realtime.fixture.js';

const { nodes, open } = useThreeNodes();
let node: TestNode;
let key: string;

beforeAll(async () => {
  node = nodes[0] as TestNode;
  key = (await node.createKey({ rest: ['*:*'], listen: ['*:*'], publish: ['*'] })).key;
});

/** Keeps the newest events only, and cuts the log at once. */
async function cutLog(keepEvents: number): Promise<void> {
  await node.settings.patch(node.databaseId, { log: { keepEvents } });
  const errors: unknown[] = [];
  const retention = createLogRetention({
    pool: node.connections.retentionPool,
    onError: (error) => errors.push(error),
    ...{ intervalMs: 0, stepRows: 10, youngestMs: 0, now: () => Date.now() + 1_000 },
  });
  await retention.run();
  await retention.close();
  await node.settings.patch(node.databaseId, { log: { keepEvents: null } });
  expect(errors).toEqual([]);
}

async function reach() {
  const { rows } = await node.connections.pool.query<{ head: number; oldest: number }>(
    'SELECT head, oldest FROM log_heads WHERE database_id = $1',
    [node.databaseId],
  );
  return rows[0] ?? { head: -1, oldest: -1 };
}

async function write(count: number, on = node): Promise<void> {
  for (let n = 0; n < count; n += 1) await createDocument(on, 'company', { n });
}

async function publish(name: string, data: string): Promise<void> {
  const scope = { databaseId: node.databaseId, author: { actor: 'key:test', by: 'api' } };
  await node.client.event.create({ scope, name, data });
}

const idsOf = (probe: SseProbe, types = ['post']) =>
  probe.messages.filter(({ event }) => types.includes(event)).map(({ id }) => Number(id));
const idsBetween = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

describe('a log that was cut', () => {
  it('answers a cursor behind its oldest event with reset on every node, and any other with every event after it', async () => {
    // Streams on all nodes keep rings that still hold what the log gives up.
    const before = await Promise.all(nodes.map((on) => open(`/realtime?apikey=${key}`, { on })));
    await write(60);
    const { head } = await reach();
    for (const probe of before) await probe.waitFor(({ id }) => id === String(head));
    await cutLog(20);
    const { oldest } = await reach();
    expect(oldest).toBe(head - 19);
    for (const on of nodes) {
      // Within a second every node knows, also those whose ring could still serve the cursor.
      await eventually(async () => {
        const late = await open(`/realtime?apikey=${key}&since=${oldest - 2}`, { on });
        const reset = await late.waitFor('reset', { timeoutMs: 500 });
        expect([JSON.parse(reset.data), reset.id]).toEqual([
          { reason: 'retention', oldest, newest: head },
          String(head),
        ]);
        expect(idsOf(late)).toEqual([]);
      });
      const just = await open(`/realtime?apikey=${key}&since=${oldest - 1}`, { on });
      await just.waitFor(({ id }) => id === String(head));
      expect(idsOf(just)).toEqual(idsBetween(oldest, head));
      expect(just.messages.some(({ event }) => event === 'reset')).toBe(false);
    }
    // Whoever was live all the time heard of none of it.
    await write(3);
    for (const probe of before) {
      await probe.waitFor(({ id }) => id === String(head + 3));
      expect(idsOf(probe)).toEqual(idsBetween(Number(idsOf(probe)[0]), head + 3));
      expect(probe.messages.some(({ event }) => event === 'reset')).toBe(false);
    }
  });

  it('goes on behind a reset with what comes next, in every form of stream', async () => {
    await write(30);
    await cutLog(5);
    const { head, oldest } = await reach();
    await publish('chat', 'recent');
    const forms = [`/realtime?`, `/realtime/events?`, `/channels/chat/stream?`];
    for (const [index, form] of forms.entries()) {
      const on = nodes[index] as TestNode;
      const probe = await eventually(async () => {
        const made = await open(`${form}apikey=${key}&since=${oldest - 10}`, { on });
        await made.waitFor(({ data }) => data.includes('"retention"'), { timeoutMs: 500 });
        return made;
      });
      if (form.startsWith('/channels')) await probe.waitFor(({ data }) => data === 'recent');
      await publish('chat.next', `after ${index}`);
      await probe.waitFor(({ data }) => data.includes(`after ${index}`));
    }
    expect((await reach()).head).toBe(head + 4);
  });

  it('is no matter to the stream of a query: whoever returns gets a snapshot, whatever its cursor', async () => {
    await write(20);
    await cutLog(3);
    const { oldest } = await reach();
    for (const on of nodes) {
      const probe = await open(`/rest/company/stream?max=2&delta=true&apikey=${key}`, {
        on,
        headers: { 'last-event-id': String(oldest - 10) },
      });
      const snapshot = await probe.waitFor('snapshot');
      expect(JSON.parse(snapshot.data).data).toHaveLength(2);
      await createDocument(on, 'company', { n: -1 });
    }
  });

  it('is purged while everybody writes, and whoever returns at any age gets all of it or a reset', async () => {
    let isOver = false;
    const writers = nodes.map(async (on) => {
      while (!isOver) await write(5, on);
    });
    const rounds: Promise<void> = (async () => {
      while (!isOver) await cutLog(40);
    })();
    const outcomes = { exact: 0, reset: 0 };
    for (let n = 0; n < 60; n += 1) {
      const { head } = await reach();
      const age = [2, 10, 35, 80, 300, 1_000][n % 6] ?? 0;
      const since = Math.max(0, head - age);
      const on = nodes[n % nodes.length] as TestNode;
      const probe = await open(`/realtime?apikey=${key}&since=${since}`, { on });
      await probe.waitFor(({ event, id }) => event === 'reset' || (event === 'post' && Number(id) > head));
      const first = probe.messages.find(({ event }) => event === 'reset' || event === 'post');
      const ids = idsOf(probe);
      if (first?.event === 'reset') {
        outcomes.reset += 1;
        const reason = JSON.parse(first.data);
        expect(reason.reason).toBe('retention');
        expect(reason.oldest).toBeGreaterThan(since + 1);
        expect(ids).toEqual(idsBetween(reason.newest + 1, reason.newest + ids.length));
      } else {
        outcomes.exact += 1;
        expect(ids).toEqual(idsBetween(since + 1, since + ids.length));
      }
      probe.close();
    }
    isOver = true;
    await Promise.all([...writers, rounds]);
    expect(outcomes.exact).toBeGreaterThan(5);
    expect(outcomes.reset).toBeGreaterThan(5);
  }, 60_000);
});
