import { eventually } from '@tidewire/testing/eventually';
import { describe, expect, it } from 'vitest';
import { createDocument, type TestNode, useThreeNodes } from './realtime.fixture.js';

const { nodes, open } = useThreeNodes();
const node = () => nodes[0] as TestNode;

/** Streams of every kind that a key can open, on each of the three nodes. */
function streamsOf(key: string) {
  const paths = [
    `/realtime?apikey=${key}`,
    `/channels/chat/stream?apikey=${key}`,
    `/rest/company/stream?apikey=${key}`,
  ];
  return Promise.all(nodes.flatMap((on) => paths.map((path) => open(path, { on }))));
}

const everything = { rest: ['GET:*'], listen: ['*:*'] };
const statusOf = async (key: string, on = node()) => (await open(`/realtime?apikey=${key}`, { on })).status;

describe('the streams of a key', () => {
  it('end with expired within a second of its expiry, on all nodes, and none opens after', async () => {
    const expiresAt = new Date(Date.now() + 1_500);
    const request = { name: 'short', publish: [], origins: [], ...everything, expiresAt: expiresAt.toISOString() };
    const { key } = await node().apiKeys.create(node().databaseId, request);
    const streams = await streamsOf(key);
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    for (const probe of streams) {
      await probe.waitForEnd({ timeoutMs: 5_000 });
      expect(probe.messages.at(-1)?.event).toBe('expired');
    }
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt.getTime());
    for (const on of nodes) expect(await statusOf(key, on)).toBe(401);
  });

  it('go on when the expiry is put off, and end when it is brought near', async () => {
    const soon = new Date(Date.now() + 1_500).toISOString();
    const request = { name: 'longer', publish: [], origins: [], ...everything, expiresAt: soon };
    const { id, key } = await node().apiKeys.create(node().databaseId, request);
    const probe = await open(`/realtime?apikey=${key}`);
    await node().apiKeys.update(node().databaseId, id, { expiresAt: null });
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(soon) + 1_100));
    await createDocument(node(), 'company');
    await probe.waitFor('post');
    await node().apiKeys.update(node().databaseId, id, { expiresAt: new Date(Date.now() + 200).toISOString() });
    await probe.waitForEnd({ timeoutMs: 3_000 });
    expect(probe.messages.at(-1)?.event).toBe('expired');
  });

  it('of other keys with the same grants hear on when it expires', async () => {
    const request = { name: 'first', publish: [], origins: [], rest: [], listen: ['POST:company'] };
    const expiresAt = new Date(Date.now() + 1_000).toISOString();
    const short = await node().apiKeys.create(node().databaseId, { ...request, expiresAt });
    const long = await node().apiKeys.create(node().databaseId, request);
    const ending = await open(`/realtime?apikey=${short.key}`);
    const staying = await open(`/realtime?apikey=${long.key}`);
    await ending.waitForEnd({ timeoutMs: 4_000 });
    await createDocument(node(), 'company');
    await staying.waitFor('post');
    expect(ending.messages.some(({ event }) => event === 'post')).toBe(false);
  });

  it('end with revoked when it is switched off, and open again once it is switched on', async () => {
    const { id, key } = await node().createKey(everything);
    const streams = await streamsOf(key);
    await node().apiKeys.update(node().databaseId, id, { disabled: true });
    for (const probe of streams) {
      await probe.waitForEnd({ timeoutMs: 3_000 });
      expect(probe.messages.at(-1)).toMatchObject({ event: 'revoked' });
    }
    for (const on of nodes) expect(await statusOf(key, on)).toBe(401);
    await node().apiKeys.update(node().databaseId, id, { disabled: false });
    await eventually(async () => {
      for (const on of nodes) expect(await statusOf(key, on)).toBe(200);
    });
  });

  it('stay through a rotation, and after the text that they were opened with is over', async () => {
    const { id, key } = await node().createKey(everything);
    const streams = await streamsOf(key);
    const rotated = await node().apiKeys.rotate(node().databaseId, id, { overlapSeconds: 1 });
    for (const on of nodes) expect([await statusOf(key, on), await statusOf(rotated.key, on)]).toEqual([200, 200]);
    const over = Date.parse(rotated.previousUntil ?? '');
    await eventually(() => expect(Date.now()).toBeGreaterThan(over + 1_100));
    for (const on of nodes) expect([await statusOf(key, on), await statusOf(rotated.key, on)]).toEqual([401, 200]);
    await createDocument(node(), 'company');
    for (const probe of streams.filter((_, index) => index % 3 !== 1))
      await probe.waitFor(({ event, data }) => event === 'post' || data.includes('_id'));
    expect(streams.map(({ isOpen }) => isOpen)).toEqual(streams.map(() => true));
  });

  it('end with its revocation, whichever of its texts they were opened with', async () => {
    const { id, key } = await node().createKey(everything);
    const rotated = await node().apiKeys.rotate(node().databaseId, id, { overlapSeconds: 600 });
    const streams = [...(await streamsOf(key)), ...(await streamsOf(rotated.key))];
    await node().apiKeys.revoke(node().databaseId, id);
    for (const probe of streams) {
      await probe.waitForEnd({ timeoutMs: 3_000 });
      expect(probe.messages.at(-1)?.event).toBe('revoked');
    }
    for (const on of nodes) expect([await statusOf(key, on), await statusOf(rotated.key, on)]).toEqual([401, 401]);
  });

  it('that a ticket was issued for open nothing once the key is expired or switched off', async () => {
    const { id, key } = await node().createKey(everything);
    const ask = { method: 'POST', headers: { 'x-apikey': key } };
    const answer = await fetch(`${node().url}/realtime/ticket`, ask);
    const { ticket } = (await answer.json()) as { ticket: string };
    await node().apiKeys.update(node().databaseId, id, { disabled: true });
    expect((await open(`/realtime?ticket=${ticket}`)).status).toBe(401);
    expect((await fetch(`${node().url}/realtime/ticket`, ask)).status).toBe(401);
  });
});
