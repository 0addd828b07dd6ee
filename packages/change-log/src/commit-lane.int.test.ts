import { type Catalog, createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CapturingClient, captureWrites, UncapturedWriteError } from './capture-extension.js';
import type { ChangeHint } from './change-bus.js';
import { type CommitLanes, createCommitLanes } from './commit-lanes.js';
import type { WriteOutcome } from './document-writes.js';
import { createMemoryChangeBus } from './memory-change-bus.js';

/** One server's write path on the shared Postgres. */
type Node = {
  connections: PostgresConnections;
  catalog: Catalog;
  lanes: CommitLanes;
  prisma: CapturingClient;
  hints: ChangeHint[];
};

let address: PostgresAddress;
const nodes: Node[] = [];

function createNode(options: { writeTimeoutMs?: number } = {}): Node {
  const connections = connectPostgres(address, { onConnectionError: () => undefined });
  const catalog = createCatalog(connections.pool);
  const bus = createMemoryChangeBus({
    onError: (error) => {
      throw error;
    },
  });
  const hints: ChangeHint[] = [];
  bus.subscribe((hint) => hints.push(hint));
  const lanes = createCommitLanes({ pool: connections.lanePool, catalog, bus, onRetry: () => undefined, ...options });
  const node = { connections, catalog, lanes, hints, prisma: captureWrites(connections.prisma, lanes.submit) };
  nodes.push(node);
  return node;
}

let node: Node;
let databases = 0;

/** A database of its own for each test, so that ids begin at 1. */
async function createScope() {
  databases += 1;
  const { id } = await node.connections.prisma.database.create({
    data: { name: `db${databases}`, log: { create: {} } },
  });
  return { databaseId: id, author: { actor: 'key:test', by: 'api' } };
}

async function logOf(databaseId: number) {
  const { rows } = await node.connections.pool.query<{
    id: number;
    type: string;
    before: string | null;
    after: string | null;
    operation: string;
  }>(
    `SELECT id, type::text, before::text, after::text, operation_id::text AS operation FROM events WHERE database_id = $1 ORDER BY id`,
    [databaseId],
  );
  return rows;
}

function idOf(outcome: WriteOutcome): string {
  const id = outcome.status === 'written' ? outcome.documents[0]?.id : undefined;
  if (id === undefined) throw new Error('nothing was written');
  return id;
}

/** The model's methods as a caller without types has them. */
function methodsOf(model: unknown) {
  return model as Record<string, () => unknown>;
}

const ascending = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

beforeAll(async () => {
  ({ address } = await createTestDatabase());
  node = createNode();
});

afterAll(async () => {
  for (const { lanes, connections } of nodes) {
    await lanes.idle();
    await connections.close();
  }
});

describe('the commit lane', () => {
  it('stores a document and its event in one commit, before and after included', async () => {
    const scope = await createScope();
    const created = await node.prisma.document.create({
      scope,
      collection: 'company',
      data: { z: 1, a: { b: [true, null] } },
    });
    const id = idOf(created);
    await node.prisma.document.update({
      scope,
      collection: 'company',
      where: { id },
      data: (before) => ({ ...before, y: 2 }),
    });
    const deleted = await node.prisma.document.delete({ scope, collection: 'company', where: { id } });
    expect(deleted).toMatchObject({ status: 'written', eventId: 3, documents: [{ id, version: 1 }] });
    const [post, put, gone] = await logOf(scope.databaseId);
    expect(JSON.parse(post?.after ?? '')).toMatchObject({
      _id: id,
      z: 1,
      a: { b: [true, null] },
      _version: 0,
      _createdby: 'api',
    });
    expect([post?.before, put?.before, gone?.before, gone?.after]).toEqual([null, post?.after, put?.after, null]);
    expect(Object.keys(JSON.parse(put?.after ?? ''))).toEqual([
      '_id',
      'z',
      'a',
      'y',
      '_created',
      '_changed',
      '_createdby',
      '_changedby',
      '_version',
    ]);
  });

  it('gives 400 writes at once the ids 1 … 400, each write its own, and hints them in order', async () => {
    const scope = await createScope();
    const outcomes = await Promise.all(
      ascending(400).map((n) => node.prisma.document.create({ scope, collection: 'company', data: { n } })),
    );
    const ids = outcomes.map((outcome) => (outcome.status === 'written' ? outcome.eventId : null));
    expect([...ids].sort((a, b) => Number(a) - Number(b))).toEqual(ascending(400));
    expect((await logOf(scope.databaseId)).map(({ id }) => id)).toEqual(ascending(400));
    const hinted = node.hints.flatMap((hint) =>
      hint.kind === 'events' && hint.databaseId === scope.databaseId ? hint.events.map(({ id }) => id) : [],
    );
    expect(hinted).toEqual(ascending(400));
  });

  it('stores all documents of createMany in order, or none', async () => {
    const scope = await createScope();
    const taken = 'aaaaaaaaaaaaaaaaaaaaaaaa';
    await node.prisma.document.createMany({
      scope,
      collection: 'company',
      data: [{ id: taken, body: {} }, { body: { n: 2 } }],
    });
    const clash = node.prisma.document.createMany({
      scope,
      collection: 'company',
      data: [{ body: { n: 3 } }, { id: taken, body: {} }],
    });
    await expect(clash).rejects.toMatchObject({ code: 'conflict' });
    const events = await logOf(scope.databaseId);
    expect(events.map(({ id }) => id)).toEqual([1, 2]);
    expect(new Set(events.map(({ operation }) => operation)).size).toBe(1);
  });

  it('refuses one bad write of a batch alone', async () => {
    const scope = await createScope();
    const writes = ascending(20).map((n) =>
      node.prisma.document.create({ scope, collection: 'company', data: n === 13 ? { text: 'a\u0000b' } : { n } }),
    );
    const settled = await Promise.allSettled(writes);
    expect(settled.filter(({ status }) => status === 'rejected')).toMatchObject([
      { reason: { code: 'validation_failed' } },
    ]);
    expect((await logOf(scope.databaseId)).map(({ id }) => id)).toEqual(ascending(19));
  });

  it('leaves no event of a write that was rolled back by Postgres', async () => {
    const scope = await createScope();
    const id = idOf(await node.prisma.document.create({ scope, collection: 'company', data: { n: 1 } }));
    const update = node.prisma.document.update({
      scope,
      collection: 'company',
      where: { id },
      data: () => ({ text: '\ud800' }),
    });
    await expect(update).rejects.toMatchObject({ code: 'validation_failed' });
    expect(await logOf(scope.databaseId)).toHaveLength(1);
  });

  it('keeps 64 increments of one document exact', async () => {
    const scope = await createScope();
    const id = idOf(await node.prisma.document.create({ scope, collection: 'counter', data: { n: 0 } }));
    await Promise.all(
      ascending(64).map(() =>
        node.prisma.document.update({
          scope,
          collection: 'counter',
          where: { id },
          data: ({ n }) => ({ n: Number(n) + 1 }),
        }),
      ),
    );
    const last = (await logOf(scope.databaseId)).at(-1);
    expect(JSON.parse(last?.after ?? '')).toMatchObject({ n: 64, _version: 64 });
  });

  it('creates a collection with its first write and says so, unless the settings forbid it', async () => {
    const scope = await createScope();
    await node.prisma.document.create({ scope, collection: 'fresh', data: {} });
    expect(node.catalog.peek(scope.databaseId)?.collections.has('fresh')).toBe(true);
    await node.connections.prisma.database.update({
      where: { id: scope.databaseId },
      data: {
        settings: { collections: { createOnWrite: false } },
        log: { update: { configVersion: { increment: 1 } } },
      },
    });
    const write = node.prisma.document.create({ scope, collection: 'other', data: {} });
    await expect(write).rejects.toMatchObject({ code: 'not_found' });
  });

  it('keeps the ids of two servers on one database dense, and each sees the collections of the other', async () => {
    const scope = await createScope();
    const other = createNode();
    const writes = ascending(200).map((n) =>
      (n % 2 === 0 ? node : other).prisma.document.create({ scope, collection: `c${n % 3}`, data: { n } }),
    );
    await Promise.all(writes);
    expect((await logOf(scope.databaseId)).map(({ id }) => id)).toEqual(ascending(200));
  });

  it('loses and doubles no acknowledged write while its connections are cut 40 times', async () => {
    const scope = await createScope();
    await node.prisma.document.create({ scope, collection: 'company', data: { n: 0 } });
    let cuts = 0;
    let isOver = false;
    const cutting = (async () => {
      for (; cuts < 40; cuts += 1) {
        await node.connections.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      isOver = true;
    })();
    const acknowledged: string[] = [];
    const writers = ascending(16).map(async (writer) => {
      for (let n = 0; !isOver; n += 1) {
        const outcome = await node.prisma.document.create({ scope, collection: 'company', data: { writer, n } });
        acknowledged.push(idOf(outcome));
        if (n % 3 === 0) await node.prisma.event.create({ scope, name: 'mark', data: n });
      }
    });
    await Promise.all([cutting, ...writers]);
    const events = await logOf(scope.databaseId);
    expect(events.map(({ id }) => id)).toEqual(ascending(events.length));
    expect(new Set(events.map(({ operation }) => operation)).size).toBe(events.length);
    const stored = new Set(
      events.filter(({ type }) => type === 'post').map(({ after }) => JSON.parse(after ?? '')._id),
    );
    expect(acknowledged.filter((id) => !stored.has(id))).toEqual([]);
    expect(stored.size).toBe(acknowledged.length + 1);
  });

  it('answers a write within its time limit when Postgres does not, and says that nothing was stored', async () => {
    const scope = await createScope();
    const impatient = createNode({ writeTimeoutMs: 400 });
    await impatient.prisma.document.create({ scope, collection: 'company', data: {} });
    const blocker = await node.connections.pool.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT head FROM log_heads WHERE database_id = $1 FOR UPDATE', [scope.databaseId]);
    const inFlight = impatient.prisma.document.create({ scope, collection: 'company', data: { n: 1 } });
    const first = expect(inFlight).rejects.toMatchObject({ code: 'outcome_unknown', status: 503 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const queued = impatient.prisma.document.create({ scope, collection: 'company', data: { n: 2 } });
    await expect(queued).rejects.toMatchObject({ code: 'unavailable', status: 503 });
    await first;
    await blocker.query('ROLLBACK');
    blocker.release();
    await impatient.lanes.idle();
    expect((await logOf(scope.databaseId)).length).toBeLessThanOrEqual(2);
  });
});

describe('the door for writes', () => {
  it.each(['upsert', 'createManyAndReturn', 'updateMany', 'updateManyAndReturn'] as const)(
    'throws on document.%s, which the lane does not carry',
    (method) => {
      expect(() => methodsOf(node.prisma.document)[method]?.()).toThrow(UncapturedWriteError);
    },
  );

  it.each(['createMany', 'update', 'upsert', 'delete', 'deleteMany'] as const)('throws on event.%s', (method) => {
    expect(() => methodsOf(node.prisma.event)[method]?.()).toThrow(UncapturedWriteError);
  });

  it('refuses a document write inside a transaction of somebody else, in both forms, and nothing is stored', async () => {
    const scope = await createScope();
    const write = { scope, collection: 'company', data: {} };
    const interactive = node.prisma.$transaction(async (tx) => {
      await tx.document.create(write);
    });
    await expect(interactive).rejects.toThrow(UncapturedWriteError);
    const listed = () => node.prisma.$transaction([node.prisma.document.create(write)] as never);
    expect(listed).toThrow('All elements of the array need to be Prisma Client promises');
    expect(await logOf(scope.databaseId)).toEqual([]);
  });

  it('is the only one: Postgres itself refuses documents and events to every other session', async () => {
    const { prisma } = node.connections;
    await expect(prisma.$executeRaw`DELETE FROM documents`).rejects.toThrow('written by the commit lane alone');
    await expect(prisma.$executeRaw`UPDATE events SET actor = 'x'`).rejects.toThrow('written by the commit lane alone');
    await expect(prisma.event.deleteMany()).rejects.toThrow('written by the commit lane alone');
  });
});
