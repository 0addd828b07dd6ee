import type { RereadSource } from '@tidewire/query/live-source';
import { describe, expect, test } from 'vitest';
import { MemorySink } from './delivery.fixture.js';
import { anyDatabase, follow, Table } from './live.fixture.js';
import { LiveQueries } from './live-queries.js';
import { type LiveForm, staysOpen, type ViewerVerdict } from './live-query.js';

const bodies: LiveForm = { isDelta: false, intervalMs: 0 };

function createWorld() {
  const table = new Table();
  let position = 0;
  let isDue = false;
  const queries = new LiveQueries({
    limits: { pendingLimitBytes: 2_000, heartbeatSeconds: 8, stallLimitSeconds: 5, maxAgeSeconds: 100 },
    position: () => position,
    requestFlush: () => {
      isDue = true;
    },
    onError: (error) => {
      throw error;
    },
    random: () => 0.5,
  });
  const world = {
    table,
    queries,
    offer(...events: ReturnType<Table['write']>[]) {
      position = events.at(-1)?.id ?? position;
      queries.offer(events);
    },
    flush() {
      if (!isDue) return;
      isDue = false;
      queries.flush();
    },
    async settle() {
      for (let turn = 0; turn < 8; turn += 1) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        world.flush();
      }
    },
    async open(
      source: Parameters<LiveQueries['open']>[0],
      options: { sink?: MemorySink; verdict?: ViewerVerdict } = {},
    ) {
      const { sink = new MemorySink(), verdict = staysOpen } = options;
      const opening = queries.open(source);
      await world.settle();
      const query = await opening;
      const viewer = query.join({ verdict, user: null }, sink, queries.nextSlot(), bodies);
      world.flush();
      return { query, viewer, sink };
    },
  };
  return world;
}

describe('the live queries of a database', () => {
  test('are one for equal keys, read and matched once', async () => {
    const { table, queries, open, offer, flush } = createWorld();
    table.write('d1', { n: 1 });
    const opened = [];
    for (let count = 0; count < 50; count += 1) opened.push(await open(table.source({ q: { n: { $gt: 0 } } })));
    expect([queries.size, queries.viewerCount, table.reads]).toEqual([1, 50, 1]);
    table.matches = 0;
    offer(table.write('d2', { n: 2 }));
    flush();
    expect(table.matches).toBe(1);
    expect(opened.map(({ sink }) => sink.events.length)).toEqual(opened.map(() => 2));
  }, 30_000);

  test('that ask for another value are not touched by a change: of 10,000 one is', async () => {
    const { table, queries, offer, flush } = createWorld();
    const sinks = new Map<number, MemorySink>();
    for (let owner = 0; owner < 10_000; owner += 1) {
      const opening = queries.open(table.source({ q: { owner } }));
      if (owner % 500 === 499) await opening;
      const sink = new MemorySink();
      sinks.set(owner, sink);
      void opening.then((query) => query.join({ verdict: staysOpen, user: null }, sink, 0, bodies));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
    flush();
    expect([queries.size, queries.viewerCount]).toEqual([10_000, 10_000]);
    table.matches = 0;
    offer(table.write('d1', { n: 1, owner: 4_711 }));
    flush();
    expect(table.matches).toBe(1);
    const told = [...sinks].filter(([, sink]) => sink.events.length > 1).map(([owner]) => owner);
    expect(told).toEqual([4_711]);
  }, 60_000);

  test.each(['rename', 'drop'] as const)('show what the name means after %s', async (type) => {
    const { table, open, offer, flush, settle } = createWorld();
    table.write('d1', { n: 1 });
    const { sink } = await open(table.source());
    offer(table.end(type, type === 'rename' ? 'other' : null));
    flush();
    await settle();
    expect(sink.events.map(({ id, data }) => [id, data])).toEqual([
      ['1', '{"c":[{"_id":"d1","n":1}]}'],
      ['2', '{"c":[]}'],
    ]);
  });

  test('are read anew when events were lost', async () => {
    const { table, queries, open, flush, settle } = createWorld();
    const { sink } = await open(table.source());
    table.write('lost', { n: 1 });
    queries.lose();
    flush();
    await settle();
    expect(follow(sink.events).body).toBe(table.body({}));
  });

  test('that are read anew follow each collection that their last answer showed', async () => {
    const { table, open, offer, flush, settle } = createWorld();
    let others: string[] = [];
    const { query } = await open(table.rereadSource({}, 'embedding', () => others));
    const reads = async () => {
      flush();
      await settle();
      return table.reads;
    };
    const before = await reads();
    offer({ ...table.write('x', { n: 1 }), collection: 'company' });
    expect(await reads()).toBe(before);
    others = ['company'];
    query.markStale();
    const widened = await reads();
    // Once for what came, and once for what may have been missed before the new name was known.
    expect(widened).toBe(before + 2);
    offer({ ...table.write('x', { n: 2 }), collection: 'company' });
    expect(await reads()).toBe(widened + 1);
  });

  test('end a viewer that may not stay with the reason, and one that is to see another query with a time to come back at', async () => {
    const { table, queries, open } = createWorld();
    const { sink: gone } = await open(table.source(), {
      verdict: () => ({ status: 'ended', event: 'revoked', reason: 'the key was revoked' }),
    });
    const { sink: back } = await open(table.source(), { verdict: () => ({ status: 'return' }) });
    const { sink: stays } = await open(table.source());
    queries.applyConfiguration(anyDatabase);
    expect(gone.events.at(-1)).toMatchObject({ event: 'revoked', data: '{"reason":"the key was revoked"}' });
    expect([gone.isEnded, back.isEnded, stays.isEnded]).toEqual([true, true, false]);
    expect(queries.viewerCount).toBe(1);
  });

  test('are read anew by the second or by the configuration where the source says so', async () => {
    const { table, queries, open, flush, settle } = createWorld();
    const source: RereadSource = { ...table.rereadSource(), collections: 'all', everySeconds: 3 };
    await open(source);
    const reads = async (act: () => void) => {
      const before = table.reads;
      act();
      flush();
      await settle();
      return table.reads - before;
    };
    expect(await reads(() => queries.tick(2, 0))).toBe(0);
    expect(await reads(() => queries.tick(3, 0))).toBe(1);
    expect(await reads(() => queries.applyConfiguration(anyDatabase))).toBe(1);
    expect(await reads(() => queries.offer([{ ...table.write('x', { n: 1 }), collection: 'any' }]))).toBe(1);
  });

  test('ping each viewer in its second, give up one that takes nothing, and send old ones to come again', async () => {
    const { table, queries, open, offer, flush } = createWorld();
    const { sink } = await open(table.source());
    const { sink: stuck } = await open(table.source(), { sink: new MemorySink(10) });
    offer(table.write('d1', { n: 1, text: 'x'.repeat(3_000) }));
    flush();
    for (let second = 0; second <= 7; second += 1) queries.tick(second, 0);
    expect(sink.events.filter(({ event }) => event === 'ping')).toHaveLength(1);
    for (let second = 8; second <= 15; second += 1) queries.tick(second, 0);
    expect(stuck.isDestroyed).toBe(true);
    for (let second = 16; second <= 108; second += 1) queries.tick(second, 0);
    expect(sink.isEnded).toBe(true);
    expect(queries.viewerCount).toBe(0);
  });

  test('are kept for some seconds without viewers, and then no more', async () => {
    const { table, queries, open } = createWorld();
    const { query, viewer } = await open(table.source());
    query.leave(viewer);
    for (let second = 0; second < 5; second += 1) queries.tick(second, 0);
    await open(table.source());
    expect(table.reads).toBe(1);
    const [again] = [...queries.viewers()];
    if (again !== undefined) query.leave(again);
    for (let second = 5; second <= 11; second += 1) queries.tick(second, 0);
    expect(queries.size).toBe(0);
  });

  test('that cannot be read at first leave nothing behind', async () => {
    const { table, queries } = createWorld();
    table.failure = new Error('away');
    await expect(queries.open(table.source())).rejects.toThrow('away');
    expect(queries.size).toBe(0);
  });
});
