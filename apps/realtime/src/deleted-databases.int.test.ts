import { systemDoer } from '@tidewire/access/audit-log';
import { createDatabaseRemoval } from '@tidewire/access/database-removal';
import { eventually } from '@tidewire/testing/eventually';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestNode, type TestNode } from './realtime.fixture.js';

/** Two nodes that hear nothing of each other but by looking at the heads. */
let nodes: TestNode[];
const probes: SseProbe[] = [];

beforeAll(async () => {
  const { address } = await createTestDatabase();
  nodes = [await startTestNode(address), await startTestNode(address)];
});
afterEach(async () => {
  for (const probe of probes.splice(0)) probe.close();
  for (const { hub } of nodes) await eventually(() => expect(hub.stats().streams).toBe(0));
});
afterAll(async () => {
  for (const node of nodes) await node.close();
});

async function open(node: TestNode | undefined, path: string, headers: Record<string, string>): Promise<SseProbe> {
  const probe = await openSse(`${node?.url}${path}`, { headers });
  probes.push(probe);
  return probe;
}

async function makeDatabase(name: string) {
  const [node] = nodes;
  if (node === undefined) throw new Error('there is no node');
  const { id } = await node.databases.create(name);
  const lists = { rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: [] };
  const { key } = await node.apiKeys.create(id, { name: 'app', ...lists }, systemDoer);
  const scope = { databaseId: id, author: { actor: 'system', by: 'test' } };
  const write = () => node.client.document.create({ scope, collection: 'item', data: { n: 1 } });
  await write();
  return { node, id, key, write };
}

describe('a database that is deleted', () => {
  it('ends the streams of its keys on every node, takes no write any more, and lets nobody in again', async () => {
    const { node, id, key, write } = await makeDatabase('doomed');
    const paths = ['/realtime', '/rest/item/stream', '/realtime/events'];
    const streams = await Promise.all(
      nodes.flatMap((one) => paths.map((path) => open(one, path, { 'x-apikey': key }))),
    );
    for (const stream of streams) expect(stream.status).toBe(200);
    const kept = await node.createKey({ listen: ['*:*'] });
    const other = await open(nodes[1], '/realtime', { 'x-apikey': kept.key });
    await node.databases.beginDeletion('doomed');
    await expect(write()).rejects.toMatchObject({ code: 'not_found' });
    await Promise.all(streams.map((stream) => stream.waitForEnd({ timeoutMs: 5_000 })));
    // One of the dialects has no names of events; there the type says it.
    for (const { messages } of streams) expect(JSON.stringify(messages.at(-1))).toContain('revoked');
    for (const one of nodes)
      await eventually(async () => expect((await open(one, '/realtime', { 'x-apikey': key })).status).toBe(401));
    const removal = createDatabaseRemoval({
      pool: node.connections.retentionPool,
      onError: () => undefined,
      intervalMs: 0,
    });
    expect(await removal.run()).toEqual(['doomed']);
    await expect(write()).rejects.toMatchObject({ code: 'not_found' });
    expect(node.catalog.peek(id)).toBeUndefined();
    const author = { actor: 'system', by: 'test' };
    const scope = { databaseId: node.databaseId, author };
    await node.client.document.create({ scope, collection: 'kept', data: { n: 1 } });
    await eventually(() => expect(JSON.stringify(other.messages)).toContain('kept'));
  });

  it('tells admins how far it is, and sends their streams of it away', async () => {
    const { node } = await makeDatabase('watched');
    const { cookie } = await node.signIn();
    const list = await open(nodes[0], '/api/databases/stream', { cookie });
    const inside = await open(nodes[0], '/api/databases/watched/events/stream', { cookie });
    expect(inside.status).toBe(200);
    await node.databases.beginDeletion('watched');
    await inside.waitForEnd({ timeoutMs: 5_000 });
    expect(inside.messages.map(({ event }) => event)).not.toContain('expired');
    const shown = () => JSON.parse(list.messages.filter(({ event }) => event === 'databases').at(-1)?.data ?? '{}');
    await eventually(() =>
      expect(shown().databases.data).toContainEqual(
        expect.objectContaining({ name: 'watched', deletion: expect.objectContaining({ deleted: 0 }) }),
      ),
    );
    const removal = createDatabaseRemoval({
      pool: node.connections.retentionPool,
      onError: () => undefined,
      intervalMs: 0,
    });
    await removal.run();
    await eventually(() =>
      expect(shown().databases.data.map(({ name }: { name: string }) => name)).not.toContain('watched'),
    );
  });
});

it('a database that is renamed keeps its keys and its streams', async () => {
  const { node, key, write } = await makeDatabase('before');
  const stream = await open(nodes[1], '/realtime', { 'x-apikey': key });
  await node.databases.rename('before', 'after');
  await write();
  await eventually(() => expect(stream.messages.some(({ data }) => data.includes('item'))).toBe(true));
  expect((await node.catalog.byName('after'))?.name).toBe('after');
  const { cookie } = await node.signIn();
  expect((await open(nodes[0], '/api/databases/before/keys/stream', { cookie })).status).toBe(404);
});

describe('the lists of the server', () => {
  it.each([
    '/api/admins/stream',
    '/api/invites/stream',
    '/api/admin/sessions/stream',
    '/api/audit/stream',
    '/api/audit/stream?action=key.*',
  ])('have a stream that shows what is new: %s', async (path) => {
    const [node] = nodes;
    if (node === undefined) throw new Error('there is no node');
    const { cookie } = await node.signIn();
    const stream = await open(node, path, { cookie });
    const name = /(\w+)\/stream/.exec(path)?.[1] ?? '';
    await stream.waitFor(name);
    const count = () => stream.messages.filter(({ event }) => event === name).length;
    const before = count();
    const { prisma } = node.connections;
    await node.createKey({});
    const email = `${Math.random()}@example.org`;
    await prisma.adminInvite.create({
      data: { email, hash: email, role: 'viewer', invitedBy: 'x', expiresAt: new Date() },
    });
    await node.signIn();
    if (path.includes('/admin/')) {
      const { adminId } = await prisma.adminSession.findFirstOrThrow({ orderBy: { createdAt: 'desc' }, skip: 1 });
      await prisma.adminSession.create({ data: { adminId, expiresAt: new Date(Date.now() + 60_000) } });
    }
    await eventually(() => expect(count()).toBeGreaterThan(before));
  });

  it('are closed to those whose role does not reach them, and their parameters are checked', async () => {
    const [node] = nodes;
    if (node === undefined) throw new Error('there is no node');
    const { cookie } = await node.signIn();
    expect((await open(node, '/api/audit/stream?who=me', { cookie })).status).toBe(400);
    expect((await open(node, '/api/admins/stream?database=x', { cookie })).status).toBe(400);
    await node.connections.prisma.admin.updateMany({ data: { role: 'editor' } });
    for (const path of ['/api/admins/stream', '/api/invites/stream'])
      expect((await open(node, path, { cookie })).status).toBe(403);
    for (const path of ['/api/audit/stream', '/api/admin/sessions/stream'])
      expect((await open(node, path, { cookie })).status).toBe(200);
  });
});

it('had no error beside the requests', () => expect(nodes.flatMap(({ errors }) => errors)).toEqual([]));
