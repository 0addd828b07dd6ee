import { kindOfFailure } from '@tidewire/db/postgres-errors';
import { eventually } from '@tidewire/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UncapturedWriteError } from './capture-extension.js';
import type { CarriedOut, Idempotency, Selection, WriteOutcome } from './document-writes.js';
import { idOf, type LaneNode, type LaneNodes, openLaneNodes } from './lane.fixture.js';
import { sweepAnswers } from './sweep-answers.js';

let nodes: LaneNodes;
let node: LaneNode;

const createScope = () => nodes.createScope();

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

async function written(outcome: Promise<WriteOutcome>) {
  const one = await outcome;
  if (one.status !== 'written') throw new Error('nothing was written');
  return one;
}

/** The model's methods as a caller without types has them. */
function methodsOf(model: unknown) {
  return model as Record<string, () => unknown>;
}

const ascending = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

beforeAll(async () => {
  nodes = await openLaneNodes();
  node = nodes.createNode();
});

afterAll(() => nodes.close());

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
    const other = nodes.createNode();
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
    const impatient = nodes.createNode({ writeTimeoutMs: 400 });
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

  it('does not write again what it looks for later than a write may take: it may have been written, and cut from the log', async () => {
    const scope = await createScope();
    let stoodStillMs = 0;
    const standing = nodes.createNode({ now: () => Date.now() + stoodStillMs });
    await standing.prisma.document.create({ scope, collection: 'company', data: { n: 1 } });
    const blocker = await node.connections.pool.connect();
    await blocker.query('BEGIN');
    await blocker.query('SELECT head FROM log_heads WHERE database_id = $1 FOR UPDATE', [scope.databaseId]);
    const outcome = standing.prisma.document.create({ scope, collection: 'company', data: { n: 2 } });
    const unknown = expect(outcome).rejects.toMatchObject({ code: 'outcome_unknown', status: 503 });
    const waiting = async (query: string) => {
      const { rows } = await node.connections.pool.query<{ pid: number }>(
        `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database() AND query LIKE $1`,
        [`%${query}%`],
      );
      return rows[0]?.pid ?? null;
    };
    const terminate = async () => {
      const { rows } = await node.connections.pool.query<{ done: boolean }>('SELECT pg_terminate_backend($1) AS done', [
        await waiting('documents_written'),
      ]);
      expect(rows[0]?.done).toBe(true);
    };
    await eventually(terminate);
    await eventually(async () => expect(await waiting('FOR UPDATE')).not.toBeNull());
    stoodStillMs = 70_000;
    await blocker.query('ROLLBACK');
    blocker.release();
    await unknown;
    await standing.lanes.idle();
    expect((await logOf(scope.databaseId)).map(({ id }) => id)).toEqual([1]);
  });

  it('carries on after 5 seconds when another process stands still in the middle of a write', {
    timeout: 20_000,
  }, async () => {
    const scope = await createScope();
    await node.prisma.document.create({ scope, collection: 'company', data: { n: 1 } });
    const other = nodes.createNode();
    const standing = await other.connections.lanePool.connect();
    await standing.query('BEGIN');
    await standing.query('SELECT head FROM log_heads WHERE database_id = $1 FOR UPDATE', [scope.databaseId]);
    const written = await node.prisma.document.create({ scope, collection: 'company', data: { n: 2 } });
    expect(written).toMatchObject({ status: 'written', eventId: 2 });
    const failure = await standing.query('COMMIT').catch((error: unknown) => error);
    expect(kindOfFailure(failure)).toBe('lost');
    standing.release(true);
    await other.prisma.document.create({ scope, collection: 'company', data: { n: 3 } });
    expect((await logOf(scope.databaseId)).map(({ id }) => id)).toEqual([1, 2, 3]);
  });

  it('begins its write again when it stood still for so long in the middle of it that Postgres ended its session', {
    timeout: 20_000,
  }, async () => {
    const scope = await createScope();
    const { documents } = await written(node.prisma.document.create({ scope, collection: 'company', data: { n: 1 } }));
    let tries = 0;
    const update = node.prisma.document.update({
      scope,
      collection: 'company',
      where: { id: documents[0]?.id ?? '' },
      data: (before) => {
        tries += 1;
        // The whole process stands still, as under SIGSTOP.
        if (tries === 1) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6_000);
        return { ...before, n: 2 };
      },
    });
    await expect(update).resolves.toMatchObject({ status: 'written', eventId: 2 });
    expect(tries).toBe(2);
    expect((await logOf(scope.databaseId)).map(({ id }) => id)).toEqual([1, 2]);
  });
});

/** The documents whose field n is less than a number. */
function below(n: number, limit = 10_000): Selection {
  return {
    limit,
    condition: (collectionId) => ({ text: `(d.data->>'n')::int < $2`, values: [collectionId, n] }),
  };
}

describe('a selection', () => {
  it('changes every document that meets it, in the order of their ids, in one operation, and no other', async () => {
    const scope = await createScope();
    const collection = 'numbers';
    await node.prisma.document.createMany({ scope, collection, data: ascending(9).map((n) => ({ body: { n } })) });
    const outcome = await node.prisma.document.updateMany({
      scope,
      collection,
      where: below(4),
      data: ({ n }) => ({ n: Number(n) * 10 }),
    });
    expect(outcome).toMatchObject({ status: 'written', eventId: 12 });
    const events = (await logOf(scope.databaseId)).slice(9);
    expect(events.map(({ type, after }) => [type, JSON.parse(after ?? '').n])).toEqual([
      ['put', 10],
      ['put', 20],
      ['put', 30],
    ]);
    expect(new Set(events.map(({ operation }) => operation)).size).toBe(1);
    const gone = await node.prisma.document.deleteMany({ scope, collection, where: below(10) });
    expect(gone).toMatchObject({ status: 'written', eventId: 18 });
    const none = await node.prisma.document.deleteMany({ scope, collection: 'nowhere', where: below(10) });
    expect(none).toEqual({ status: 'written', eventId: null, documents: [] });
  });

  it('sees all writes that were submitted before it, and none that came after', async () => {
    const scope = await createScope();
    const create = (n: number) => node.prisma.document.create({ scope, collection: 'order', data: { n } });
    await create(0);
    const [, , selected] = await Promise.all([
      create(1).then((one) => one),
      create(2).then((one) => one),
      node.prisma.document.deleteMany({ scope, collection: 'order', where: below(100) }).then((one) => one),
      create(3).then((one) => one),
    ]);
    expect(selected).toMatchObject({ eventId: 6 });
    expect((selected as CarriedOut).documents).toHaveLength(3);
    expect((await logOf(scope.databaseId)).map(({ type }) => type)).toEqual([
      ...Array(3).fill('post'),
      ...Array(3).fill('delete'),
      'post',
    ]);
  });

  it('is all or nothing: one document that refuses, or one too many, and nothing is changed', async () => {
    const scope = await createScope();
    const collection = 'numbers';
    await node.prisma.document.createMany({ scope, collection, data: ascending(3).map((n) => ({ body: { n } })) });
    const update = node.prisma.document.updateMany({
      scope,
      collection,
      where: below(10),
      data({ n }) {
        if (n === 2) throw new Error('not two');
        return { n: 0 };
      },
    });
    await expect(update).rejects.toThrow('not two');
    const tooMany = node.prisma.document.deleteMany({ scope, collection, where: below(10, 2) });
    await expect(tooMany).rejects.toMatchObject({
      code: 'validation_failed',
      detail: expect.stringContaining('at most 2'),
    });
    expect(await logOf(scope.databaseId)).toHaveLength(3);
  });

  it('holds nobody up for longer than 5 seconds', { timeout: 20_000 }, async () => {
    const scope = await createScope();
    await node.prisma.document.create({ scope, collection: 'slow', data: { n: 1 } });
    const where: Selection = {
      limit: 10,
      condition: (collectionId) => ({ text: 'pg_sleep(60) IS NULL', values: [collectionId] }),
    };
    const slow = node.prisma.document.deleteMany({ scope, collection: 'slow', where });
    await expect(slow).rejects.toMatchObject({ code: 'query_too_slow', status: 422 });
    await node.prisma.document.create({ scope, collection: 'slow', data: { n: 2 } });
    expect(await logOf(scope.databaseId)).toHaveLength(2);
  });
});

describe('an idempotency key', () => {
  const once = (key: string, fingerprint = 'f'): Idempotency => ({
    key,
    fingerprint,
    answer: ({ documents, eventId }) => ({
      status: 201,
      text: documents.map(({ id }) => id).join(),
      eventId,
      etag: null,
      documentId: documents[0]?.id ?? null,
    }),
  });
  const answerOf = (outcome: WriteOutcome) => (outcome.status === 'written' ? outcome.answer : undefined);

  it('lets one of 50 writes at once happen, on two servers, and gives all of them its answer', async () => {
    const scope = await createScope();
    const other = nodes.createNode();
    const outcomes = await Promise.all(
      ascending(50).map((n) =>
        (n % 2 === 0 ? node : other).prisma.document.create({
          scope,
          collection: 'once',
          data: { n: 1 },
          idempotency: once('k'),
        }),
      ),
    );
    expect(await logOf(scope.databaseId)).toHaveLength(1);
    const [first] = outcomes.map(answerOf);
    expect(first).toMatchObject({ status: 201, eventId: 1, text: expect.stringMatching(/^[0-9a-f]{24}$/) });
    for (const outcome of outcomes) expect(answerOf(outcome)).toEqual(first);
  });

  it('is kept with a write that had nothing to do, and not with one that was refused', async () => {
    const scope = await createScope();
    const taken = 'aaaaaaaaaaaaaaaaaaaaaaaa';
    const remove = () =>
      node.prisma.document.deleteMany({ scope, collection: 'c', where: { ids: [taken] }, idempotency: once('d') });
    expect(answerOf(await remove())).toMatchObject({ eventId: null, text: '' });
    const create = () =>
      node.prisma.document.createMany({
        scope,
        collection: 'c',
        data: [{ id: taken, body: {} }],
        idempotency: once('c'),
      });
    await node.prisma.document.createMany({ scope, collection: 'c', data: [{ id: taken, body: {} }] });
    await expect(create()).rejects.toMatchObject({ code: 'conflict' });
    expect(answerOf(await remove())).toMatchObject({ eventId: null, text: '' });
    await node.prisma.document.delete({ scope, collection: 'c', where: { id: taken } });
    expect(answerOf(await create())).toMatchObject({ eventId: 3, text: taken });
  });

  it('answers a selection with what it did the first time, whatever meets the condition now', async () => {
    const scope = await createScope();
    const data = ascending(2).map((n) => ({ body: { n } }));
    await node.prisma.document.createMany({ scope, collection: 'c', data });
    const remove = () =>
      node.prisma.document.deleteMany({ scope, collection: 'c', where: below(9, 2), idempotency: once('s') });
    const first = answerOf(await remove());
    await node.prisma.document.createMany({ scope, collection: 'c', data: [...data, ...data] });
    expect(answerOf(await remove())).toEqual(first);
    expect(await logOf(scope.databaseId)).toHaveLength(8);
  });

  it('does not let a write happen twice while connections are cut and it is sent until it is answered', async () => {
    const scope = await createScope();
    let isOver = false;
    const cutting = (async () => {
      for (let cuts = 0; cuts < 30; cuts += 1) {
        await node.connections.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      isOver = true;
    })();
    const sent = new Set<string>();
    const writers = ascending(8).map(async (writer) => {
      for (let n = 0; !isOver; n += 1) {
        const key = `${writer}-${n}`;
        sent.add(key);
        const answers = await Promise.all(
          [0, 1, 2].map(() =>
            node.prisma.document
              .create({ scope, collection: 'once', data: { key }, idempotency: once(key) })
              .then(answerOf),
          ),
        );
        expect(new Set(answers.map((answer) => answer?.text)).size).toBe(1);
      }
    });
    await Promise.all([cutting, ...writers]);
    const events = await logOf(scope.databaseId);
    expect(events.map(({ after }) => JSON.parse(after ?? '').key).sort()).toEqual([...sent].sort());
  });

  it('is over after 24 hours, and swept then', async () => {
    const scope = await createScope();
    const write = (key: string) =>
      node.prisma.document.create({ scope, collection: 'c', data: {}, idempotency: once(key) });
    const first = answerOf(await write('old'));
    await write('fresh');
    const age = (hours: number) =>
      node.connections.pool.query(
        `UPDATE idempotency_keys SET created_at = now() - make_interval(hours => $2) WHERE database_id = $1 AND key = 'old'`,
        [scope.databaseId, hours],
      );
    await age(23);
    expect(answerOf(await write('old'))).toEqual(first);
    await age(25);
    expect(answerOf(await write('old'))).not.toEqual(first);
    await age(25);
    expect(await sweepAnswers(node.connections.pool, Date.now())).toBe(1);
    const { rows } = await node.connections.pool.query('SELECT key FROM idempotency_keys WHERE database_id = $1', [
      scope.databaseId,
    ]);
    expect(rows).toEqual([{ key: 'fresh' }]);
  });
});

describe('the door for writes', () => {
  it.each(['upsert', 'createManyAndReturn', 'updateManyAndReturn'] as const)(
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
