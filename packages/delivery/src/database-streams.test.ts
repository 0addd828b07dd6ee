import type { CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audienceOf } from './audience.js';
import { DatabaseStreams } from './database-streams.js';
import { eventOf, idsBetween, MemorySink, memoryLog } from './delivery.fixture.js';
import { restdbView } from './stream-view.js';

const limits = { pendingLimitBytes: 2_000, ringLimitBytes: 6_000, heartbeatSeconds: 8, stallLimitSeconds: 5 };

function databaseWith(
  keys: Record<string, { listen?: string[]; isRevoked?: boolean }>,
  isGlobal = false,
): CatalogDatabase {
  const entries = Object.entries(keys).map(([id, { listen = [], isRevoked }]): [string, CatalogKey] => [
    id,
    {
      id,
      databaseId: 1,
      name: id,
      hash: '',
      rest: [],
      listen,
      publish: [],
      origins: [],
      revokedAt: isRevoked ? new Date() : null,
    },
  ]);
  const settings = databaseSettingsSchema.parse({ realtime: { global: isGlobal } });
  return { id: 1, name: 'default', configVersion: 1, settings, collections: new Map(), keys: new Map(entries) };
}

/** The streams over a log in memory; `write` commits and hints, `writeSilently` only commits. */
function createWorld(start = 0) {
  const log = { head: start, oldest: 1 };
  let isFlushDue = false;
  const streams = new DatabaseStreams({
    databaseId: 1,
    log: memoryLog(log),
    limits,
    head: { ...log },
    requestFlush: () => {
      isFlushDue = true;
    },
    onError: (error) => {
      throw error;
    },
  });
  return {
    log,
    streams,
    writeSilently(count: number) {
      log.head += count;
    },
    write(count: number) {
      const from = log.head + 1;
      log.head += count;
      streams.offer(idsBetween(from, log.head).map(eventOf));
    },
    flush() {
      if (!isFlushDue) return;
      isFlushDue = false;
      streams.flush();
    },
    async settle() {
      for (let turn = 0; turn < 80; turn += 1) {
        await new Promise((resolve) => setImmediate(resolve));
        this.flush();
      }
    },
    async open(database: CatalogDatabase, keyId: string, options: { cursor?: number | null; sink?: MemorySink } = {}) {
      const sink = options.sink ?? new MemorySink();
      const listener = { kind: 'key' as const, keyId };
      const verdict = audienceOf(listener, database);
      if (verdict.status !== 'open') throw new Error('not admitted');
      const { audience } = verdict;
      const subscriber = await streams.subscribe({
        view: restdbView,
        listener,
        audience,
        sink,
        cursor: options.cursor ?? null,
        now: Date.now,
      });
      return { sink, subscriber };
    },
  };
}

const all = databaseWith({ k: { listen: ['*:*'] } });

describe('the streams of a database', () => {
  it('open with retry, init, their position, and a ping', async () => {
    const world = createWorld(41);
    const { sink } = await world.open(all, 'k');
    expect(sink.events.map(({ event }) => event)).toEqual(['message', 'ping']);
    expect(sink.events[0]?.data).toBe('{"channel":"init","data":{}}');
    expect(sink.lastEventId).toBe(41);
  });

  it('replay from the cursor and go on live without a gap or a double', async () => {
    const world = createWorld(30);
    const { sink } = await world.open(all, 'k', { cursor: 3 });
    world.write(10);
    await world.settle();
    world.write(2);
    world.flush();
    expect(sink.ids).toEqual(idsBetween(4, 42));
  });

  it('show a key its channels only, live and in replay, and move the cursor over the rest', async () => {
    const database = databaseWith({ k: { listen: ['POST:c0', '*:c2'] } });
    const world = createWorld(20);
    const { sink } = await world.open(database, 'k', { cursor: 0 });
    await world.settle();
    world.write(20);
    await world.settle();
    const visible = idsBetween(1, 40).filter((id) => {
      const { collection, type } = eventOf(id);
      return collection === 'c2' || (collection === 'c0' && type === 'post');
    });
    expect(sink.ids).toEqual(visible);
    world.streams.tick(1, 0);
    expect(sink.lastEventId).toBe(40);
    const before = sink.events.length;
    world.streams.tick(2, 0);
    expect(sink.events.length - before).toBeLessThanOrEqual(1);
  });

  it('put the position into the ping when events were left out, and no id when not', async () => {
    const database = databaseWith({ k: { listen: ['*:c1'] } });
    const world = createWorld();
    const { sink } = await world.open(database, 'k');
    const pings = () => sink.events.filter(({ event }) => event === 'ping');
    world.write(3);
    world.flush();
    expect(sink.ids).toEqual([2, 3]);
    for (let second = 0; second < 8; second += 1) world.streams.tick(second, 0);
    expect(pings().at(-1)?.id).toBeUndefined();
    world.write(1);
    world.flush();
    for (let second = 8; second < 16; second += 1) world.streams.tick(second, 0);
    expect(pings().at(-1)?.id).toBe('4');
  });

  it('narrow, widen and end with the configuration', async () => {
    const world = createWorld();
    const { sink } = await world.open(databaseWith({ k: { listen: ['*:c0'] } }), 'k');
    const write = () => {
      world.write(6);
      world.flush();
    };
    write();
    world.streams.applyConfiguration(databaseWith({ k: { listen: ['*:c1'] } }));
    write();
    world.streams.applyConfiguration(databaseWith({ k: {} }));
    write();
    world.streams.applyConfiguration(databaseWith({ k: {} }, true));
    write();
    expect(sink.ids).toEqual([1, 6, 8, 9, ...idsBetween(19, 24)]);
    world.streams.applyConfiguration(databaseWith({ k: { isRevoked: true } }));
    expect(sink.events.at(-1)).toMatchObject({ event: 'revoked' });
    expect(sink.isEnded).toBe(true);
    write();
    expect(world.streams.size).toBe(0);
  });

  it('hold nothing for a socket that does not drain, and bring it up to date when it does', async () => {
    const world = createWorld();
    const { sink, subscriber } = await world.open(all, 'k', { sink: new MemorySink(1_000) });
    const { sink: healthy } = await world.open(all, 'k');
    for (let batch = 0; batch < 100; batch += 1) {
      world.write(3);
      world.flush();
    }
    expect(healthy.ids).toEqual(idsBetween(1, 300));
    expect(subscriber.state).toBe('stalled');
    expect(sink.largestPending).toBeLessThan(limits.pendingLimitBytes + 1_000);
    for (let drains = 0; drains < 200 && subscriber.state === 'stalled'; drains += 1) {
      sink.drain();
      world.streams.drained(subscriber);
      await world.settle();
    }
    expect(sink.ids).toEqual(idsBetween(1, 300));
    expect(subscriber.state).toBe('live');
  });

  it('give up a socket that took nothing for too long', async () => {
    const world = createWorld();
    const { sink } = await world.open(all, 'k', { sink: new MemorySink(10) });
    world.write(30);
    await world.settle();
    for (let second = 1; second <= 7; second += 1) world.streams.tick(second, 0);
    expect(sink.isDestroyed).toBe(true);
    expect(world.streams.size).toBe(0);
  });

  it.each([
    ['a cursor that retention has overtaken', 3, 'retention'],
    ['a cursor ahead of the log', 900, 'unknown'],
    ['a cursor that is no number', Number.NaN, 'unknown'],
  ])('answer %s with reset, then go on from the head', async (_name, cursor, reason) => {
    const world = createWorld();
    world.write(50);
    world.flush();
    world.log.oldest = 20;
    world.streams.noteHead(world.log);
    const { sink } = await world.open(all, 'k', { cursor });
    const reset = sink.events.find(({ event }) => event === 'reset');
    expect(JSON.parse(reset?.data ?? '')).toEqual({ reason, oldest: 20, newest: 50 });
    expect(reset?.id).toBe('50');
    world.write(1);
    await world.settle();
    expect(sink.ids).toEqual([51]);
  });

  it('wait for a cursor that another process has given out already', async () => {
    const world = createWorld(10);
    world.writeSilently(5);
    const opening = world.open(all, 'k', { cursor: 15 });
    await world.settle();
    const { sink } = await opening;
    world.write(1);
    await world.settle();
    expect(sink.ids).toEqual([16]);
    expect(sink.events.some(({ event }) => event === 'reset')).toBe(false);
  });

  it('give every subscriber each event it may hear once and in order, whatever is lost, slow, cut or late', async () => {
    const action = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({ kind: fc.constant('write' as const), count: fc.integer({ min: 1, max: 30 }) }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ kind: fc.constant('write in silence' as const), count: fc.integer({ min: 1, max: 9 }) }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          kind: fc.constant('open' as const),
          capacity: fc.constantFrom(300, 3_000, Number.POSITIVE_INFINITY),
          back: fc.nat(60),
        }),
      },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('cut and return' as const), which: fc.nat(9) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('drain' as const), which: fc.nat(9) }) },
      { weight: 2, arbitrary: fc.constant({ kind: 'flush' as const }) },
      { weight: 2, arbitrary: fc.constant({ kind: 'turn' as const }) },
      { weight: 1, arbitrary: fc.constant({ kind: 'look' as const }) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 60 }), async (actions) => {
        const world = createWorld(25);
        const clients: {
          from: number;
          seen: number[];
          sink: MemorySink;
          subscriber: Awaited<ReturnType<typeof world.open>>['subscriber'];
        }[] = [];
        for (const step of actions) {
          if (step.kind === 'write') world.write(step.count);
          else if (step.kind === 'write in silence') world.writeSilently(step.count);
          else if (step.kind === 'flush') world.flush();
          else if (step.kind === 'look') world.streams.noteHead(world.log);
          else if (step.kind === 'turn') await new Promise((resolve) => setImmediate(resolve));
          else if (step.kind === 'open') {
            const cursor = Math.max(0, world.log.head - step.back);
            const opening = world.open(all, 'k', { cursor, sink: new MemorySink(step.capacity) });
            await world.settle();
            clients.push({ from: cursor, seen: [], ...(await opening) });
          } else {
            const client = clients[step.which % Math.max(1, clients.length)];
            if (client === undefined) continue;
            if (step.kind === 'drain') {
              client.sink.drain();
              world.streams.drained(client.subscriber);
              continue;
            }
            world.streams.remove(client.subscriber);
            client.seen.push(...client.sink.ids);
            const opening = world.open(all, 'k', { cursor: client.sink.lastEventId });
            await world.settle();
            Object.assign(client, await opening);
          }
        }
        world.streams.noteHead(world.log);
        for (let round = 0; round < 300; round += 1) {
          for (const { sink, subscriber } of clients) {
            sink.drain();
            world.streams.drained(subscriber);
          }
          await new Promise((resolve) => setImmediate(resolve));
          world.flush();
        }
        for (const { from, seen, sink } of clients) {
          expect([...seen, ...sink.ids]).toEqual(idsBetween(from + 1, world.log.head));
        }
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
