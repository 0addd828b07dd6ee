import { eventually } from '@tidewire/testing/eventually';
import { startTestRedis, type TestRedis } from '@tidewire/testing/test-redis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { changeBusContract } from './change-bus.contract.js';
import type { ChangeBus, ChangeHint } from './change-bus.js';
import { publishEvent } from './log-event.fixture.js';
import { createRedisChangeBus } from './redis-change-bus.js';

let redis: TestRedis;
const open: ChangeBus[] = [];

beforeAll(async () => {
  redis = await startTestRedis();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((bus) => bus.close()));
});
afterAll(() => redis.kill());

function connect(options: { hintLimitChars?: number } = {}) {
  const errors: unknown[] = [];
  const heard: ChangeHint[] = [];
  const bus = createRedisChangeBus({ url: redis.url, onError: (error) => errors.push(error), ...options });
  bus.subscribe((hint) => heard.push(hint));
  open.push(bus);
  return { bus, heard, errors };
}

function events(from: number, data = '1'): ChangeHint & { kind: 'events' } {
  return { kind: 'events', databaseId: 1, events: [publishEvent(from, data)] };
}

/** Publishes until the other side has heard something: connections take a moment. */
async function meet(from: ReturnType<typeof connect>, to: ReturnType<typeof connect>) {
  await eventually(() => {
    from.bus.publish({ kind: 'config', databaseId: 9, configVersion: 1 });
    expect(to.heard.length).toBeGreaterThan(0);
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  to.heard.splice(0);
  from.heard.splice(0);
}

changeBusContract('the Redis bus', async (onError) => {
  const bus = createRedisChangeBus({ url: redis.url, onError });
  await new Promise((resolve) => setTimeout(resolve, 100));
  return bus;
});

describe('the Redis bus', () => {
  it('carries a hint to another process once, and not back', async () => {
    const [here, there] = [connect(), connect()];
    await meet(here, there);
    here.bus.publish(events(1));
    await eventually(() => expect(there.heard).toEqual([events(1)]));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect([here.heard, there.heard]).toEqual([[events(1)], [events(1)]]);
  });

  it('carries an ephemeral event to another process once', async () => {
    const [here, there] = [connect(), connect()];
    await meet(here, there);
    const about = { name: 'chat.typing', data: '"Ada"', actor: 'key:a', at: '2026-01-01T00:00:00.000Z' };
    const ephemeral: ChangeHint = { kind: 'ephemeral', databaseId: 1, ...about };
    here.bus.publish(ephemeral);
    here.bus.publish(events(1));
    await eventually(() => expect(there.heard).toEqual([ephemeral, events(1)]));
  });

  it('carries only the head of events that are too large', async () => {
    const [here, there] = [connect({ hintLimitChars: 2_000 }), connect()];
    await meet(here, there);
    here.bus.publish(events(77, `"${'x'.repeat(3_000)}"`));
    await eventually(() => expect(there.heard).toEqual([{ kind: 'head', databaseId: 1, head: 77 }]));
  });

  it('drops what is no hint, and goes on', async () => {
    const [here, there] = [connect(), connect()];
    await meet(here, there);
    await redis.command('PUBLISH tidewire:changes {}');
    await redis.command('PUBLISH tidewire:changes nonsense');
    here.bus.publish(events(2));
    await eventually(() => expect(there.heard).toEqual([events(2)]));
    expect(there.errors).toHaveLength(2);
  });

  it('gives hints to its own process while Redis is killed, paused and flushed, and to others when it is back', async () => {
    const [here, there] = [connect(), connect()];
    await meet(here, there);
    await redis.kill();
    here.bus.publish(events(1));
    await redis.restart();
    await meet(here, there);
    redis.pause();
    const began = performance.now();
    for (let id = 2; id < 3_000; id += 1) here.bus.publish(events(id));
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(here.heard).toHaveLength(2_998);
    redis.resume();
    await redis.command('FLUSHALL');
    await meet(here, there);
    here.bus.publish(events(4_000));
    await eventually(() => expect(there.heard.at(-1)).toEqual(events(4_000)));
  }, 30_000);
});
