import type { CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { makeCatalogDatabase, makeCatalogKey } from '@tidewire/db/catalog.fixture';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audienceOf } from './audience.js';
import { createChannelFilter, createChannelView } from './channel-view.js';
import { DatabaseStreams, type StreamRequest } from './database-streams.js';
import { eventOf, idsBetween, MemorySink, memoryLog } from './delivery.fixture.js';
import { noFilter } from './event-filter.js';
import { parseEventFilter } from './parse-event-filter.js';
import { mudbaseView, restdbView } from './stream-view.js';

const limits = {
  pendingLimitBytes: 2_000,
  ringLimitBytes: 6_000,
  heartbeatSeconds: 8,
  stallLimitSeconds: 5,
  maxAgeSeconds: 0,
};

function databaseWith(
  keys: Record<string, { listen?: string[]; isRevoked?: boolean }>,
  isGlobal = false,
): CatalogDatabase {
  const entries = Object.entries(keys).map(([id, { listen = [], isRevoked }]): [string, CatalogKey] => [
    id,
    makeCatalogKey({ id, listen, revokedAt: isRevoked ? new Date() : null }),
  ]);
  const settings = databaseSettingsSchema.parse({ realtime: { global: isGlobal } });
  return makeCatalogDatabase({ settings, keys: new Map(entries) });
}

/** The streams over a log in memory; `write` commits and hints, `writeSilently` only commits. */
function createWorld(start = 0, given: { maxAgeSeconds?: number; random?: () => number } = {}) {
  const log = { head: start, oldest: 1 };
  let isFlushDue = false;
  const streams = new DatabaseStreams({
    databaseId: 1,
    log: memoryLog(log),
    limits: { ...limits, maxAgeSeconds: given.maxAgeSeconds ?? 0 },
    random: given.random ?? (() => 0.5),
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
    async open(
      database: CatalogDatabase,
      keyId: string,
      options: { sink?: MemorySink } & Partial<Pick<StreamRequest, 'cursor' | 'view' | 'filter' | 'history'>> = {},
    ) {
      const sink = options.sink ?? new MemorySink();
      const listener = { kind: 'key' as const, databaseId: database.id, keyId };
      const verdict = audienceOf(listener, database);
      if (verdict.status !== 'open') throw new Error('not admitted');
      const { audience, until } = verdict;
      const subscriber = await streams.subscribe({
        view: options.view ?? restdbView,
        listener,
        audience,
        until,
        filter: options.filter ?? noFilter,
        history: options.history,
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

  it('are told by their pings to come back at different times when they are many, should the process die, and all after 2 s when they are few', async () => {
    const timesOf = async (count: number) => {
      const world = createWorld();
      const opened = await Promise.all(Array.from({ length: count }, () => world.open(all, 'k')));
      for (let second = 1; second <= 8; second += 1) world.streams.tick(second, 0);
      const times = new Map<number, number>();
      for (const { sink } of opened) times.set(sink.retryMs, (times.get(sink.retryMs) ?? 0) + 1);
      return [...times].sort(([a], [b]) => a - b);
    };
    expect(await timesOf(1_000)).toEqual([[2_000, 1_000]]);
    expect(await timesOf(1_600)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((slot) => [2_000 + 200 * slot, 200]));
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

  it('answer who comes back, or drains, behind the oldest event with reset, though the ring still holds it all', async () => {
    const world = createWorld();
    const stalled = await world.open(all, 'k', { sink: new MemorySink(200) });
    const live = await world.open(all, 'k');
    await world.settle();
    for (let round = 0; round < 3; round += 1) {
      world.write(10);
      world.flush();
    }
    expect(stalled.subscriber.state).toBe('stalled');
    const held = stalled.sink.ids.at(-1) ?? 0;
    world.write(4);
    world.flush();
    world.log.oldest = 33;
    world.streams.noteHead(world.log);
    // A look that was under way when the oldest moved comes later.
    world.streams.noteHead({ head: 34, oldest: 1 });
    stalled.sink.drain();
    world.streams.drained(stalled.subscriber);
    const { sink } = await world.open(all, 'k', { cursor: 31 });
    const exact = await world.open(all, 'k', { cursor: 32 });
    await world.settle();
    world.write(2);
    await world.settle();
    for (const one of [stalled.sink, sink]) {
      const resets = one.events.filter(({ event }) => event === 'reset').map(({ data }) => JSON.parse(data));
      expect(resets).toEqual([{ reason: 'retention', oldest: 33, newest: 34 }]);
    }
    expect(stalled.sink.ids).toEqual([...idsBetween(1, held), 35, 36]);
    expect(sink.ids).toEqual([35, 36]);
    expect(exact.sink.ids).toEqual(idsBetween(33, 36));
    expect(live.sink.ids).toEqual(idsBetween(1, 36));
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

  it('leave out what the filter leaves out, live and in replay, and move the cursor over it', async () => {
    const world = createWorld(20);
    const filter = parseEventFilter({ collections: ['c1'], events: [], q: ['{"n":{"$gt":10}}'] });
    const { sink } = await world.open(all, 'k', { cursor: 0, filter });
    await world.settle();
    world.write(20);
    await world.settle();
    expect(sink.ids).toEqual(idsBetween(11, 40).filter((id) => eventOf(id).collection === 'c1'));
    world.streams.tick(1, 0);
    expect(sink.lastEventId).toBe(40);
  });

  it('show an ephemeral event without an id to whoever is live and may hear it, and to nobody who returns', async () => {
    const world = createWorld(5);
    const database = databaseWith({ k: { listen: ['PUBLISH:chat.*'] }, other: { listen: ['*:c0'] } });
    const { sink } = await world.open(database, 'k');
    const { sink: deaf } = await world.open(database, 'other');
    const { sink: stalled, subscriber } = await world.open(all, 'k', { sink: new MemorySink(200) });
    for (let batch = 0; batch < 20; batch += 1) {
      world.write(3);
      world.flush();
    }
    expect(subscriber.state).toBe('stalled');
    const shown = stalled.events.length;
    const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
    world.streams.offerEphemeral({ ...eventOf(0), ...nothing, type: 'publish', name: 'chat.typing', data: '"Ada"' });
    world.flush();
    const typing = sink.events.filter(({ event }) => event === 'publish');
    expect(typing).toEqual([{ event: 'publish', id: undefined, data: '{"event":"chat.typing","data":"Ada"}' }]);
    expect(deaf.events.some(({ event }) => event === 'publish')).toBe(false);
    expect(stalled.events).toHaveLength(shown);
    const { sink: returned } = await world.open(database, 'k', { cursor: 5 });
    await world.settle();
    expect(returned.events.some(({ event }) => event === 'publish')).toBe(false);
  });

  it('keep no more ephemeral events for one flush than their bound', async () => {
    const world = createWorld();
    const { sink } = await world.open(all, 'k', { view: createChannelView('x'), filter: createChannelFilter('x') });
    const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
    const data = `"${'x'.repeat(60_000)}"`;
    for (let count = 0; count < 100; count += 1)
      world.streams.offerEphemeral({ ...eventOf(0), ...nothing, type: 'publish', name: 'x', data });
    world.flush();
    const messages = () => sink.events.filter(({ event }) => event === 'message').length;
    expect(messages()).toBe(17);
    world.streams.offerEphemeral({ ...eventOf(0), ...nothing, type: 'publish', name: 'x', data });
    world.flush();
    expect(messages()).toBe(18);
  });

  it('are ended at their age, a quarter more or less, with their position and a time to come back at', async () => {
    const ages = [0, 0.5, 1];
    const world = createWorld(7, { maxAgeSeconds: 8, random: () => ages.shift() ?? 0 });
    const streams = [await world.open(all, 'k'), await world.open(all, 'k'), await world.open(all, 'k')];
    const ends: (number | undefined)[] = [undefined, undefined, undefined];
    for (let second = 1; second <= 12; second += 1) {
      world.streams.tick(second, 0);
      for (const [index, { sink }] of streams.entries()) if (sink.isEnded) ends[index] ??= second;
    }
    expect(ends).toEqual([6, 8, 10]);
    expect(streams.map(({ sink }) => sink.lastEventId)).toEqual([7, 7, 7]);
    expect(world.streams.size).toBe(0);
  });

  it('begin with the recent events that may be heard, then go on from the position at which these were asked for', async () => {
    const world = createWorld(10);
    const database = databaseWith({ k: { listen: ['*:c0', '*:c1'] } });
    const asked: number[] = [];
    const opening = world.open(database, 'k', {
      history: async (upTo) => {
        asked.push(upTo);
        world.write(5);
        world.flush();
        return idsBetween(upTo - 5, upTo).map(eventOf);
      },
    });
    await world.settle();
    const { sink } = await opening;
    await world.settle();
    expect(asked).toEqual([10]);
    expect(sink.ids).toEqual(idsBetween(5, 15).filter((id) => eventOf(id).collection !== 'c2'));
  });

  it('begin with the recent events again after a reset, and with none at a cursor', async () => {
    const world = createWorld(10);
    world.log.oldest = 5;
    world.streams.noteHead(world.log);
    const history = async (upTo: number) => [eventOf(upTo)];
    const { sink } = await world.open(all, 'k', { cursor: 2, history });
    const { sink: resumed } = await world.open(all, 'k', {
      cursor: 9,
      history: async () => idsBetween(1, 9).map(eventOf),
    });
    await world.settle();
    expect(sink.events.map(({ event }) => event)).toEqual(['message', 'reset', eventOf(10).type, 'ping']);
    expect(sink.lastEventId).toBe(10);
    expect(resumed.ids).toEqual([10]);
  });

  it('write nothing more when the key is revoked while the recent events are read', async () => {
    const world = createWorld(3);
    const { sink } = await world.open(all, 'k', {
      history: async () => {
        world.streams.applyConfiguration(databaseWith({ k: { isRevoked: true } }));
        return [eventOf(1)];
      },
    });
    expect(sink.events.map(({ event }) => event)).toEqual(['revoked']);
    expect(sink.isEnded).toBe(true);
  });

  it('say a reset and an end in the form of the view', async () => {
    const world = createWorld(5);
    const { sink } = await world.open(all, 'k', { cursor: 900, view: mudbaseView });
    world.streams.applyConfiguration(databaseWith({ k: { isRevoked: true } }));
    const messages = sink.events.filter(({ event }) => event === 'message').map(({ data }) => JSON.parse(data));
    expect(messages).toEqual([
      { type: 'reset', payload: { reason: 'unknown', oldest: 1, newest: 5 } },
      { type: 'revoked', payload: { reason: 'the key was revoked' } },
    ]);
  });

  it('give events to whoever waits behind a cursor: at once, when they come, or none when it has waited enough', async () => {
    const world = createWorld(4);
    const patience = new AbortController();
    const wait = (cursor: number) => world.streams.eventsAfter(cursor, patience.signal);
    expect((await wait(2))?.map(({ id }) => id)).toEqual([3, 4]);
    const waiting = [wait(4), wait(4), wait(6)];
    expect(world.streams.isIdle).toBe(false);
    world.write(2);
    await world.settle();
    expect((await Promise.all(waiting.slice(0, 2))).map((events) => events?.map(({ id }) => id))).toEqual([
      [5, 6],
      [5, 6],
    ]);
    patience.abort();
    expect(await waiting[2]).toBeNull();
    expect(world.streams.isIdle).toBe(true);
    const last = world.streams.eventsAfter(6, new AbortController().signal);
    world.streams.releaseWaiting();
    expect(await last).toBeNull();
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
