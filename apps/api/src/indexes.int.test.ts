/** Declared indexes over HTTP: how an admin makes and drops them, and that unique ones hold whoever writes. */
import { createIndexBuilder, type IndexBuilder } from '@tidewire/collections/indexes/index-builder';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { indexAnswerSchema, indexLimits } from '@tidewire/protocol/collection-schema';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

let address: PostgresAddress;
let api: TestApi;
let second: TestApi;
let builder: IndexBuilder;
let cookie: string;
let key: string;

beforeAll(async () => {
  ({ address } = await createTestDatabase());
  api = await startTestApi(address);
  second = await startTestApi(address);
  const { pool, maintenancePool } = api.connections;
  builder = createIndexBuilder({
    pool,
    maintenancePool,
    notify: () => undefined,
    onError: () => undefined,
    intervalMs: 1e8,
  });
  const made = await fetch(`${api.url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: api.setupToken, email: 'ada@example.org', password: 'correct horse battery' }),
  });
  cookie = made.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  ({ key } = await api.createKey({ rest: ['*:*'] }));
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await builder.close();
  await Promise.all([api.close(), second.close()]);
});

async function answerOf(response: Response) {
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

async function admin(path: string, method = 'GET', body?: unknown) {
  const response = await fetch(`${api.url}/api/databases/default/collections/${path}`, {
    method,
    headers: { cookie, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return answerOf(response);
}

async function rest(path: string, method = 'GET', body?: unknown, server: TestApi = api) {
  const response = await fetch(`${server.url}/rest/${path}`, {
    method,
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return answerOf(response);
}

/** A collection with one document and, ready, the index. */
async function collectionWith(name: string, index: object, document: object = {}) {
  await rest(name, 'POST', document);
  const declared = await admin(`${name}/indexes`, 'POST', index);
  expect(declared).toMatchObject({ status: 202, body: { state: 'building' } });
  await builder.run();
  expect(await admin(`${name}/indexes/${declared.body.name}`)).toMatchObject({ status: 200, body: { state: 'ready' } });
}

async function eventsOf(collection: string): Promise<number> {
  const { rows } = await api.connections.pool.query('SELECT count(*) AS count FROM events WHERE collection = $1', [
    collection,
  ]);
  return Number(rows[0]?.count);
}

describe('for an admin', () => {
  it('an index is declared, listed, looked at and dropped', async () => {
    await collectionWith('company', { fields: ['name', 'city.zip'], where: { on: true } });
    const { body } = await admin('company/indexes');
    expect(body.data.map((index: unknown) => indexAnswerSchema.parse(index))).toMatchObject([
      {
        name: 'name_city.zip_where',
        definition: { fields: ['name', 'city.zip'], unique: false, where: { on: true } },
        isOfSchema: false,
        error: null,
      },
    ]);
    expect(body.data[0].sizeBytes).toBeGreaterThan(0);
    expect(await admin('company/indexes/name_city.zip_where', 'DELETE')).toMatchObject({
      status: 202,
      body: { state: 'dropping' },
    });
    await builder.run();
    expect(await admin('company/indexes')).toEqual({ status: 200, body: { data: [] } });
    expect((await admin('company/indexes/name_city.zip_where')).status).toBe(404);
    expect((await admin('company/indexes/name_city.zip_where', 'DELETE')).status).toBe(404);
  });

  it('a declared index is used by reads, and the answers are the same', async () => {
    await rest(
      'used',
      'POST',
      Array.from({ length: 300 }, (_, n) => ({ n, tags: n % 50 === 0 ? [n, -n] : n, text: `word${n}` })),
    );
    const asked = [
      'used?q={"n":{"$gt":290}}',
      'used?sort=tags&dir=-1&max=5',
      'used?sort=tags&max=5&skip=3',
      'used?filter=WORD7',
      'used?q={"tags":-50}&totals=true',
    ];
    const before = await Promise.all(asked.map((path) => rest(path)));
    for (const index of [{ fields: ['n'] }, { fields: ['tags'] }, { text: [] }])
      await admin('used/indexes', 'POST', index);
    await builder.run();
    expect(await Promise.all(asked.map((path) => rest(path)))).toEqual(before);
  });

  it.each<[string, unknown, number, string]>([
    ['nothing', {}, 422, 'either fields or text'],
    ['both', { fields: ['a'], text: [] }, 422, 'either fields or text'],
    ['no field', { fields: [] }, 422, '/fields'],
    ['five fields', { fields: ['a', 'b', 'c', 'd', 'e'] }, 422, '/fields'],
    ['a field twice', { fields: ['a', 'a'] }, 422, '/fields/1'],
    ['a field of the server', { fields: ['_created'] }, 422, '/fields/0'],
    ['an index into a list', { fields: ['a.0'] }, 422, '/fields/0'],
    ['a field with a quote', { fields: ["a'b"] }, 422, '/fields/0'],
    ['an unknown member', { fields: ['a'], uniq: true }, 422, 'uniq'],
    ['a wrong type', { fields: ['a'], unique: 'yes' }, 422, '/unique'],
    ['a name with a space', { fields: ['a'], name: 'a b' }, 422, '/name'],
    ['an unknown operator', { fields: ['a'], where: { a: { $near: 1 } } }, 422, '/where'],
    ['a condition on time', { fields: ['a'], where: { a: { $gt: { $currentDate: true } } } }, 422, '/where'],
    ['a condition on words', { fields: ['a'], where: { $text: { $search: 'x' } } }, 422, '/where'],
    ['a condition on the server', { fields: ['a'], where: { _version: 1 } }, 422, '/where'],
    ['words of some fields', { text: ['a'] }, 422, '/text'],
    ['words that are unique', { text: [], unique: true }, 422, '/unique'],
    ['a list', [], 422, ''],
  ])('an index on %s is refused with its place', async (_name, index, status, place) => {
    await rest('refused', 'POST', {});
    const answer = await admin('refused/indexes', 'POST', index);
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer.body)).toContain(place);
    expect(await admin('refused/indexes')).toEqual({ status: 200, body: { data: [] } });
  });

  it('a collection that is not there, a name or a definition that is taken, and one index too many are refused', async () => {
    expect((await admin('nobody/indexes', 'POST', { fields: ['a'] })).status).toBe(404);
    expect((await admin('nobody/indexes')).status).toBe(404);
    await rest('full', 'POST', {});
    expect((await admin('full/indexes', 'POST', { fields: ['a'], name: 'first' })).status).toBe(202);
    expect((await admin('full/indexes', 'POST', { fields: ['b'], name: 'first' })).status).toBe(409);
    expect(await admin('full/indexes', 'POST', { fields: ['a'], name: 'other', where: {} })).toMatchObject({
      status: 409,
      body: { detail: 'The index first covers the same.' },
    });
    const more = await Promise.all(
      Array.from({ length: 20 }, (_, n) => admin('full/indexes', 'POST', { fields: [`f${n}`] })),
    );
    expect(more.filter(({ status }) => status === 202)).toHaveLength(indexLimits.collection - 1);
    expect(more.filter(({ status }) => status === 409)).toHaveLength(21 - indexLimits.collection);
  });
});

describe('a unique field', () => {
  it('is written once by 64 writers who write it at once, over two servers, with one event; the others are told which field and value', async () => {
    await collectionWith('users', { fields: ['email'], unique: true });
    const before = await eventsOf('users');
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) =>
        rest('users', 'POST', { email: 'ada@example.org', n }, n % 2 === 0 ? api : second),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status === 409);
    expect(refused).toHaveLength(63);
    for (const { body } of refused) {
      expect(body).toMatchObject({
        code: 'conflict',
        detail: 'Another document of users has the same email: "ada@example.org".',
        errors: [{ field: '/email', message: 'another document has this value' }],
      });
    }
    expect(await eventsOf('users')).toBe(before + 1);
    expect((await rest('users?q={"email":"ada@example.org"}')).body).toHaveLength(1);
  });

  it('does no harm to those who write other values at the same time', async () => {
    await collectionWith('mixed', { fields: ['email'], unique: true });
    const answers = await Promise.all(
      Array.from({ length: 64 }, (_, n) => rest('mixed', 'POST', { email: n % 4 === 0 ? 'same' : `other${n}` })),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(49);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(15);
  });

  it('holds for changes, and a value that is given up can be taken', async () => {
    await collectionWith('patched', { fields: ['email'], unique: true });
    const made = await rest(
      'patched',
      'POST',
      Array.from({ length: 32 }, (_, n) => ({ email: n })),
    );
    const ids: string[] = made.body.map(({ _id }: { _id: string }) => _id);
    const answers = await Promise.all(
      ids.map((id, n) => rest(`patched/${id}`, 'PATCH', { email: 'wanted' }, n % 2 === 0 ? api : second)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(31);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect((await rest(`patched/${ids[winner]}`, 'DELETE')).status).toBe(200);
    expect((await rest('patched', 'POST', { email: 'wanted' })).status).toBe(201);
  });

  it('refuses an array, or a change of many, as a whole', async () => {
    await collectionWith('bulk', { fields: ['n'], unique: true }, { n: 1 });
    const before = await eventsOf('bulk');
    expect((await rest('bulk', 'POST', [{ n: 2 }, { n: 3 }, { n: 1 }])).status).toBe(409);
    expect((await rest('bulk', 'POST', [{ n: 2 }, { n: 2 }])).status).toBe(409);
    expect(await eventsOf('bulk')).toBe(before);
    expect((await rest('bulk', 'POST', [{ n: 2 }, { n: 3 }])).status).toBe(201);
    expect(await rest('bulk/*?q={"n":{"$gt":0}}', 'PATCH', { n: 7 })).toMatchObject({
      status: 409,
      body: { detail: 'Another document of bulk has the same n: 7.' },
    });
    expect((await rest('bulk?sort=n')).body.map(({ n }: { n: number }) => n)).toEqual([1, 2, 3]);
  });

  it('refuses rows of an import by their line', async () => {
    await collectionWith('imported', { fields: ['a', 'b'], unique: true }, { a: 1, b: 1 });
    const rows = [{ a: 1, b: 2 }, { a: 1, b: 1 }, { a: 2, b: 1 }, { a: 1 }, { a: 1 }, { a: 2, b: 1 }];
    const answer = await fetch(`${api.url}/rest/imported/import`, {
      method: 'POST',
      headers: { 'x-apikey': key, 'content-type': 'application/x-ndjson' },
      body: rows.map((row) => JSON.stringify(row)).join('\n'),
    });
    const text = await answer.text();
    expect(text).toContain('Another document of imported has the same a, b.');
    expect((await rest('imported?totals=true')).body.totals.total).toBe(5);
    expect(text).toMatch(/"line":2\b/);
  });

  it('lets null and missing values stand side by side', async () => {
    await collectionWith('nulls', { fields: ['email'], unique: true });
    for (const document of [{}, {}, { email: null }, { email: null }])
      expect((await rest('nulls', 'POST', document)).status).toBe(201);
  });

  it('with a condition holds among the documents that the condition is true for', async () => {
    await collectionWith('partly', { fields: ['name'], unique: true, where: { deleted: { $ne: true } } });
    expect((await rest('partly', 'POST', { name: 'a', deleted: true })).status).toBe(201);
    expect((await rest('partly', 'POST', { name: 'a', deleted: true })).status).toBe(201);
    expect((await rest('partly', 'POST', { name: 'a' })).status).toBe(201);
    expect((await rest('partly', 'POST', { name: 'a' })).status).toBe(409);
    expect((await rest('partly/*?q={"deleted":true}', 'PATCH', { deleted: false })).status).toBe(409);
  });
});
