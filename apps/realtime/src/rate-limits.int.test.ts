import { createMemoryRateCounter } from '@tidewire/access/memory-rate-counter';
import { createRequestLimits } from '@tidewire/access/request-limits';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { startTestNode, type TestNode } from './realtime.fixture.js';

let node: TestNode;
const probes: SseProbe[] = [];

beforeAll(async () => {
  const now = Date.now;
  const counter = createMemoryRateCounter({ now });
  const limits = createRequestLimits({ counter, attemptsPerAddress: 5, now });
  node = await startTestNode((await createTestDatabase()).address, { limits, trustProxy: 1 });
});
afterEach(() => {
  for (const probe of probes.splice(0)) probe.close();
});
afterAll(() => node.close());

async function open(path: string, headers: Record<string, string> = {}) {
  const probe = await openSse(`${node.url}${path}`, { headers });
  probes.push(probe);
  return probe;
}

async function limitedKey(rateLimit: number) {
  const grants = { rest: ['GET:company'], listen: ['*:*'], publish: ['*'], origins: ['https://app.example'] };
  return (await node.apiKeys.create(node.databaseId, { name: 'limited', rateLimit, ...grants })).key;
}

it('a stream counts once, when it opens; above the limit it is told when to come back, in an answer that a page may read', async () => {
  const key = await limitedKey(3);
  const paths = [
    `/realtime?apikey=${key}`,
    `/rest/company/stream?apikey=${key}`,
    `/channels/chat/stream?apikey=${key}`,
  ];
  const streams = await Promise.all(paths.map((path) => open(path)));
  expect(streams.map(({ status, headers }) => [status, headers['ratelimit-policy']])).toEqual(
    streams.map(() => [200, '"key";q=3;w=60']),
  );
  for (const path of paths) {
    const late = await open(path, { origin: 'https://app.example' });
    await late.waitForEnd();
    expect([late.status, late.headers['content-type'], late.headers['access-control-allow-origin']]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      'https://app.example',
    ]);
    expect(late.messages).toEqual([]);
    expect(late.retryMs).toBeGreaterThan(30_000);
    expect(late.retryMs).toBeLessThanOrEqual(62_000);
  }
  expect(streams.map(({ isOpen }) => isOpen)).toEqual([true, true, true]);
  const headers = { 'x-apikey': key, 'content-type': 'application/json' };
  const body = JSON.stringify({ event: 'GOAL', data: 1 });
  const published = await fetch(`${node.url}/realtime`, { method: 'POST', headers, body });
  expect([published.status, Number(published.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(await node.connections.prisma.event.count({ where: { name: 'GOAL' } })).toBe(0);
});

it('streams without a good key count against their address; then they, too, are told to come back, and a good key is not', async () => {
  const key = await limitedKey(100);
  const from = { 'x-forwarded-for': '198.51.100.9' };
  expect((await open(`/realtime?apikey=${key}`, from)).status).toBe(200);
  const seen: number[] = [];
  for (const path of ['?apikey=x', '?ticket=x', '', '?apikey=x&token=y', '?token=z'])
    seen.push((await open(`/realtime${path}`, from)).status);
  expect(seen).toEqual([401, 401, 401, 400, 401]);
  const blocked = await open('/realtime?apikey=x', from);
  await blocked.waitForEnd();
  expect([blocked.status, blocked.messages]).toEqual([200, []]);
  expect(blocked.retryMs).toBeGreaterThan(30_000);
  const good = await open(`/realtime?apikey=${key}`, from);
  expect([good.status, good.isOpen]).toEqual([200, true]);
});
