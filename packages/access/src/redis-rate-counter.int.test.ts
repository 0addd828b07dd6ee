import { eventually } from '@tidewire/testing/eventually';
import { startTestRedis, type TestRedis } from '@tidewire/testing/test-redis';
import { startTestRedisCluster, type TestRedisCluster } from '@tidewire/testing/test-redis-cluster';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { rateCounterContract } from './rate-counter.contract.js';
import type { RateCounter } from './rate-counter.js';
import { createRedisRateCounter } from './redis-rate-counter.js';

let redis: TestRedis;
let cluster: TestRedisCluster;

beforeAll(async () => {
  [redis, cluster] = await Promise.all([startTestRedis(), startTestRedisCluster()]);
}, 60_000);
afterAll(() => Promise.all([redis.kill(), cluster.kill()]));

/** Patient, because a machine that has much to do is not what is tried here. */
function open(url: string, errors: unknown[] = [], patienceMs = 5_000): RateCounter {
  return createRedisRateCounter({ url, now: Date.now, onError: (error) => errors.push(error), patienceMs });
}

/** Resolves when both count in Redis: until they have connected, each counts for itself. */
async function together(...counters: RateCounter[]): Promise<void> {
  await eventually(async () => {
    // Several, so that each node of a cluster has been spoken to.
    for (let time = 0; time < 12; time += 1) {
      const subject = `meeting:${Math.random()}`;
      for (const [index, counter] of counters.entries()) expect((await counter.hit(subject)).hits).toBe(index + 1);
    }
  });
}

async function pair(url: string): Promise<[RateCounter, RateCounter]> {
  const counters: [RateCounter, RateCounter] = [open(url), open(url)];
  await together(...counters);
  return counters;
}

rateCounterContract('the counter in Redis', () => pair(redis.url));
rateCounterContract('the counter in a Redis Cluster that is known by several nodes', () => pair(cluster.url));
rateCounterContract('the counter in a Redis Cluster that is known by one node', () =>
  pair(cluster.nodes[0]?.url ?? ''),
);

describe('the counter in Redis', () => {
  it('leaves nothing behind that stays: each subject ends with its minute', async () => {
    const [one, other] = await pair(redis.url);
    await one.hit('key:ending');
    const left = Number((await redis.command('PTTL tidewire:rate:key:ending')).slice(1));
    expect(left).toBeGreaterThan(55_000);
    expect(left).toBeLessThanOrEqual(60_000);
    await redis.command('PERSIST tidewire:rate:key:ending');
    await one.hit('key:ending');
    expect(Number((await redis.command('PTTL tidewire:rate:key:ending')).slice(1))).toBeGreaterThan(55_000);
    one.close();
    other.close();
  });

  it('counts in memory while Redis is away, says so once, and together again when it is back', async () => {
    const errors: unknown[] = [];
    const [one, other] = [open(redis.url, errors), open(redis.url)];
    await together(one, other);
    await one.hit('key:outage');
    await redis.kill();
    const during = [];
    for (let time = 0; time < 50; time += 1) during.push((await one.hit('key:outage')).hits);
    expect(during.at(-1)).toBeGreaterThanOrEqual(48);
    expect((await other.hit('key:outage')).hits).toBeLessThan(5);
    await eventually(() => expect(errors.length).toBe(1));
    await redis.restart();
    await together(one, other);
    expect(errors).toHaveLength(1);
    one.close();
    other.close();
  });

  it('waits no longer than its patience for a Redis that answers nothing, and then not again for a second', async () => {
    const [one, other] = [open(redis.url, [], 250), open(redis.url)];
    await together(one, other);
    redis.pause();
    const began = performance.now();
    for (let time = 0; time < 100; time += 1) await one.hit('key:paused');
    const took = performance.now() - began;
    redis.resume();
    expect((await one.hit('key:paused')).hits).toBeGreaterThan(99);
    // One wait of 250 ms, not a hundred.
    expect(took).toBeLessThan(5_000);
    await together(one, other);
    one.close();
    other.close();
  });

  it('counts in memory from the start when there is no Redis, and with the others once there is', async () => {
    await redis.kill();
    const [one, other] = [open(redis.url), open(redis.url)];
    expect([(await one.hit('key:late')).hits, (await one.hit('key:late')).hits]).toEqual([1, 2]);
    await redis.restart();
    await together(one, other);
    one.close();
    other.close();
  });
});
