/** Schemas and the commit lane together, on a real Postgres with two nodes. */
import type { WriteOutcome, WriteScope } from '@tidewire/change-log/document-writes';
import { idOf, type LaneNode, type LaneNodes, openLaneNodes } from '@tidewire/change-log/lane.fixture';
import type { JsonObject } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { eventually } from '@tidewire/testing/eventually';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importDocuments } from '../import/import-documents.js';
import type { ImportRow } from '../import/import-row.js';
import { type CollectionSchemas, createCollectionSchemas } from './collection-schemas.js';
import { compileShape } from './compile-shape.js';
import { createShapeOf } from './shape-of.js';

/** The nodes do not hear of each other's changes: what they know of schemas, they learn under the lock. */
type Node = LaneNode & { schemas: CollectionSchemas };

let nodes: LaneNodes;
let node: Node;
let second: Node;

function createNode(): Node {
  const created = nodes.createNode({ shapeOf: createShapeOf() });
  const { connections, catalog } = created;
  return { ...created, schemas: createCollectionSchemas({ pool: connections.pool, catalog, notify: () => undefined }) };
}

const createScope = () => nodes.createScope();

async function withSchema(
  schema: JsonObject,
): Promise<{ scope: WriteScope; target: { databaseId: number; collection: string } }> {
  const scope = await createScope();
  const target = { databaseId: scope.databaseId, collection: 'thing' };
  await node.schemas.create(target);
  await node.schemas.put(target, { type: 'object', ...schema }, { acceptFailing: false });
  return { scope, target };
}

async function bodiesOf({ databaseId }: { databaseId: number }): Promise<JsonObject[]> {
  const { rows } = await node.connections.pool.query<{ body: string }>(
    `SELECT d.body::text AS body FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.database_id = $1 ORDER BY d.id`,
    [databaseId],
  );
  return rows.map(({ body }) => JSON.parse(body));
}

const ascending = (count: number, from = 1) => Array.from({ length: count }, (_, index) => from + index);
const numbersOf = (bodies: JsonObject[]) => bodies.map(({ no }) => Number(no)).sort((a, b) => a - b);

/** Problems are data here, accidents are not. */
async function settled(write: PromiseLike<WriteOutcome>): Promise<WriteOutcome | Problem> {
  try {
    return await write;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

beforeAll(async () => {
  nodes = await openLaneNodes();
  node = createNode();
  second = createNode();
});

afterAll(() => nodes.close());

describe('numbers of the server', () => {
  const numbered: JsonObject = {
    properties: { no: { fieldType: 'number', autoIncrement: { start: 100, step: 1 } } },
    required: ['no'],
  };

  it('are dense and distinct for 64 writers on two nodes, refused and bulk writes among them', async () => {
    const { scope } = await withSchema({
      ...numbered,
      properties: { ...(numbered.properties as JsonObject), n: { type: 'number' } },
    });
    const writes = ascending(64).map(async (writer) => {
      const { document } = (writer % 2 === 0 ? node : second).prisma;
      for (const round of ascending(4)) {
        const isBad = (writer + round) % 5 === 0;
        const data = { n: isBad ? 'x' : writer, no: 3 };
        if (round === 2)
          await settled(
            document.createMany({ scope, collection: 'thing', data: [{ body: { n: 1 } }, { body: data }] }),
          );
        else await settled(document.create({ scope, collection: 'thing', data }));
      }
    });
    await Promise.all(writes);
    const numbers = numbersOf(await bodiesOf(scope));
    expect(numbers.length).toBeGreaterThan(150);
    expect(numbers).toEqual(ascending(numbers.length, 100));
  });

  it('go on after all connections were closed, and never come back when their documents go', async () => {
    const { scope } = await withSchema(numbered);
    const outcome = await node.prisma.document.create({ scope, collection: 'thing', data: {} });
    await node.prisma.document.delete({ scope, collection: 'thing', where: { id: idOf(outcome) } });
    const third = createNode();
    await third.prisma.document.create({ scope, collection: 'thing', data: {} });
    expect(numbersOf(await bodiesOf(scope))).toEqual([101]);
  });

  it('begin behind the greatest one that is there, and go on when the schema comes back', async () => {
    const scope = await createScope();
    const target = { databaseId: scope.databaseId, collection: 'thing' };
    await node.prisma.document.createMany({
      scope,
      collection: 'thing',
      data: [{ body: { no: 512.5 } }, { body: { no: 'x' } }, { body: { no: 7 } }],
    });
    await node.schemas.put(
      target,
      { type: 'object', properties: { no: { autoIncrement: true } } },
      { acceptFailing: false },
    );
    await node.prisma.document.create({ scope, collection: 'thing', data: {} });
    await node.schemas.remove(target);
    await node.prisma.document.create({ scope, collection: 'thing', data: {} });
    await node.schemas.put(
      target,
      { type: 'object', properties: { no: { autoIncrement: { start: 5, step: 10 } } } },
      { acceptFailing: false },
    );
    await node.prisma.document.create({ scope, collection: 'thing', data: {} });
    expect((await bodiesOf(scope)).map(({ no }) => no)).toEqual([512.5, 'x', 7, 513, undefined, 523]);
  });

  it('are given once for an idempotency key', async () => {
    const { scope } = await withSchema(numbered);
    const answer = { status: 201, text: '{}', eventId: null, etag: null, documentId: null };
    const idempotency = { key: 'k', fingerprint: 'f', answer: () => answer };
    for (const one of [node, second, node])
      await one.prisma.document.create({ scope, collection: 'thing', data: {}, idempotency });
    await node.prisma.document.create({ scope, collection: 'thing', data: {} });
    expect(numbersOf(await bodiesOf(scope))).toEqual([100, 101]);
  });
});

describe('writes to a collection with a schema', () => {
  const schema: JsonObject = {
    properties: { name: { fieldType: 'text' }, n: { fieldType: 'number', default: 1 }, twice: { computed: 'n * 2' } },
    required: ['name'],
  };

  it('are held to it in every form, by a node that has not heard of it', async () => {
    const { scope } = await withSchema(schema);
    const { document } = second.prisma;
    await expect(document.create({ scope, collection: 'thing', data: {} })).rejects.toMatchObject({
      code: 'validation_failed',
      errors: [{ field: '/name', word: 'REQUIRED' }],
    });
    const many = document.createMany({
      scope,
      collection: 'thing',
      data: [
        { body: { name: 'a' }, at: '/0' },
        { body: {}, at: '/1' },
      ],
    });
    await expect(many).rejects.toMatchObject({ errors: [{ field: '/1/name' }] });
    const created = await document.create({ scope, collection: 'thing', data: { name: 'a' } });
    const where = { id: idOf(created) };
    await expect(
      document.update({ scope, collection: 'thing', where, data: (before) => ({ ...before, n: 'x' }) }),
    ).rejects.toMatchObject({ code: 'validation_failed', errors: [{ field: '/n' }, { field: '/twice' }] });
    await expect(document.update({ scope, collection: 'thing', where, data: () => ({}) })).rejects.toMatchObject({
      code: 'validation_failed',
    });
    await document.update({ scope, collection: 'thing', where, data: (before) => ({ ...before, n: 4 }) });
    expect(await bodiesOf(scope)).toEqual([{ name: 'a', n: 4, twice: 8 }]);
  });

  it('name the document among several that fails, and change none of them', async () => {
    const { scope } = await withSchema(schema);
    const ids: string[] = [];
    for (const n of ascending(3))
      ids.push(idOf(await node.prisma.document.create({ scope, collection: 'thing', data: { name: `${n}` } })));
    const selection = {
      limit: 10,
      condition: (collectionId: number) => ({ text: 'd.collection_id = $1', values: [collectionId] }),
    };
    const written = node.prisma.document.updateMany({
      scope,
      collection: 'thing',
      where: selection,
      data: (before) => ({ ...before, name: before.name === '2' ? 7 : 'new' }),
    });
    await expect(written).rejects.toMatchObject({ errors: [{ field: `/${ids[1]}/name` }] });
    expect((await bodiesOf(scope)).map(({ name }) => name)).toEqual(['1', '2', '3']);
  });

  it('give back what was stored, with their events', async () => {
    const { scope } = await withSchema(schema);
    const outcome = await node.prisma.document.create({ scope, collection: 'thing', data: { name: 'a' } });
    expect(outcome).toMatchObject({
      status: 'written',
      documents: [{ body: '{"name":"a","n":1,"twice":2}', fields: { n: 1 } }],
    });
    const { rows } = await node.connections.pool.query<{ after: JsonObject }>(
      'SELECT after FROM events WHERE database_id = $1',
      [scope.databaseId],
    );
    expect(rows).toMatchObject([{ after: { name: 'a', n: 1, twice: 2 } }]);
  });

  it('skip the schema and nothing else when they are not validated', async () => {
    const { scope } = await withSchema(schema);
    await node.prisma.document.create({ scope, collection: 'thing', data: { twice: 9 }, isValidated: false });
    expect(await bodiesOf(scope)).toEqual([{ n: 1, twice: 2 }]);
  });

  it('of an import name each refused row by its line and field', async () => {
    const { scope } = await withSchema(schema);
    const bad: { line: number; reason: string }[] = [];
    async function* rows(): AsyncGenerator<ImportRow> {
      for (const line of ascending(700))
        yield { line, value: line % 100 === 0 ? { n: line } : { name: `${line}`, n: line } };
    }
    const outcome = await importDocuments(rows(), {
      documents: node.prisma.document,
      scope,
      collection: 'thing',
      keepIds: false,
      onBadRow: (row) => bad.push(row),
      onBatch: () => undefined,
    });
    expect(outcome).toMatchObject({ documents: 693, bad: 7 });
    expect(bad.map(({ line }) => line).sort((a, b) => a - b)).toEqual(ascending(7).map((n) => n * 100));
    expect(bad[0]?.reason).toBe('/name: missing field');
    expect((await bodiesOf(scope)).every(({ n, twice }) => twice === Number(n) * 2)).toBe(true);
  });
});

describe('a schema', () => {
  it('is not taken while documents fail it, and the answer lists them', async () => {
    const scope = await createScope();
    const target = { databaseId: scope.databaseId, collection: 'thing' };
    const data = ascending(300).map((n) => ({ body: n % 2 === 0 ? { n } : { n: `${n}` } }));
    await node.prisma.document.createMany({ scope, collection: 'thing', data });
    const schema = { type: 'object', properties: { n: { type: 'number' } } };
    const check = await node.schemas.check(target, schema);
    expect(check).toMatchObject({ checked: 300, failingCount: 150 });
    expect(check.failing).toHaveLength(100);
    expect(check.failing[0]?.errors).toEqual([
      { field: '/n', message: 'the value has another type', allowed: 'number' },
    ]);
    await expect(node.schemas.put(target, schema, { acceptFailing: false })).rejects.toMatchObject({
      code: 'conflict',
      extension: { checked: 300, failingCount: 150 },
    });
    expect((await node.schemas.get(target)).schema).toBeNull();
    await node.schemas.put(target, schema, { acceptFailing: true });
    expect((await node.schemas.get(target)).schema).toEqual(schema);
  });

  it('tells of values that are to be unique and are not, and declares their index', async () => {
    const scope = await createScope();
    const target = { databaseId: scope.databaseId, collection: 'thing' };
    const values = ['a', 'b', 'a', null, null, 'c', 'b', 'a'];
    await node.prisma.document.createMany({
      scope,
      collection: 'thing',
      data: [...values.map((mail) => ({ body: { mail } })), { body: {} }],
    });
    const schema = { type: 'object', properties: { mail: { unique: true } } };
    const check = await node.schemas.check(target, schema);
    expect(check).toMatchObject({ checked: 9, failingCount: 5 });
    expect(check.failing[0]?.errors[0]?.field).toBe('/mail');
    const indexes = () =>
      node.connections.pool.query(
        `SELECT i.name, i.state, i.is_of_schema, i.definition FROM collection_indexes i JOIN collections c ON c.id = i.collection_id WHERE c.database_id = $1`,
        [scope.databaseId],
      );
    await node.schemas.put(target, schema, { acceptFailing: true });
    expect((await indexes()).rows).toEqual([
      {
        name: 'schema_mail',
        state: 'building',
        is_of_schema: true,
        definition: { fields: ['mail'], unique: true, where: null },
      },
    ]);
    await node.schemas.remove(target);
    expect((await indexes()).rows).toMatchObject([{ name: 'schema_mail', state: 'dropping' }]);
    await node.schemas.put(target, schema, { acceptFailing: true });
    expect((await indexes()).rows).toMatchObject([{ name: 'schema_mail', state: 'building' }]);
  });

  it('that comes while 16 writers write on two nodes leaves no document that fails the schema of its time', async () => {
    const scope = await createScope();
    const target = { databaseId: scope.databaseId, collection: 'thing' };
    await node.schemas.create(target);
    const schemas = [
      { type: 'object', properties: { v: { type: 'number' } }, required: ['v'] },
      { type: 'object', properties: { v: { type: 'string' } }, required: ['v'] },
    ];
    let isOver = false;
    const refusals = { validation: 0, written: 0 };
    const writers = ascending(16).map(async (writer) => {
      const { document } = (writer % 2 === 0 ? node : second).prisma;
      for (let n = 0; !isOver; n += 1) {
        const v = n % 2 === 0 ? n : `${n}`;
        const made = await settled(document.create({ scope, collection: 'thing', data: { v } }));
        if (made instanceof Problem) refusals.validation += 1;
        else {
          refusals.written += 1;
          if (n % 3 === 0)
            await settled(
              document.update({ scope, collection: 'thing', where: { id: idOf(made) }, data: () => ({ v: n }) }),
            );
          if (n % 4 === 0) await settled(document.delete({ scope, collection: 'thing', where: { id: idOf(made) } }));
        }
      }
    });
    const taken: number[] = [];
    for (const round of ascending(6)) {
      await node.schemas.put(target, schemas[round % 2] ?? {}, { acceptFailing: true });
      const { rows } = await node.connections.pool.query<{ head: number }>(
        'SELECT head FROM log_heads WHERE database_id = $1',
        [scope.databaseId],
      );
      taken.push(rows[0]?.head ?? 0);
      const written = refusals.written;
      await eventually(() => expect(refusals.written).toBeGreaterThan(written + 30));
    }
    isOver = true;
    await Promise.all(writers);
    expect(refusals.validation).toBeGreaterThan(10);
    // Between two schemas the log holds documents of the first alone, except for what was committed between taking a schema and reading the head.
    const { rows } = await node.connections.pool.query<{ id: number; type: string }>(
      `SELECT id, json_typeof(after -> 'v') AS type FROM events WHERE database_id = $1 AND after IS NOT NULL ORDER BY id`,
      [scope.databaseId],
    );
    for (const [index, from] of taken.entries()) {
      const until = taken[index + 1];
      const expected = index % 2 === 0 ? 'string' : 'number';
      // The next schema came somewhere before its head was read: its own documents end the stretch.
      const stretch = rows
        .filter(({ id }) => id > from && (until === undefined || id <= until))
        .map(({ type }) => type);
      const end = stretch.lastIndexOf(expected) + 1;
      expect(stretch.slice(0, end).every((type) => type === expected)).toBe(true);
      if (until === undefined) expect(end).toBe(stretch.length);
      expect(end).toBeGreaterThan(0);
    }
  });

  it('that is refused for failing documents counts exactly those that are there in that instant, while writers make and mend them', async () => {
    const scope = await createScope();
    const target = { databaseId: scope.databaseId, collection: 'thing' };
    const schema = { type: 'object', properties: { v: { type: 'number' } } };
    const shape = compileShape(schema);
    await node.prisma.document.createMany({
      scope,
      collection: 'thing',
      data: ascending(2_000).map((n) => ({ body: { v: n % 10 === 0 ? 'x' : n } })),
    });
    let isOver = false;
    const writers = ascending(8).map(async () => {
      const { document } = node.prisma;
      for (let n = 0; !isOver; n += 1) {
        const made = await settled(
          document.create({ scope, collection: 'thing', data: { v: n % 2 === 0 ? 'bad' : n } }),
        );
        if (made instanceof Problem) continue;
        const where = { id: idOf(made) };
        if (n % 3 === 0) await document.update({ scope, collection: 'thing', where, data: () => ({ v: 1 }) });
        if (n % 5 === 0) await document.delete({ scope, collection: 'thing', where });
      }
    });
    const problems = await Promise.all(
      ascending(2).map(() =>
        node.schemas.put(target, schema, { acceptFailing: false }).catch((error: unknown) => error),
      ),
    );
    for (const problem of problems) expect(problem).toMatchObject({ code: 'conflict' });
    // Accepted now, in one instant: from then on nobody adds to those that fail, so the count is that of the head in the log.
    const check = await node.schemas.put(target, schema, { acceptFailing: true });
    isOver = true;
    await Promise.all(writers);
    const { rows } = await node.connections.pool.query<{ id: string; before: string | null; after: string | null }>(
      'SELECT document_id AS id, before::text AS before, after::text AS after FROM events WHERE database_id = $1 ORDER BY events.id',
      [scope.databaseId],
    );
    const counts = new Set<string>();
    const state = new Map<string, boolean>();
    for (const { id, after } of rows) {
      if (after === null) state.delete(id);
      else state.set(id, shape.check(JSON.parse(after)).length > 0);
      if (state.size === check.checked) counts.add([...state.values()].filter(Boolean).length.toString());
    }
    expect(counts).toContain(String(check.failingCount));
  });

  it('counts the failing documents right in the end, and takes the schema once they are mended', async () => {
    const scope = await createScope();
    const target = { databaseId: scope.databaseId, collection: 'thing' };
    await node.prisma.document.createMany({
      scope,
      collection: 'thing',
      data: ascending(50).map((v) => ({ body: { v: `${v}` } })),
    });
    const schema = { type: 'object', properties: { v: { type: 'number' } } };
    await expect(node.schemas.put(target, schema, { acceptFailing: false })).rejects.toMatchObject({
      extension: { failingCount: 50 },
    });
    const condition = (collectionId: number) => ({ text: 'd.collection_id = $1', values: [collectionId] });
    await node.prisma.document.updateMany({
      scope,
      collection: 'thing',
      where: { condition, limit: 100 },
      data: ({ v }) => ({ v: Number(v) }),
    });
    expect(await node.schemas.put(target, schema, { acceptFailing: false })).toEqual({
      checked: 50,
      failingCount: 0,
      failing: [],
    });
  });
});
