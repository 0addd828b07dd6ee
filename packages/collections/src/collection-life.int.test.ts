import { captureWrites } from '@tidewire/change-log/capture-extension';
import { type CommitLanes, createCommitLanes } from '@tidewire/change-log/commit-lanes';
import type { WriteScope } from '@tidewire/change-log/document-writes';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CollectionLife, createCollectionLife, type EmptyingProgress } from './collection-life.js';

let connections: PostgresConnections;
let lanes: CommitLanes;
let prisma: ReturnType<typeof captureWrites>;
let life: CollectionLife;
let databases = 0;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  const { pool, lanePool } = connections;
  const bus = createMemoryChangeBus({ onError: () => undefined });
  lanes = createCommitLanes({ pool: lanePool, catalog: createCatalog(pool), bus, onRetry: () => undefined });
  prisma = captureWrites(connections.prisma, lanes.submit);
  life = createCollectionLife({ pool, documents: prisma.document, collections: prisma.collection });
});
afterAll(async () => {
  await lanes.idle();
  await connections.close();
});

async function createScope(): Promise<WriteScope> {
  databases += 1;
  const { id } = await connections.prisma.database.create({ data: { name: `db${databases}`, log: { create: {} } } });
  return { databaseId: id, author: { actor: 'admin:test', by: 'ada@example.org' } };
}

async function fill(scope: WriteScope, collection: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 5_000) {
    const data = Array.from({ length: Math.min(5_000, count - from) }, (_, n) => ({ body: { n: from + n } }));
    await prisma.document.createMany({ scope, collection, data });
  }
}

async function collect(steps: AsyncIterable<EmptyingProgress>): Promise<EmptyingProgress[]> {
  const all: EmptyingProgress[] = [];
  for await (const step of steps) all.push(step);
  return all;
}

type EventRow = { id: number; type: string; documentId: string | null };

async function logOf({ databaseId }: WriteScope): Promise<EventRow[]> {
  const { rows } = await connections.pool.query<EventRow>(
    'SELECT id, type::text, document_id AS "documentId" FROM events WHERE database_id = $1 ORDER BY id',
    [databaseId],
  );
  return rows;
}

async function idsOf({ databaseId }: WriteScope): Promise<string[]> {
  const { rows } = await connections.pool.query<{ id: string }>(
    'SELECT d.id FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.database_id = $1 ORDER BY d.id',
    [databaseId],
  );
  return rows.map(({ id }) => id);
}

/** Writes one document after the other until it is told to stop; gives the ids that were acknowledged, each with the time that it took. */
function startWriters(scope: WriteScope, collection: string, count: number) {
  let isOver = false;
  const written: { id: string; eventId: number }[] = [];
  const work = Array.from({ length: count }, async (_, writer) => {
    for (let n = 0; !isOver; n += 1) {
      const outcome = await prisma.document.create({ scope, collection, data: { writer, n } });
      if (outcome.status === 'written')
        written.push({ id: outcome.documents[0]?.id ?? '', eventId: outcome.eventId ?? 0 });
    }
  });
  return {
    written,
    async stop() {
      isOver = true;
      await Promise.all(work);
    },
  };
}

test('truncating 50,000 documents beside writers deletes those that were there, each with its event, and none that came later', {
  timeout: 180_000,
}, async () => {
  const scope = await createScope();
  await fill(scope, 'big', 50_000);
  const before = new Set(await idsOf(scope));
  const steps = life.truncate({ collection: 'big', scope });
  expect((await steps.next()).value).toEqual({ deleted: 0, total: 50_000, eventId: null });
  const writers = startWriters(scope, 'big', 8);
  const progress: EmptyingProgress[] = [];
  const writtenAt: number[] = [];
  for await (const step of steps) {
    progress.push(step);
    writtenAt.push(writers.written.length);
  }
  await writers.stop();
  const sizes = progress.map(({ deleted }, index) => deleted - (progress[index - 1]?.deleted ?? 0));
  expect(sizes.every((size) => size > 0 && size <= 5_000)).toBe(true);
  expect(progress.at(-1)?.deleted).toBe(50_000);
  // Between any two steps the others had their turn.
  expect(writtenAt.every((count, index) => index === 0 || count > (writtenAt[index - 1] ?? 0))).toBe(true);
  const log = await logOf(scope);
  expect(log.map(({ id }) => id)).toEqual(log.map((_, index) => index + 1));
  const deleted = log.filter(({ type }) => type === 'delete').map(({ documentId }) => documentId);
  expect(deleted).toHaveLength(50_000);
  expect(new Set(deleted)).toEqual(before);
  expect(await idsOf(scope)).toEqual(writers.written.map(({ id }) => id).sort());
});

test('dropping a large collection under 16 writers ends it once, loses no event, and leaves no document without a collection', {
  timeout: 60_000,
}, async () => {
  const scope = await createScope();
  await fill(scope, 'doomed', 12_000);
  const writers = startWriters(scope, 'doomed', 16);
  const progress = await collect(life.drop({ collection: 'doomed', scope }));
  await writers.stop();
  const last = progress.at(-1);
  expect(last?.deleted).toBeGreaterThanOrEqual(12_000);
  const log = await logOf(scope);
  expect(log.map(({ id }) => id)).toEqual(log.map((_, index) => index + 1));
  const drops = log.filter(({ type }) => type === 'drop');
  expect(drops.map(({ id }) => id)).toEqual([last?.eventId]);
  const dropped = drops[0]?.id ?? 0;
  expect(log.filter(({ id, type }) => type === 'delete' && id > dropped)).toEqual([]);
  expect(log.filter(({ id, type }) => id < dropped && type === 'post')).toHaveLength(last?.deleted ?? 0);
  // What was written after the end is there, in a new collection of that name.
  const later = writers.written.filter(({ eventId }) => eventId > dropped).map(({ id }) => id);
  expect(await idsOf(scope)).toEqual(later.sort());
  const { rows } = await connections.pool.query(
    'SELECT 1 FROM documents d WHERE NOT EXISTS (SELECT FROM collections c WHERE c.id = d.collection_id)',
  );
  expect(rows).toEqual([]);
});

test('a small collection is dropped in one transaction', async () => {
  const scope = await createScope();
  await fill(scope, 'small', 3);
  expect(await collect(life.drop({ collection: 'small', scope }))).toEqual([
    { deleted: 0, total: 3, eventId: null },
    { deleted: 3, total: 3, eventId: 7 },
  ]);
  const { rows } = await connections.pool.query(
    'SELECT count(DISTINCT operation_id) AS count FROM events WHERE database_id = $1 AND id > 3',
    [scope.databaseId],
  );
  expect(rows).toEqual([{ count: 1 }]);
});

test('large documents go in steps of bounded size, also from a collection with few of them', {
  timeout: 60_000,
}, async () => {
  const scope = await createScope();
  const text = 'x'.repeat(1024 * 1024);
  for (let n = 0; n < 10; n += 1) {
    const data = Array.from({ length: 4 }, (_, m) => ({ body: { n, m, text } }));
    await prisma.document.createMany({ scope, collection: 'heavy', data });
  }
  const progress = await collect(life.drop({ collection: 'heavy', scope }));
  // 32 of them with their metafields are more than the last transaction takes, 28 are not.
  expect(progress.map(({ deleted }) => deleted)).toEqual([0, 4, 8, 12, 40]);
  expect((await logOf(scope)).map(({ type }) => type).filter((type) => type !== 'post')).toEqual([
    ...Array(40).fill('delete'),
    'drop',
  ]);
});

test('emptying stops and says so when the collection gets another name meanwhile, and touches no other of its old name', async () => {
  const scope = await createScope();
  await fill(scope, 'moving', 1_001);
  const steps = life.truncate({ collection: 'moving', scope });
  await steps.next();
  expect((await steps.next()).value).toMatchObject({ deleted: 1_000 });
  expect(await life.rename({ collection: 'moving', scope }, 'moved')).toBe(2_002);
  await fill(scope, 'moving', 2);
  await expect(steps.next()).rejects.toMatchObject({ code: 'conflict' });
  expect(await idsOf(scope)).toHaveLength(3);
});

test('emptying a collection that is not there, empty, or called again does what it says', async () => {
  const scope = await createScope();
  await expect(life.truncate({ collection: 'nobody', scope }).next()).rejects.toMatchObject({ code: 'not_found' });
  await expect(life.drop({ collection: 'nobody', scope }).next()).rejects.toMatchObject({ code: 'not_found' });
  await fill(scope, 'again', 1_001);
  const broken = life.truncate({ collection: 'again', scope });
  await broken.next();
  await broken.next();
  await broken.return();
  expect(await collect(life.truncate({ collection: 'again', scope }))).toEqual([
    { deleted: 0, total: 1, eventId: null },
    { deleted: 1, total: 1, eventId: 2_002 },
  ]);
  expect(await collect(life.truncate({ collection: 'again', scope }))).toEqual([
    { deleted: 0, total: 0, eventId: null },
  ]);
});

test('emptying deletes nothing more when the log has forgotten what came since it began, and says so', async () => {
  const scope = await createScope();
  await fill(scope, 'old', 1_001);
  const steps = life.truncate({ collection: 'old', scope });
  await steps.next();
  await steps.next();
  await connections.pool.query('UPDATE log_heads SET oldest = head WHERE database_id = $1', [scope.databaseId]);
  await expect(steps.next()).rejects.toMatchObject({ code: 'conflict' });
  expect(await idsOf(scope)).toHaveLength(1);
});

test('a new name must be one', async () => {
  const scope = await createScope();
  await fill(scope, 'a', 1);
  await expect(life.rename({ collection: 'a', scope }, '1 2')).rejects.toMatchObject({ code: 'validation_failed' });
  await expect(life.rename({ collection: 'nobody', scope }, 'b')).rejects.toMatchObject({ code: 'not_found' });
});
