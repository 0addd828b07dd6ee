import { createEventLog } from '@tidewire/change-log/event-log';
import { parseListRequest } from '@tidewire/collections/read-request';
import { type DocumentChange, LiveState } from '@tidewire/delivery/live-state';
import type { JsonObject } from '@tidewire/query/json';
import type { WindowSource } from '@tidewire/query/live-source';
import { createRandom } from '@tidewire/query/random.fixture';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeListQuery, RandomWriter, readList } from './live-random.fixture.js';
import { startTestNode, type TestNode } from './realtime.fixture.js';

const { env } = process;
const seed = Number(env.SEED ?? 7);
const queries = Number(env.QUERIES ?? 24);
const writes = Number(env.WRITES ?? 50);

let node: TestNode;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  node = await startTestNode(address);
});
afterAll(() => node.close());

async function sourceOf(query: string) {
  const database = await node.catalog.byId(node.databaseId);
  if (database === null) throw new Error('there is no database');
  const target = { database, collection: 'things', mayGet: () => true, visible: '*' };
  return node.liveSources.list(target, parseListRequest(query));
}

async function read(source: WindowSource, state: LiveState): Promise<void> {
  while (!state.isReady) {
    state.beginRead();
    state.take(await source.read(state.wanted));
  }
}

it(`the body that events make of each of ${queries} random lists is what GET answers, after each of ${writes} random writes (seed ${seed})`, {
  timeout: 600_000,
}, async () => {
  const random = createRandom(seed);
  const writer = new RandomWriter(node, 'things', random);
  for (let count = 0; count < 30; count += 1) await writer.create();
  const lists: { query: string; source: WindowSource; state: LiveState }[] = [];
  while (lists.length < queries) {
    const query = makeListQuery(random);
    const source = await sourceOf(query);
    if (source.kind === 'window') lists.push({ query, source, state: new LiveState(source) });
  }
  const log = createEventLog(node.connections.pool);
  let reads = 0;
  let shown = 0;
  for (let write = 0, at = 0; write <= writes; write += 1) {
    if (write > 0) await writer.write();
    const events = await log.readAfter(node.databaseId, at, 1_000);
    const changes = events.map(({ id, documentId, before, after }): DocumentChange => {
      const [old, now] = [before, after].map((text) => (text === null ? null : (JSON.parse(text) as JsonObject)));
      return { id, documentId: String(documentId), before: old ?? null, after: now ?? null };
    });
    at = events.at(-1)?.id ?? at;
    for (const { query, source, state } of lists) {
      for (const change of changes) state.offer(change);
      if (!state.isReady) reads += 1;
      await read(source, state);
      const body = source.bodyOf(state.page(), state.total);
      expect(body, `seed ${seed}, write ${write}, ${decodeURIComponent(query)}`).toBe(
        await readList(node, 'things', query),
      );
      shown += state.page().length;
    }
  }
  expect(shown).toBeGreaterThan(queries * writes);
  // Not by reading anew each time.
  expect(reads).toBeLessThan((queries * writes) / 5);
});
