import { Problem } from '@tidewire/protocol/problem';
import { createRandom } from '@tidewire/query/random.fixture';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { MemorySink } from './delivery.fixture.js';
import { changeOf, follow, type PageAsked, Table } from './live.fixture.js';
import { type LiveForm, LiveQuery, staysOpen, type Viewer } from './live-query.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const steps = Number(env.STEPS ?? 6_000);

const bodies: LiveForm = { isDelta: false, intervalMs: 0 };
const deltas: LiveForm = { isDelta: true, intervalMs: 0 };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

/** One live query; `change` writes and offers, `flush` is called when it was asked for. */
function createWorld(table: Table, source: ConstructorParameters<typeof LiveQuery>[0]) {
  const errors: unknown[] = [];
  const refused: LiveQuery[] = [];
  let position = table.head;
  let isDue = false;
  const query: LiveQuery = new LiveQuery(source, {
    pendingLimitBytes: 2_000,
    position: () => position,
    requestFlush: () => {
      isDue = true;
    },
    onJoin: () => undefined,
    onLeave: () => undefined,
    onDependencies: () => undefined,
    onRefused: (one) => void refused.push(one),
    onError: (error) => void errors.push(error),
    now: () => performance.now(),
  });
  const world = {
    query,
    errors,
    refused,
    /** Events come to this process. */
    offer(...events: ReturnType<Table['write']>[]) {
      for (const event of events) {
        position = event.id;
        query.offer(changeOf(event));
      }
    },
    change: (id: string, fields: Parameters<Table['write']>[1]) => world.offer(table.write(id, fields)),
    flush() {
      if (isDue) {
        isDue = false;
        query.flush();
      }
    },
    async settle() {
      for (let turn = 0; turn < 6; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        world.flush();
      }
    },
    async open(form: LiveForm, sink = new MemorySink()): Promise<{ viewer: Viewer; sink: MemorySink }> {
      const ready = query.ready();
      await world.settle();
      await ready;
      const viewer = query.join({ verdict: staysOpen, user: null }, sink, 0, form);
      world.flush();
      return { viewer, sink };
    },
  };
  return world;
}

function worldOf(asked: PageAsked = {}) {
  const table = new Table();
  for (const n of [1, 2, 3]) table.write(`d${n}`, { n });
  return { table, ...createWorld(table, table.source(asked)) };
}

describe('whole bodies', () => {
  test('begin with the body, and its event as id', async () => {
    const { table, open } = worldOf({ totals: true });
    const { sink } = await open(bodies);
    expect(sink.events).toEqual([{ event: 'c', id: '3', data: `{"c":${table.body({ totals: true })}}` }]);
  });

  test('come once for changes that came together, and not for those that leave the body as it is', async () => {
    const { table, open, change, flush } = worldOf({ max: 2 });
    const { sink } = await open(bodies);
    change('d0', { n: 0 });
    change('d1', { n: 1, x: 1 });
    flush();
    change('d9', { n: 9 });
    flush();
    expect(sink.events.slice(1)).toEqual([{ event: 'c', id: '5', data: `{"c":${table.body({ max: 2 }, 5)}}` }]);
  });

  test('are slowed down to one in an interval, the last of which is the present', async () => {
    const { table, open, change, flush } = worldOf();
    const { sink } = await open({ isDelta: false, intervalMs: 500 });
    for (let n = 10; n < 15; n += 1) {
      change(`d${n}`, { n });
      flush();
    }
    expect(sink.events).toHaveLength(1);
    vi.advanceTimersByTime(499);
    flush();
    expect(sink.events).toHaveLength(1);
    vi.advanceTimersByTime(1);
    flush();
    expect(sink.events).toHaveLength(2);
    expect(sink.events[1]).toEqual({ event: 'c', id: '8', data: `{"c":${table.body({})}}` });
  });
});

describe('deltas', () => {
  test('lead from the snapshot to the body, say why a document left, and have one id', async () => {
    const { table, open, change, flush } = worldOf({ max: 3, totals: true });
    const { sink } = await open(deltas);
    const [snapshot] = sink.events;
    expect(snapshot).toMatchObject({ event: 'snapshot', id: '3' });
    expect(JSON.parse(snapshot?.data ?? '')).toMatchObject({ totals: { total: 3 }, position: 3 });
    change('d0', { n: 0 });
    change('d1', null);
    change('d4', { n: 4 });
    flush();
    change('d2', { n: 9 });
    flush();
    expect(sink.events.slice(1).map(({ event, id, data }) => [event, id ?? '', JSON.parse(data)])).toEqual([
      ['leave', '', { _id: 'd1', from: 0, reason: 'delete' }],
      ['enter', '', { document: { _id: 'd0', n: 0 }, index: 0 }],
      ['totals', '6', { totals: { total: 4, count: 3, skip: 0, max: 3 } }],
      ['leave', '', { _id: 'd2', from: 1, reason: 'window' }],
      ['enter', '7', { document: { _id: 'd4', n: 4 }, index: 2 }],
    ]);
    expect(follow(sink.events).body).toBe(table.body({ max: 3, totals: true }));
  });

  test('that are slowed down show whoever joins the state that the next steps begin at (1)', async () => {
    const { table, open, change, flush } = worldOf();
    const slow = { isDelta: true, intervalMs: 500 };
    const { sink } = await open(slow);
    change('d4', { n: 4 });
    flush();
    const { sink: late } = await open(slow);
    expect(follow(late.events).at).toEqual([{ id: 3, body: table.body({}, 3) }]);
    change('d1', null);
    flush();
    vi.advanceTimersByTime(500);
    flush();
    expect(follow(late.events).body).toBe(table.body({}));
    expect(late.events.slice(1)).toEqual(sink.events.slice(1));
  });
});

describe('a live query', () => {
  test('is encoded once for all viewers of a form', async () => {
    const { open, change, flush } = worldOf();
    const sinks = [(await open(bodies)).sink, (await open(bodies)).sink];
    const chunks = sinks.map((sink) => vi.spyOn(sink, 'write'));
    change('d4', { n: 4 });
    flush();
    expect(chunks[0]?.mock.calls[0]?.[0]).toBe(chunks[1]?.mock.calls[0]?.[0]);
  });

  test('queues nothing for a viewer that does not drain, and then sends it the state anew (3)', async () => {
    const { table, open, change, flush, query } = worldOf({ max: 50 });
    const { viewer, sink } = await open(deltas, new MemorySink(500));
    for (let n = 10; n < 300; n += 1) {
      change(`d${n}`, { n, text: 'x'.repeat(50) });
      flush();
    }
    expect(viewer.state).toBe('stalled');
    expect(sink.largestPending).toBeLessThan(2_500);
    sink.drain();
    const seen = sink.events.length;
    query.drained(viewer);
    flush();
    expect(sink.events.slice(seen).map(({ event }) => event)).toEqual(['snapshot']);
    expect(follow(sink.events).body).toBe(table.body({ max: 50 }));
  });

  test('rejects when it cannot be read at first, and later reads again after a while', async () => {
    const { table, open, query, offer, settle, errors, flush } = worldOf();
    table.failure = new Error('away');
    const first = query.ready();
    const rejected = expect(first).rejects.toThrow('away');
    await settle();
    await rejected;
    table.failure = null;
    vi.advanceTimersByTime(1_000);
    flush();
    const { sink } = await open(bodies);
    table.failure = new Error('away');
    query.markStale();
    offer(table.write('d4', { n: 4 }));
    await settle();
    expect([errors.length, sink.events.length]).toEqual([1, 1]);
    table.failure = null;
    vi.advanceTimersByTime(1_000);
    await settle();
    expect(follow(sink.events).body).toBe(table.body({}));
  });

  test('tells its owner when what it asks for is refused later', async () => {
    const { table, open, query, settle, errors, refused } = worldOf();
    await open(bodies);
    table.failure = new Problem('query_too_slow', 'it takes too long');
    query.markStale();
    await settle();
    expect([refused, errors]).toEqual([[query], []]);
  });

  test('is read anew from the moment on at which it shows a document that depends on others (4)', async () => {
    const { table, open, change, settle, query } = worldOf();
    const { sink } = await open(bodies);
    const { sink: steppwise } = await open(deltas);
    change('d2', { n: 2, ref: 'other' });
    await settle();
    expect(query.source.kind).toBe('reread');
    const reads = table.reads;
    change('d5', { n: 5 });
    vi.advanceTimersByTime(5);
    await settle();
    expect(table.reads).toBe(reads + 1);
    for (const { events } of [sink, steppwise]) expect(follow(events).body).toBe(table.body({}));
  });
});

test(`viewers that come, stall and go see the body of the event whose id they were given, over ${steps} random steps (1, 2, 3) (seed ${seed})`, async () => {
  const random = createRandom(seed);
  const below = (bound: number) => Math.floor(random() * bound);
  let compared = 0;
  for (let done = 0; done < steps; ) {
    const asked: PageAsked = { skip: below(2) * below(4), max: 1 + below(6), totals: random() < 0.5 };
    if (random() < 0.6) asked.q = { kind: below(2) };
    const table = new Table();
    const source = random() < 0.75 ? table.source(asked) : table.rereadSource(asked);
    const world = createWorld(table, source);
    const late: ReturnType<Table['write']>[] = [];
    const viewers: { viewer: Viewer; sink: MemorySink }[] = [];
    const sinks: MemorySink[] = [];
    const catchUp = () => world.offer(...late.splice(0));
    for (let step = 0; step < 150; step += 1, done += 1) {
      const kind = random();
      const one = viewers[below(viewers.length)];
      const event = () =>
        table.write(
          `d${below(20)}`,
          random() < 0.25 ? null : { n: below(9), kind: below(2), text: 'y'.repeat(below(60)) },
        );
      if (kind < 0.5) late.push(event());
      else if (kind < 0.65) catchUp();
      else if (kind < 0.75) {
        const form = { isDelta: random() < 0.7, intervalMs: random() < 0.3 ? 100 : 0 };
        const opened = await world.open(form, new MemorySink(random() < 0.4 ? 300 : undefined));
        viewers.push(opened);
        sinks.push(opened.sink);
      } else if (kind < 0.8 && one !== undefined) {
        world.query.leave(one.viewer);
        viewers.splice(viewers.indexOf(one), 1);
      } else if (kind < 0.9 && one !== undefined) {
        one.sink.drain();
        world.query.drained(one.viewer);
      } else if (kind < 0.92) {
        // Events are lost: what they told is read instead.
        const last = late.splice(0).at(-1);
        world.query.markStale();
        if (last !== undefined) world.offer(table.write('last', null));
      } else if (kind < 0.96) vi.advanceTimersByTime(below(150));
      else await world.settle();
      world.flush();
    }
    catchUp();
    for (let round = 0; round < 4; round += 1) {
      await world.settle();
      vi.advanceTimersByTime(1_000);
      for (const { sink, viewer } of viewers) {
        sink.drain();
        world.query.drained(viewer);
      }
    }
    await world.settle();
    for (const { sink } of viewers)
      expect(follow(sink.events).body, `seed ${seed}, step ${done}`).toBe(table.body(asked));
    for (const { events } of sinks)
      for (const { id, body } of follow(events).at) {
        compared += 1;
        expect(body, `seed ${seed}, step ${done}, event ${id}`).toBe(table.body(asked, id));
      }
    world.query.close();
  }
  expect(compared).toBeGreaterThan(steps / 4);
}, 120_000);
