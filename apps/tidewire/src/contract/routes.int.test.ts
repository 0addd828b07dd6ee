/** restdb.io's contract, the table of its routes: one test for each row, in the table's order. `docs/restdb.md` is the same for readers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ContractServer, type Document, startContractServer } from './contract.fixture.js';

let server: ContractServer;
const call: ContractServer['call'] = (...given) => server.call(...given);
const create: ContractServer['create'] = (...given) => server.create(...given);

beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.close());

const metafields = {
  _id: expect.stringMatching(/^[0-9a-f]{24}$/),
  _created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  _changed: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  _createdby: 'api',
  _changedby: 'api',
  _version: 0,
};

describe('the routes', () => {
  test('GET /rest/C lists the first 1,000 documents in the order of _id', async () => {
    const made = await create(
      'paged',
      Array.from({ length: 1_001 }, (_, n) => ({ n })),
    );
    const { status, body } = await call('/rest/paged');
    expect(status).toBe(200);
    const ids = made.map(({ _id }) => _id).sort();
    expect((body as Document[]).map(({ _id }) => _id)).toEqual(ids.slice(0, 1_000));
  });

  test('GET /rest/C/ID gives one document', async () => {
    const { _id } = await create('one', { name: 'Ada' });
    expect(await call(`/rest/one/${_id}`)).toMatchObject({ status: 200, body: { _id, name: 'Ada' } });
  });

  test('POST /rest/C with an object creates it: 201, and the whole document with all metafields', async () => {
    const { status, body } = await call('/rest/made', { method: 'POST', body: { name: 'Ada Lovelace', age: 36 } });
    expect(status).toBe(201);
    const words = { _keywords: ['ada', 'lovelace'], _tags: 'ada lovelace' };
    expect(body).toEqual({ ...metafields, ...words, name: 'Ada Lovelace', age: 36 });
  });

  test('POST /rest/C with an array creates each, also with ?validate=false', async () => {
    for (const [path, names] of [
      ['/rest/bulk', ['a', 'b']],
      ['/rest/bulk?validate=false', ['c', 'd']],
    ] as const) {
      const { status, body } = await call(path, { method: 'POST', body: names.map((name) => ({ name })) });
      expect([status, (body as Document[]).map(({ name, _version }) => [name, _version])]).toEqual([
        201,
        names.map((name) => [name, 0]),
      ]);
    }
    expect((await call('/rest/bulk')).body).toHaveLength(4);
  });

  test('PUT /rest/C/ID merges what is sent: the whole document with metafields, and one more _version', async () => {
    const { _id } = await create('put', { a: 1, b: 2 });
    const { status, body } = await call(`/rest/put/${_id}`, { method: 'PUT', body: { b: 3 } });
    expect([status, body]).toEqual([200, expect.objectContaining({ ...metafields, _id, a: 1, b: 3, _version: 1 })]);
  });

  test('PATCH /rest/C/ID changes one or more properties', async () => {
    const { _id } = await create('patch', { a: 1, b: 2 });
    const { status, body } = await call(`/rest/patch/${_id}`, { method: 'PATCH', body: { b: 3 } });
    expect([status, body]).toEqual([200, expect.objectContaining({ ...metafields, _id, a: 1, b: 3, _version: 1 })]);
  });

  test('DELETE /rest/C/ID answers {"result":["<id>"]}', async () => {
    const { _id } = await create('gone', { a: 1 });
    expect(await call(`/rest/gone/${_id}`, { method: 'DELETE' })).toMatchObject({
      status: 200,
      body: { result: [_id] },
    });
    expect((await call(`/rest/gone/${_id}`)).status).toBe(404);
  });

  test('DELETE /rest/C/* with an array of ids deletes those', async () => {
    const [first, second, third] = (await create('ids', [{}, {}, {}])).map(({ _id }) => _id);
    const { status, body } = await call('/rest/ids/*', { method: 'DELETE', body: [first, third] });
    expect([status, body]).toEqual([200, { result: [first, third] }]);
    expect((await call('/rest/ids')).body).toMatchObject([{ _id: second }]);
  });

  test('DELETE /rest/C/*?q={…} deletes what the query is true for, never everything by an empty one, and only with the right', async () => {
    await create('query', [{ n: 1 }, { n: 2 }, { n: 3 }]);
    const byQuery = (q: object, key = server.key) =>
      call(`/rest/query/*?q=${encodeURIComponent(JSON.stringify(q))}`, { method: 'DELETE', key });
    const reader = await server.createKey({ rest: ['GET:*', 'POST:*', 'PUT:*', 'PATCH:*'] });
    expect((await byQuery({ n: { $gt: 1 } }, reader)).status).toBe(403);
    expect((await byQuery({})).status).toBe(400);
    const { status, body } = await byQuery({ n: { $gt: 1 } });
    expect([status, (body as { result: string[] }).result.length]).toEqual([200, 2]);
    expect((await call('/rest/query')).body).toMatchObject([{ n: 1 }]);
  });

  test.each([
    ['PUT', 200],
    ['PATCH', 200],
    ['DELETE', 200],
  ])('POST with X-HTTP-Method-Override: %s is that method', async (method, status) => {
    const { _id } = await create('override', { a: 1 });
    const answer = await call(`/rest/override/${_id}`, {
      method: 'POST',
      headers: { 'x-http-method-override': method },
      ...(method === 'DELETE' ? {} : { body: { a: 2 } }),
    });
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject(method === 'DELETE' ? { result: [_id] } : { _id, a: 2, _version: 1 });
  });

  test.each(['/rest/_jsapi.js', '/rest/_jsapi.js?plainjs=true'])(
    'GET %s is a script for the collections of the key, which needs no other',
    async (path) => {
      await create('system_jobs', {});
      const { status, headers, body } = await call(path);
      expect([status, headers.get('content-type'), headers.get('x-content-type-options')]).toEqual([
        200,
        'text/javascript; charset=utf-8',
        'nosniff',
      ]);
      expect(body).toContain('{"name":"system_jobs","property":"systemjobs"}');
      expect(body).not.toMatch(/https?:\/\/|jQuery|\$\.ajax/);
      const narrow = await call(path, { key: await server.createKey({ rest: ['GET:made'], listen: ['POST:later'] }) });
      expect(narrow.body).toContain(
        '"collections":[{"name":"later","property":"later"},{"name":"made","property":"made"}],"isOpen":false',
      );
      expect(narrow.headers.get('cache-control')).toBe('private, no-cache');
      const headersOfCache = { 'if-none-match': headers.get('etag') ?? '' };
      expect((await call(path, { headers: headersOfCache })).status).toBe(304);
      expect((await call(path, { key: 'wrong' })).status).toBe(401);
      expect((await call(path, { key: null })).body).toContain('"collections":[],"isOpen":true');
    },
  );

  test('GET /rest/_jsapi.doc is a page about that script, without any script of its own', async () => {
    await create('made', {});
    const { status, headers, body } = await call('/rest/_jsapi.doc');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(body).toContain(`&#60;script src=&#34;${server.url}/rest/_jsapi.js`);
    expect(body).toContain('new db.made(');
    expect(body).not.toMatch(/<script|<link|<img|\son\w+=/);
  });

  test('GET /rest/_swagger.json is the description of the API, of the collections of the key, and /docs shows it', async () => {
    for (const key of [server.key, null]) {
      const [theirs, ours] = [await call('/rest/_swagger.json', { key }), await call('/openapi.json', { key })];
      expect([theirs.status, theirs.body]).toEqual([200, ours.body]);
    }
    expect((await call('/docs', { key: null })).headers.get('content-type')).toContain('text/html');
  });

  test('GET /realtime is an event stream, POST /realtime publishes', async () => {
    const stop = new AbortController();
    const response = await fetch(`${server.url}/realtime?apikey=${server.key}`, { signal: stop.signal });
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    stop.abort();
    const published = await call('/realtime', { method: 'POST', body: { event: 'GOAL', data: { by: 'Ada' } } });
    expect([published.status, published.body]).toEqual([200, { message: 'OK' }]);
  });

  test.each(['/media', '/mail', '/appdeploy/site'])('%s is not offered: 404 with a problem', async (path) => {
    const { status, body } = await call(path, { method: 'POST', body: {} });
    expect([status, body]).toEqual([404, expect.objectContaining({ code: 'not_found', message: expect.any(String) })]);
  });
});

describe('a document', () => {
  test('has an _id of 24 hex digits', async () => {
    expect((await create('shape', {}))._id).toMatch(/^[0-9a-f]{24}$/);
    expect((await call('/rest/shape/577cf185e2039b0900000016')).status).toBe(404);
    expect((await call('/rest/shape/577cf185')).status).toBe(400);
  });

  test('starts with _version 0 and has 1 after the first PUT', async () => {
    const { _id, _version } = await create('shape', { a: 1 });
    const { body } = await call(`/rest/shape/${_id}`, { method: 'PUT', body: { a: 2 } });
    expect([_version, (body as Document)._version]).toEqual([0, 1]);
  });

  test('names "api" in _createdby and _changedby when it was written with a key', async () => {
    expect(await create('shape', {})).toMatchObject({ _createdby: 'api', _changedby: 'api' });
  });

  test('is read without metafields: _id and its own fields alone', async () => {
    const { _id } = await create('shape', { b: 1, a: 2 });
    const { body } = await call(`/rest/shape/${_id}`);
    expect(JSON.stringify(body)).toBe(JSON.stringify({ _id, b: 1, a: 2 }));
  });

  test.each<[string, object, object]>([
    ['$inc', { $inc: { n: -2 } }, { n: 3 }],
    ['$push', { $push: { list: 'c' } }, { list: ['a', 'b', 'c'] }],
    ['$pull', { $pull: { list: 'a' } }, { list: ['b'] }],
  ])('takes the operator %s in the body of a PUT and of a PATCH', async (_name, body, expected) => {
    for (const method of ['PUT', 'PATCH']) {
      const { _id } = await create('operators', { n: 5, list: ['a', 'b'] });
      expect(await call(`/rest/operators/${_id}`, { method, body })).toMatchObject({ status: 200, body: expected });
    }
  });

  test('was made and changed in all of this without an accident', () => expect(server.accidents).toEqual([]));
});
