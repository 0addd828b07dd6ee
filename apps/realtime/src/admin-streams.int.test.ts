import { readCollectionDetail } from '@tidewire/collections/collection-detail';
import { adminListDefaults, parseListRequest } from '@tidewire/collections/read-request';
import { createRandom } from '@tidewire/query/random.fixture';
import { eventually } from '@tidewire/testing/eventually';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { RandomWriter } from './live-random.fixture.js';
import { startTestNode, type TestNode } from './realtime.fixture.js';

let node: TestNode;
const probes: SseProbe[] = [];

beforeAll(async () => {
  const { address } = await createTestDatabase();
  node = await startTestNode(address);
  await new RandomWriter(node, 'company', createRandom(7)).create({ n: 1 });
});

afterEach(async () => {
  for (const probe of probes.splice(0)) probe.close();
  await eventually(() => expect(node.hub.stats().streams).toBe(0));
});

afterAll(() => node.close());

async function open(path: string, headers: Record<string, string>): Promise<SseProbe> {
  const probe = await openSse(`${node.url}${path}`, { headers });
  probes.push(probe);
  return probe;
}

const companyOf = () => ({ databaseId: node.databaseId, collection: 'company' });

/** Event → path, and what the route without `/stream` answers. */
const twins: Record<string, [path: string, read: () => Promise<unknown>]> = {
  databases: ['/api/databases/stream', async () => ({ data: await node.databases.list() })],
  database: ['/api/databases/default/stream', () => node.databases.get('default')],
  collections: [
    '/api/databases/default/collections/stream',
    async () => ({ data: await node.databases.collections(node.databaseId) }),
  ],
  collection: ['/api/databases/default/collections/company/stream', () => readCollectionDetail(node, companyOf())],
  indexes: [
    '/api/databases/default/collections/company/indexes/stream',
    async () => ({ data: await node.collectionIndexes.list(companyOf()) }),
  ],
  keys: ['/api/databases/default/keys/stream', async () => ({ data: await node.apiKeys.list(node.databaseId) })],
  users: [
    '/api/databases/default/users/stream',
    async () => ({ data: await node.users.accounts.list(node.databaseId) }),
  ],
  documents: [
    '/api/databases/default/collections/company/documents/stream',
    async () => {
      const database = await node.catalog.byId(node.databaseId);
      if (database === null) throw new Error('there is no database');
      const target = { database, collection: 'company', mayGet: () => true };
      return JSON.parse((await node.collections.list(target, parseListRequest('', adminListDefaults))).text);
    },
  ],
};

describe('each list of the admin API', () => {
  it.each(Object.keys(twins))('has a stream: %s, now and after each change', async (name) => {
    const [path, read] = twins[name] ?? ['', async () => null];
    const { cookie } = await node.signIn();
    const probe = await open(path, { cookie });
    const shown = () => {
      const last = probe.messages.filter(({ event }) => event === name).at(-1);
      return last === undefined ? undefined : JSON.parse(last.data);
    };
    const same = async () => eventually(async () => expect(shown()).toEqual({ [name]: await read() }));
    await same();
    const before = shown();
    await new RandomWriter(node, 'company', createRandom(8)).create({ n: 2 });
    await new RandomWriter(node, `new_${name}`, createRandom(9)).create({ n: 3 });
    await node.createKey({ listen: ['*:*'] });
    const database = await node.catalog.byId(node.databaseId);
    const author = { actor: 'system', by: 'system' };
    if (database !== null) await node.users.accounts.create(database, { email: `${name}@example.org` }, author);
    const definition = { fields: [name], unique: false, where: null };
    await node.collectionIndexes.create(companyOf(), { name: `by_${name}`, definition });
    await eventually(() => expect(shown()).not.toEqual(before));
    await same();
  });

  it('is read once for many who look, and at most once a second', async () => {
    const { cookie } = await node.signIn();
    const list = node.databases.collections;
    let reads = 0;
    node.databases.collections = (id) => {
      reads += 1;
      return list(id);
    };
    try {
      for (let count = 0; count < 10; count += 1) {
        const probe = await open('/api/databases/default/collections/stream', { cookie });
        await probe.waitFor('collections');
      }
      const writer = new RandomWriter(node, 'often', createRandom(1));
      const [last] = probes.slice(-1);
      const began = performance.now();
      for (let count = 1; count <= 40; count += 1) await writer.create({ n: count });
      await eventually(async () =>
        expect(JSON.parse(last?.messages.filter(({ event }) => event !== 'ping').at(-1)?.data ?? '')).toEqual({
          collections: { data: await list(node.databaseId) },
        }),
      );
      expect(reads).toBeLessThanOrEqual(3 + (performance.now() - began) / 1_000);
    } finally {
      node.databases.collections = list;
    }
  });

  it('ends with the session, and is closed to keys and strangers', async () => {
    const { cookie, end } = await node.signIn();
    const streams = await Promise.all(Object.values(twins).map(([path]) => open(path, { cookie })));
    for (const [index, name] of Object.keys(twins).entries()) await streams[index]?.waitFor(name);
    await end();
    await Promise.all(streams.map((probe) => probe.waitForEnd({ timeoutMs: 3_000 })));
    expect(streams.map(({ messages }) => messages.at(-1)?.event)).toEqual(streams.map(() => 'expired'));
    const { key } = await node.createKey({ rest: ['*:*'], listen: ['*:*'] });
    for (const [path] of Object.values(twins)) {
      expect((await open(path, {})).status).toBe(401);
      expect((await open(path, { 'x-apikey': key })).status).toBe(401);
    }
  });

  it('leaves the paths of what is called stream to it, and says what is wrong', async () => {
    const { cookie } = await node.signIn();
    const status = async (path: string, accept: string) =>
      (await fetch(`${node.url}${path}`, { headers: { cookie, accept } })).status;
    // Nobody answers in this process for the collection of this name.
    expect(await status('/api/databases/default/collections/stream', 'application/json')).toBe(404);
    expect(await status('/api/databases/default/keys/stream', 'application/json')).toBe(406);
    expect(await status('/api/databases/nowhere/keys/stream', '*/*')).toBe(404);
    expect(await status('/api/databases/default/collections/nowhere/stream', '*/*')).toBe(404);
    expect(await status('/api/databases/default/keys/stream?q=1', '*/*')).toBe(400);
  });
});

it('had no error beside the requests', () => {
  expect(node.errors).toEqual([]);
});
