import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UncapturedWriteError } from './capture-extension.js';
import { CollectionTooLargeError } from './collection-writes.js';
import { type LaneNode, type LaneNodes, openLaneNodes } from './lane.fixture.js';

let nodes: LaneNodes;
let node: LaneNode;

const createScope = () => nodes.createScope();

type EventRow = {
  id: number;
  type: string;
  collectionId: number | null;
  collection: string | null;
  name: string | null;
  documentId: string | null;
  operation: string;
};

async function logOf(databaseId: number): Promise<EventRow[]> {
  const { rows } = await node.connections.pool.query<EventRow>(
    `SELECT id, type::text, collection_id AS "collectionId", collection, name, document_id AS "documentId", operation_id::text AS operation
      FROM events WHERE database_id = $1 ORDER BY id`,
    [databaseId],
  );
  return rows;
}

async function documentsWithoutCollection(): Promise<number> {
  const { rows } = await node.connections.pool.query<{ count: number }>(
    'SELECT count(*) AS count FROM documents d WHERE NOT EXISTS (SELECT FROM collections c WHERE c.id = d.collection_id)',
  );
  return rows[0]?.count ?? -1;
}

const ascending = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const bodies = (count: number) => ascending(count).map((n) => ({ body: { n } }));

beforeAll(async () => {
  nodes = await openLaneNodes();
  node = nodes.createNode();
});

afterAll(() => nodes.close());

describe('a rename', () => {
  it('keeps the documents, is one event under the old name, and is known to every writer from then on', async () => {
    const scope = await createScope();
    const { prisma, catalog } = node;
    await prisma.document.createMany({ scope, collection: 'company', data: bodies(3) });
    const before = catalog.peek(scope.databaseId);
    const outcome = await prisma.collection.rename({ scope, where: { name: 'company' }, data: { name: 'firm' } });
    expect(outcome).toEqual({ status: 'written', eventId: 4, documents: [] });
    const after = catalog.peek(scope.databaseId);
    expect(after?.collections.get('firm')).toBe(before?.collections.get('company'));
    expect(after?.configVersion).toBe((before?.configVersion ?? 0) + 1);
    await prisma.document.create({ scope, collection: 'firm', data: {} });
    await prisma.document.create({ scope, collection: 'company', data: {} });
    const log = await logOf(scope.databaseId);
    expect(log.map(({ type, collection, name }) => [type, collection, name])).toEqual([
      ['post', 'company', null],
      ['post', 'company', null],
      ['post', 'company', null],
      ['rename', 'company', 'firm'],
      ['post', 'firm', null],
      ['post', 'company', null],
    ]);
    expect(log[3]).toMatchObject({ documentId: null, collectionId: log[0]?.collectionId });
    expect(log[4]?.collectionId).toBe(log[0]?.collectionId);
    expect(log[5]?.collectionId).not.toBe(log[0]?.collectionId);
    const told = node.hints.filter((hint) => hint.databaseId === scope.databaseId && hint.kind === 'config');
    expect(told.some((hint) => hint.kind === 'config' && hint.configVersion === after?.configVersion)).toBe(true);
  });

  it('is refused when the name is taken, also by itself, and says when there is nothing to rename', async () => {
    const scope = await createScope();
    const { prisma } = node;
    await prisma.document.create({ scope, collection: 'a', data: {} });
    await prisma.document.create({ scope, collection: 'b', data: {} });
    for (const name of ['a', 'b']) {
      const rename = prisma.collection.rename({ scope, where: { name: 'a' }, data: { name } });
      await expect(rename).rejects.toMatchObject({ code: 'conflict' });
    }
    const missing = await prisma.collection.rename({ scope, where: { name: 'nobody' }, data: { name: 'c' } });
    expect(missing).toMatchObject({ status: 'missing' });
    expect(await logOf(scope.databaseId)).toHaveLength(2);
  });

  it('lets one of 20 through that want the same name at once, from two servers', async () => {
    const scope = await createScope();
    const other = nodes.createNode();
    for (const n of ascending(20)) await node.prisma.document.create({ scope, collection: `c${n}`, data: {} });
    const renames = ascending(20).map((n) =>
      (n % 2 === 0 ? node : other).prisma.collection.rename({
        scope,
        where: { name: `c${n}` },
        data: { name: 'target' },
      }),
    );
    const settled = await Promise.allSettled(renames);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const log = await logOf(scope.databaseId);
    expect(log.map(({ id }) => id)).toEqual(ascending(21));
    expect(log.filter(({ type }) => type === 'rename')).toHaveLength(1);
  });

  it('puts a write of another server to the collection of that name at that moment', async () => {
    const scope = await createScope();
    const other = nodes.createNode();
    await node.prisma.document.create({ scope, collection: 'c', data: {} });
    await other.prisma.document.create({ scope, collection: 'c', data: {} });
    await node.prisma.collection.rename({ scope, where: { name: 'c' }, data: { name: 'd' } });
    // The other server still holds the old name in memory.
    expect(other.catalog.peek(scope.databaseId)?.collections.has('c')).toBe(true);
    await other.prisma.document.create({ scope, collection: 'c', data: {} });
    const log = await logOf(scope.databaseId);
    expect(log.map(({ id }) => id)).toEqual(ascending(4));
    expect(log[3]?.collectionId).not.toBe(log[0]?.collectionId);
  });
});

describe('a drop', () => {
  it('deletes the documents that are left, each with its event, and the collection, in one operation', async () => {
    const scope = await createScope();
    const { prisma, catalog } = node;
    await prisma.document.createMany({ scope, collection: 'c', data: bodies(3) });
    const outcome = await prisma.collection.drop({ scope, where: { name: 'c' } });
    expect(outcome).toMatchObject({ status: 'written', eventId: 7 });
    const log = await logOf(scope.databaseId);
    expect(log.slice(3).map(({ type, collection }) => [type, collection])).toEqual([
      ['delete', 'c'],
      ['delete', 'c'],
      ['delete', 'c'],
      ['drop', 'c'],
    ]);
    expect(new Set(log.slice(3).map(({ operation }) => operation)).size).toBe(1);
    expect(catalog.peek(scope.databaseId)?.collections.has('c')).toBe(false);
    expect(await documentsWithoutCollection()).toBe(0);
    await prisma.document.create({ scope, collection: 'c', data: {} });
    expect((await logOf(scope.databaseId)).at(-1)?.collectionId).not.toBe(log[0]?.collectionId);
    expect(await prisma.collection.drop({ scope, where: { name: 'nobody' } })).toMatchObject({ status: 'missing' });
  });

  it('is refused as a whole when more documents are left than one transaction takes', async () => {
    const scope = await createScope();
    for (let n = 0; n < 2; n += 1)
      await node.prisma.document.createMany({ scope, collection: 'many', data: bodies(5_001) });
    const drop = node.prisma.collection.drop({ scope, where: { name: 'many' } });
    await expect(drop).rejects.toThrow(CollectionTooLargeError);
    expect(await logOf(scope.databaseId)).toHaveLength(10_002);
  });

  it('does nothing to another collection that has the name now', async () => {
    const scope = await createScope();
    const { prisma, catalog } = node;
    await prisma.document.create({ scope, collection: 'c', data: {} });
    const id = catalog.peek(scope.databaseId)?.collections.get('c');
    await prisma.collection.drop({ scope, where: { name: 'c', id } });
    await prisma.document.create({ scope, collection: 'c', data: {} });
    expect(await prisma.collection.drop({ scope, where: { name: 'c', id } })).toMatchObject({ status: 'missing' });
    expect((await logOf(scope.databaseId)).map(({ type }) => type)).toEqual(['post', 'delete', 'drop', 'post']);
  });

  it('loses and orphans nothing under 16 concurrent writers on two servers, and leaves no hole', async () => {
    const scope = await createScope();
    const other = nodes.createNode();
    await node.prisma.document.create({ scope, collection: 'c', data: {} });
    let isOver = false;
    const acknowledged = new Set<string>();
    const writers = ascending(16).map(async (writer) => {
      const { prisma } = writer % 2 === 0 ? node : other;
      for (let n = 0; !isOver; n += 1) {
        const outcome = await prisma.document.create({ scope, collection: 'c', data: { writer, n } });
        const id = outcome.status === 'written' ? outcome.documents[0]?.id : undefined;
        if (id !== undefined) acknowledged.add(id);
        if (n % 4 !== 0 || id === undefined) continue;
        await prisma.document.update({ scope, collection: 'c', where: { id }, data: (d) => ({ ...d, touched: true }) });
      }
    });
    let drops = 0;
    for (let n = 0; n < 12; n += 1) {
      const outcome = await (n % 2 === 0 ? other : node).prisma.collection.drop({ scope, where: { name: 'c' } });
      if (outcome.status === 'written') drops += 1;
    }
    isOver = true;
    await Promise.all(writers);
    expect(drops).toBeGreaterThan(3);
    await expectTableOfLog(scope.databaseId, acknowledged);
    const log = await logOf(scope.databaseId);
    expect(log.filter(({ type }) => type === 'drop')).toHaveLength(drops);
    expect(await documentsWithoutCollection()).toBe(0);
  });

  it('happens once, as a rename does, while connections are cut under it', async () => {
    const scope = await createScope();
    let isOver = false;
    const cutting = (async () => {
      for (let cuts = 0; cuts < 40; cuts += 1) {
        await node.connections.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
        );
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      isOver = true;
    })();
    const acknowledged = new Set<string>();
    let answered = 0;
    const writers = ascending(4).map(async (writer) => {
      for (let n = 0; !isOver; n += 1) {
        const name = `c${writer}-${n}`;
        const outcome = await node.prisma.document.create({ scope, collection: name, data: { n } });
        if (outcome.status === 'written') acknowledged.add(outcome.documents[0]?.id ?? '');
        const rename = await node.prisma.collection.rename({
          scope,
          where: { name },
          data: { name: `d${writer}-${n}` },
        });
        expect(rename).toMatchObject({ status: 'written' });
        const drop = await node.prisma.collection.drop({ scope, where: { name: `d${writer}-${n}` } });
        expect(drop).toMatchObject({ status: 'written' });
        answered += 1;
      }
    });
    await Promise.all([cutting, ...writers]);
    await expectTableOfLog(scope.databaseId, acknowledged);
    const types = (await logOf(scope.databaseId)).map(({ type }) => type);
    for (const type of ['post', 'rename', 'delete', 'drop'])
      expect([type, types.filter((one) => one === type).length]).toEqual([type, answered]);
    const { rows } = await node.connections.pool.query('SELECT name FROM collections WHERE database_id = $1', [
      scope.databaseId,
    ]);
    expect(rows).toEqual([]);
  });
});

/** The log is dense, tells each document's life without contradiction, and ends in exactly the table; every acknowledged document was born in it. */
async function expectTableOfLog(databaseId: number, acknowledged: ReadonlySet<string>): Promise<void> {
  const log = await logOf(databaseId);
  expect(log.map(({ id }) => id)).toEqual(ascending(log.length));
  const alive = new Map<string, number>();
  const born = new Set<string>();
  const wrong: EventRow[] = [];
  for (const event of log) {
    const { type, documentId, collectionId } = event;
    if (documentId === null || collectionId === null) {
      // A collection that is dropped has no document any more, and none comes later.
      if (type === 'drop' && [...alive.values()].includes(collectionId ?? 0)) wrong.push(event);
      continue;
    }
    if ((type === 'post') === alive.has(documentId)) wrong.push(event);
    if (type === 'post') {
      alive.set(documentId, collectionId);
      born.add(documentId);
    } else if (type === 'delete') alive.delete(documentId);
  }
  expect(wrong).toEqual([]);
  expect([...acknowledged].filter((id) => !born.has(id))).toEqual([]);
  const { rows } = await node.connections.pool.query<{ id: string }>(
    'SELECT d.id FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.database_id = $1 ORDER BY d.id',
    [databaseId],
  );
  expect(rows.map(({ id }) => id)).toEqual([...alive.keys()].sort());
}

describe('the door for collections', () => {
  it.each(['update', 'updateMany', 'upsert', 'delete', 'deleteMany'] as const)('throws on collection.%s', (method) => {
    const methods = node.prisma.collection as unknown as Record<string, () => unknown>;
    expect(() => methods[method]?.()).toThrow(UncapturedWriteError);
  });

  it('refuses a rename inside a transaction of somebody else', async () => {
    const scope = await createScope();
    const rename = node.prisma.$transaction(async (tx) => {
      await tx.collection.rename({ scope, where: { name: 'a' }, data: { name: 'b' } });
    });
    await expect(rename).rejects.toThrow(UncapturedWriteError);
  });

  it('is the only one: Postgres refuses other names and ends of collections to every other session, and nothing else', async () => {
    const { prisma } = node.connections;
    const scope = await createScope();
    const { id } = await prisma.collection.create({ data: { databaseId: scope.databaseId, name: 'made' } });
    const refusal = 'renamed and dropped by the commit lane alone';
    await expect(prisma.collection.update({ where: { id }, data: { name: 'x' } })).rejects.toThrow(refusal);
    await expect(prisma.collection.delete({ where: { id } })).rejects.toThrow(refusal);
    await expect(prisma.$executeRaw`TRUNCATE collections CASCADE`).rejects.toThrow(refusal);
    await prisma.collection.update({ where: { id }, data: { schema: { type: 'object' } } });
  });
});
