/** Two processes' worth of write path and tail over one Postgres and one Redis, to which everything happens. */
import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { startTestRedis, type TestRedis } from '@tidewire/testing/test-redis';
import { startTestRedisCluster } from '@tidewire/testing/test-redis-cluster';
import { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { captureWrites } from './capture-extension.js';
import type { ChangeHint } from './change-bus.js';
import { createCommitLanes } from './commit-lanes.js';
import { createEventLog } from './event-log.js';
import { followDatabases } from './follow-databases.js';
import { createRedisChangeBus } from './redis-change-bus.js';
import { createTail } from './tail.js';

let address: PostgresAddress;
let databaseId: number;

beforeAll(async () => {
  ({ address } = await createTestDatabase());
  const connections = connectPostgres(address, { onConnectionError: () => undefined });
  ({ id: databaseId } = await connections.prisma.database.create({ data: { name: 'one', log: { create: {} } } }));
  await connections.close();
});

/** Writes, and hears what all write. */
async function createNode(url: string) {
  const connections = connectPostgres(address, { onConnectionError: () => undefined });
  const catalog = createCatalog(connections.pool);
  const onError = () => undefined;
  const bus = createRedisChangeBus({ url, onError });
  const lanes = createCommitLanes({ pool: connections.lanePool, catalog, bus, onRetry: onError });
  const { event } = captureWrites(connections.prisma, lanes.submit);
  const log = createEventLog(connections.pool);
  const [head] = await log.heads([databaseId]);
  const start = head?.head ?? 0;
  const heard: number[] = [];
  const hints: ChangeHint[] = [];
  const tail = createTail({
    databaseId,
    start,
    log,
    onEvents: (events) => heard.push(...events.map(({ id }) => id)),
    onGap: (lastLost) => {
      throw new Error(`a gap up to ${lastLost}`);
    },
    onError,
  });
  bus.subscribe((hint) => {
    hints.push(hint);
    if (hint.kind === 'events') tail.offer(hint.events);
    if (hint.kind === 'head') tail.noteHead(hint.head);
  });
  const databases = () => [databaseId];
  const stop = followDatabases({ log, catalog, bus, databases, onHead: ({ head }) => tail.noteHead(head), onError });
  return {
    bus,
    start,
    heard,
    hints,
    /** Writes so many custom events, 16 at a time, and resolves when all are stored. */
    async write(count: number): Promise<void> {
      let left = count;
      const writer = async () => {
        while (left-- > 0) {
          const scope = { databaseId, author: { actor: 'key:test', by: 'api' } };
          expect(await event.create({ scope, name: 'x', data: left })).toMatchObject({ status: 'written' });
        }
      };
      await Promise.all(Array.from({ length: 16 }, writer));
    },
    async close(): Promise<void> {
      stop();
      tail.close();
      await lanes.idle();
      await bus.close();
      await connections.close();
    },
  };
}

/** What can happen to Redis: it begins, and `end` makes it well again. */
type Outage = {
  name: string;
  begin(nodes: readonly TestRedis[]): Promise<void>;
  end(nodes: readonly TestRedis[]): Promise<void>;
};

const onEach = (act: (node: TestRedis) => unknown) => async (nodes: readonly TestRedis[]) => {
  await Promise.all(nodes.map(act));
};
const nothing = async () => undefined;
const outages: Outage[] = [
  { name: 'killed', begin: onEach((node) => node.kill()), end: onEach((node) => node.restart()) },
  {
    name: 'stopped with its connections open',
    begin: onEach((node) => node.pause()),
    end: onEach((node) => node.resume()),
  },
  {
    name: 'paused for its clients',
    begin: onEach((node) => node.command('CLIENT PAUSE 3000 ALL')),
    end: nothing,
  },
  { name: 'flushed', begin: onEach((node) => node.command('FLUSHALL')), end: nothing },
];

describe.each([
  {
    kind: 'a Redis',
    start: async () => {
      const redis = await startTestRedis();
      return { nodes: [redis], url: redis.url, kill: () => redis.kill(), healthy: async () => undefined };
    },
  },
  { kind: 'a Redis Cluster', start: startTestRedisCluster },
])('over $kind', ({ start }) => {
  let redis: Awaited<ReturnType<typeof start>>;
  let [here, there]: (Awaited<ReturnType<typeof createNode>> | undefined)[] = [];

  beforeAll(async () => {
    redis = await start();
    here = await createNode(redis.url);
    there = await createNode(redis.url);
  });
  afterAll(async () => {
    for (const node of redis.nodes) node.resume();
    await Promise.all([here?.close(), there?.close()]);
    await redis.kill();
  });

  function nodes() {
    if (here === undefined || there === undefined) throw new Error('the nodes did not start');
    return { here, there };
  }

  async function expectAllHeard(): Promise<void> {
    const { here, there } = nodes();
    await eventually(
      () => {
        const newest = Math.max(here.heard.at(-1) ?? 0, there.heard.at(-1) ?? 0);
        for (const { start, heard } of [here, there])
          if (heard.length !== newest - start) throw new Error(`${heard.length} of ${newest - start}`);
      },
      { timeoutMs: 10_000 },
    );
    for (const { start, heard } of [here, there]) expect(heard).toEqual(heard.map((_, index) => start + index + 1));
  }

  /** Redis carries hints both ways: without one, nobody would hear of a configuration that was never changed. */
  async function expectRedisCarries(): Promise<void> {
    const { here, there } = nodes();
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      const configVersion = Math.floor(Math.random() * 1e9);
      await eventually(
        () => {
          // For several databases, so that several channels of a cluster are tried.
          for (let id = 1_001; id <= 1_016; id += 1)
            from.bus.publish({ kind: 'config', databaseId: id, configVersion });
          const heard = to.hints.filter((hint) => hint.kind === 'config' && hint.configVersion === configVersion);
          expect(new Set(heard.map((hint) => hint.databaseId)).size).toBe(16);
        },
        { timeoutMs: 15_000, intervalMs: 50 },
      );
    }
  }

  it('both hear all that both write', async () => {
    const { here, there } = nodes();
    await expectRedisCarries();
    await Promise.all([here.write(300), there.write(300)]);
    await expectAllHeard();
  });

  it.each(outages)(
    '$name: writes go on, both hear every event once and in order meanwhile, and hints are carried again afterwards',
    {
      timeout: 60_000,
    },
    async ({ begin, end }) => {
      const { here, there } = nodes();
      await expectRedisCarries();
      await Promise.all([here.write(200), there.write(200)]);
      await begin(redis.nodes);
      await Promise.all([here.write(300), there.write(300)]);
      await expectAllHeard();
      await end(redis.nodes);
      await redis.healthy();
      await Promise.all([here.write(100), there.write(100)]);
      await expectAllHeard();
      await expectRedisCarries();
    },
  );

  it('full of old messages: every event is still heard once and in order, and the old ones change nothing', {
    timeout: 60_000,
  }, async () => {
    const { here, there } = nodes();
    const isCluster = redis.nodes.length > 1;
    await expectRedisCarries();
    await Promise.all([here.write(100), there.write(100)]);
    await expectAllHeard();
    const old = here.hints.filter((hint) => hint.kind === 'events').slice(-50);
    const flood = isCluster ? new Cluster([...redis.url.split(',')]) : new Redis(redis.url);
    const messages = old.map((hint) => JSON.stringify({ from: 'somebody of yesterday', hint }));
    const stale = async () => {
      for (let round = 0; round < 40; round += 1) {
        const sent = messages.map((message) =>
          isCluster
            ? flood.spublish(`tidewire:changes:{${databaseId % 16}}`, message)
            : flood.publish('tidewire:changes', message),
        );
        await Promise.all(sent);
      }
    };
    const before = there.hints.length;
    await Promise.all([stale(), here.write(300), there.write(300)]);
    await expectAllHeard();
    await eventually(() => expect(there.hints.length - before).toBeGreaterThan(40 * messages.length));
    flood.disconnect();
  });
});

it('a single node of a cluster is known as one, and its hints go to those that were given all nodes', {
  timeout: 60_000,
}, async () => {
  const cluster = await startTestRedisCluster();
  const [one, all] = [cluster.nodes[1]?.url ?? '', cluster.url].map((url) =>
    createRedisChangeBus({ url, onError: () => undefined }),
  );
  const heard: ChangeHint[] = [];
  all?.subscribe((hint) => heard.push(hint));
  await eventually(
    () => {
      for (let id = 1; id <= 16; id += 1) one?.publish({ kind: 'head', databaseId: id, head: 1 });
      expect(new Set(heard.map((hint) => hint.databaseId)).size).toBe(16);
    },
    { timeoutMs: 15_000, intervalMs: 50 },
  );
  await Promise.all([one?.close(), all?.close()]);
  await cluster.kill();
});
