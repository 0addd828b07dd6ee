import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Answer = { status: number; headers: Headers; body: unknown };
type Init = { method?: string; body?: unknown; headers?: Record<string, string>; key?: string | null };

let api: TestApi;
let fullKey: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  fullKey = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(() => api.close());

async function call(path: string, { method = 'GET', body, headers = {}, key = fullKey }: Init = {}): Promise<Answer> {
  const response = await fetch(api.url + path, {
    method,
    headers: {
      ...(key === null ? {} : { 'x-apikey': key }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

async function create(
  collection: string,
  fields: Record<string, unknown>,
): Promise<{ _id: string } & Record<string, unknown>> {
  const { status, body } = await call(`/rest/${collection}`, { method: 'POST', body: fields });
  expect(status).toBe(201);
  return body as { _id: string };
}

async function headOfLog(): Promise<number> {
  const { rows } = await api.connections.pool.query<{ head: number }>(
    'SELECT head FROM log_heads WHERE database_id = $1',
    [api.databaseId],
  );
  return rows[0]?.head ?? -1;
}

describe('writing', () => {
  it('answers a POST with 201, the whole document with every metafield, and the id of its event', async () => {
    const { status, headers, body } = await call('/rest/company', {
      method: 'POST',
      body: { name: 'Ada & Sons', city: 'London', n: 1 },
    });
    expect(status).toBe(201);
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(headers.get('x-event-id')).toBe(String(await headOfLog()));
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-powered-by')).toBeNull();
    expect(body).toEqual({
      _id: expect.stringMatching(/^[0-9a-f]{24}$/),
      name: 'Ada & Sons',
      city: 'London',
      n: 1,
      _created: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      _changed: expect.any(String),
      _createdby: 'api',
      _changedby: 'api',
      _version: 0,
      _keywords: ['ada', 'sons', 'london'],
      _tags: 'ada sons london',
    });
    expect(Object.keys(body as object)[0]).toBe('_id');
  });

  it('merges the fields of a PUT and of a PATCH into the document and raises its version', async () => {
    const { _id } = await create('merged', { a: 1, b: { x: 1, y: 2 } });
    const put = await call(`/rest/merged/${_id}`, { method: 'PUT', body: { b: { z: 3 } } });
    expect(put).toMatchObject({ status: 200, body: { _id, a: 1, b: { z: 3 }, _version: 1 } });
    expect((put.body as { b: unknown }).b).toEqual({ z: 3 });
    const patch = await call(`/rest/merged/${_id}`, { method: 'PATCH', body: { c: null } });
    expect(patch).toMatchObject({ status: 200, body: { _id, a: 1, b: { z: 3 }, c: null, _version: 2 } });
    expect(patch.headers.get('x-event-id')).toBe(String(await headOfLog()));
  });

  it('takes back in a PUT what a client read before, and lets none of it change the server’s own fields', async () => {
    const document = await create('readback', { a: 1 });
    const changed = { ...document, a: 2, _version: 99, _createdby: 'mallory', _created: '1999-01-01T00:00:00.000Z' };
    const { status, body } = await call(`/rest/readback/${document._id}`, { method: 'PUT', body: changed });
    expect(status).toBe(200);
    expect(body).toMatchObject({ a: 2, _version: 1, _createdby: 'api', _created: document._created });
  });

  it('creates all documents of an array, in order, each with its event, or none', async () => {
    const before = await headOfLog();
    const good = await call('/rest/bulk', { method: 'POST', body: [{ n: 1 }, { n: 2 }, { n: 3 }] });
    expect(good.status).toBe(201);
    expect(good.body).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3 }]);
    expect(good.headers.get('x-event-id')).toBe(String(before + 3));
    const bad = await call('/rest/bulk', {
      method: 'POST',
      body: [{ n: 4 }, { n: 5, _id: '577cf185e2039b0900000016' }],
    });
    expect(bad).toMatchObject({ status: 422, body: { errors: [{ field: '/1/_id' }] } });
    expect((await call('/rest/bulk')).body).toHaveLength(3);
    expect(await headOfLog()).toBe(before + 3);
  });

  it('deletes one document, and answers its id', async () => {
    const { _id } = await create('doomed', { a: 1 });
    const deleted = await call(`/rest/doomed/${_id}`, { method: 'DELETE' });
    expect(deleted).toMatchObject({ status: 200, body: { result: [_id] } });
    expect(deleted.headers.get('x-event-id')).toBe(String(await headOfLog()));
    expect((await call(`/rest/doomed/${_id}`)).status).toBe(404);
    expect((await call(`/rest/doomed/${_id}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('deletes those of a list of ids that exist, each once', async () => {
    const ids = [(await create('many', { n: 1 }))._id, (await create('many', { n: 2 }))._id];
    const stays = (await create('many', { n: 3 }))._id;
    const body = [...ids, ids[0], 'ffffffffffffffffffffffff'];
    expect(await call('/rest/many/*', { method: 'DELETE', body })).toMatchObject({
      status: 200,
      body: { result: ids },
    });
    expect(await call('/rest/many/*', { method: 'DELETE', body })).toMatchObject({ status: 200, body: { result: [] } });
    expect((await call('/rest/many')).body).toMatchObject([{ _id: stays }]);
  });

  it('reads the verb from X-HTTP-Method-Override, and asks for the grant of that verb', async () => {
    const { _id } = await create('override', { a: 1 });
    const post = { method: 'POST', body: { a: 2 }, headers: { 'x-http-method-override': 'PATCH' } };
    expect(await call(`/rest/override/${_id}`, post)).toMatchObject({ status: 200, body: { a: 2 } });
    const { key } = await api.createKey({ rest: ['POST:override'] });
    expect((await call(`/rest/override/${_id}`, { ...post, key })).status).toBe(403);
    expect(
      (await call(`/rest/override/${_id}`, { ...post, headers: { 'x-http-method-override': 'TRACE' } })).status,
    ).toBe(400);
  });
});

describe('reading', () => {
  it('gives one document without metafields, or with them when asked', async () => {
    const whole = await create('one', { name: 'Grace', tags: ['Navy', 'COBOL'] });
    const plain = await call(`/rest/one/${whole._id}`);
    expect(plain.body).toEqual({ _id: whole._id, name: 'Grace', tags: ['Navy', 'COBOL'] });
    expect((await call(`/rest/one/${whole._id}?metafields=true`)).body).toEqual(whole);
  });

  it('lists in the order of _id, in pages, with totals when asked', async () => {
    const made: string[] = [];
    for (let n = 0; n < 5; n += 1) made.push((await create('paged', { n }))._id);
    const ids = (body: unknown) => (body as { _id: string }[]).map(({ _id }) => _id);
    expect(ids((await call('/rest/paged')).body)).toEqual(made.toSorted());
    expect(ids((await call('/rest/paged?max=2&skip=1')).body)).toEqual(made.toSorted().slice(1, 3));
    const { headers, body } = await call('/rest/paged?totals=true&max=2&skip=4&metafields=true');
    expect(body).toMatchObject({
      data: [{ _id: made.toSorted()[4], _version: 0 }],
      totals: { total: 5, count: 1, skip: 4, max: 2 },
    });
    expect(JSON.parse(headers.get('x-pagination') ?? '')).toEqual({ total: 5, count: 1, skip: 4, max: 2 });
  });

  it('gives values back as they were sent: order of keys, empty and nested values, numbers, any letters', async () => {
    const fields = {
      z: 1,
      a: '',
      'ä/~"\\': '😀\u2028',
      n: [0.1, -1e-7, 1e21, 9007199254740992],
      deep: { a: [[], {}, null, true] },
    };
    const { _id } = await create('fidelity', fields);
    const response = await fetch(`${api.url}/rest/fidelity/${_id}`, { headers: { 'x-apikey': fullKey } });
    expect(await response.text()).toBe(JSON.stringify({ _id, ...fields }));
  });

  it('lists an unknown collection as empty as long as a write would create it, else answers 404', async () => {
    expect(await call('/rest/nobody')).toMatchObject({ status: 200, body: [] });
    await api.settings.patch(api.databaseId, { collections: { createOnWrite: false } });
    try {
      expect((await call('/rest/nobody')).status).toBe(404);
      expect((await call('/rest/nobody', { method: 'POST', body: {} })).status).toBe(404);
      expect((await call('/rest/nobody', { method: 'POST', body: [{}] })).status).toBe(404);
    } finally {
      await api.settings.patch(api.databaseId, { collections: { createOnWrite: true } });
    }
  });

  it('answers HEAD as GET, without a body', async () => {
    const { _id } = await create('head', { a: 1 });
    const response = await fetch(`${api.url}/rest/head/${_id}`, { method: 'HEAD', headers: { 'x-apikey': fullKey } });
    expect(response.status).toBe(200);
    expect(Number(response.headers.get('content-length'))).toBe(JSON.stringify({ _id, a: 1 }).length);
  });

  it.each([
    ['/rest/one?maxx=1', 'maxx'],
    ['/rest/one?max=-1', 'max'],
    ['/rest/one?max=1e3', 'max'],
    ['/rest/one?max=10001', 'max'],
    ['/rest/one?max=1&max=2', 'max'],
    ['/rest/one?skip=1.5', 'skip'],
    ['/rest/one?totals=yes', 'totals'],
    ['/rest/one?__proto__=1', '__proto__'],
    ['/rest/one/577cf185e2039b0900000016?max=1', 'max'],
  ])('answers %s with 400 that names the parameter and what is allowed', async (path, field) => {
    expect(await call(path)).toMatchObject({
      status: 400,
      body: { code: 'bad_request', errors: [{ field, allowed: expect.any(String) }] },
    });
  });
});

describe('who may', () => {
  it('takes the key from the header, as a bearer token, or from the query', async () => {
    expect((await call('/rest/one')).status).toBe(200);
    expect((await call('/rest/one', { key: null, headers: { authorization: `Bearer ${fullKey}` } })).status).toBe(200);
    expect((await call(`/rest/one?apikey=${fullKey}`, { key: null })).status).toBe(200);
    expect((await call(`/rest/one?token=${fullKey}`)).status).toBe(200);
  });

  it('answers two different keys in one request with 400', async () => {
    const other = (await api.createKey()).key;
    expect((await call(`/rest/one?apikey=${other}`)).status).toBe(400);
    expect((await call('/rest/one', { headers: { authorization: `Bearer ${other}` } })).status).toBe(400);
    expect((await call('/rest/one', { headers: { 'x-apikey': `${fullKey}, ${other}` }, key: null })).status).toBe(400);
  });

  it('answers unknown, mistyped, mixed and revoked keys with the same 401', async () => {
    const { id, key } = await api.createKey({ rest: ['*:*'] });
    const other = await api.createKey({ rest: ['*:*'] });
    expect((await call('/rest/one', { key })).status).toBe(200);
    await api.apiKeys.revoke(api.databaseId, id);
    const bodies: unknown[] = [];
    for (const wrong of [key, `${key}x`, key.slice(0, -1), 'tw_', 'x', `tw_${id}_${other.key.slice(16)}`]) {
      const { status, headers, body } = await call('/rest/one', { key: wrong });
      expect(status).toBe(401);
      expect(headers.get('www-authenticate')).toContain('Bearer');
      bodies.push({ ...(body as object), requestId: undefined });
    }
    for (const body of bodies) expect(body).toEqual(bodies[0]);
    expect((await call('/rest/one', { key: null })).status).toBe(401);
  });

  it('asks for the grant of each method, and says which is missing', async () => {
    const { key } = await api.createKey({ rest: ['GET:granted', 'POST:granted'] });
    expect((await call('/rest/granted', { key, method: 'POST', body: {} })).status).toBe(201);
    expect((await call('/rest/granted', { key })).status).toBe(200);
    const refused = await call('/rest/granted/577cf185e2039b0900000016', { key, method: 'DELETE' });
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'forbidden', detail: expect.stringContaining('DELETE:granted') },
    });
    expect((await call('/rest/grantedx', { key })).status).toBe(403);
    expect((await call('/rest/Granted', { key })).status).toBe(403);
  });

  it('sees no document of another database', async () => {
    const { prisma } = api.connections;
    const other = await prisma.database.create({ data: { name: 'other', settings: {}, log: { create: {} } } });
    const { key } = await api.apiKeys.create(other.id, {
      name: 'x',
      rest: ['*:*'],
      listen: [],
      publish: [],
      origins: [],
    });
    const { _id } = await create('tenant', { secret: 1 });
    expect(await call('/rest/tenant', { key })).toMatchObject({ status: 200, body: [] });
    for (const method of ['GET', 'DELETE'])
      expect((await call(`/rest/tenant/${_id}`, { key, method })).status).toBe(404);
    expect((await call(`/rest/tenant/${_id}`, { key, method: 'PUT', body: { secret: 2 } })).status).toBe(404);
    expect((await call(`/rest/tenant/${_id}`)).body).toEqual({ _id, secret: 1 });
  });
});

describe('from a browser', () => {
  const origin = 'https://app.example';

  it('answers a preflight for any origin, with the headers that clients send', async () => {
    const headers = {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': 'x-apikey,content-type',
    };
    const { status, headers: answer } = await call('/rest/company/577cf185e2039b0900000016', {
      method: 'OPTIONS',
      key: null,
      headers,
    });
    expect(status).toBe(204);
    expect(answer.get('access-control-allow-origin')).toBe('*');
    expect(answer.get('access-control-allow-methods')).toContain('PATCH');
    expect(answer.get('access-control-allow-headers')).toContain('x-apikey');
  });

  it('lets the origins of the key read answers and refuses every other without CORS headers', async () => {
    const { key } = await api.createKey({ rest: ['GET:one'], origins: [origin] });
    const allowed = await call('/rest/one', { key, headers: { origin } });
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe(origin);
    expect(allowed.headers.get('vary')).toBe('Origin');
    expect(allowed.headers.get('access-control-expose-headers')).toContain('X-Event-Id');
    for (const foreign of ['https://evil.example', 'http://app.example', 'https://app.example.evil.example', 'null']) {
      const refused = await call('/rest/one', { key, headers: { origin: foreign } });
      expect(refused).toMatchObject({ status: 403, body: { code: 'origin_refused' } });
      expect(refused.headers.get('access-control-allow-origin')).toBeNull();
    }
    expect((await call('/rest/one', { key, headers: { origin: api.url } })).status).toBe(200);
  });

  it('lets a page read why its key is not taken', async () => {
    const { status, headers } = await call('/rest/one', { key: 'nonsense', headers: { origin } });
    expect(status).toBe(401);
    expect(headers.get('access-control-allow-origin')).toBe('*');
  });
});

describe('routes', () => {
  it('answers a wrong method with 405 and the right ones in Allow', async () => {
    const { status, headers, body } = await call('/rest/company', { method: 'DELETE' });
    expect(status).toBe(405);
    expect(headers.get('allow')).toBe('GET, POST');
    expect(body).toMatchObject({ code: 'method_not_allowed' });
    expect(
      (await call('/rest/company/577cf185e2039b0900000016', { method: 'POST', body: {} })).headers.get('allow'),
    ).toBe('GET, PUT, PATCH, DELETE');
    expect((await call('/health', { method: 'POST', body: {} })).status).toBe(405);
  });

  it('answers an unknown route with a 404 problem that names the request', async () => {
    const { status, headers, body } = await call('/nowhere', { headers: { 'x-request-id': 'my-request-1' } });
    expect(status).toBe(404);
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(body).toMatchObject({
      type: 'urn:tidewire:problem:not_found',
      status: 404,
      requestId: 'my-request-1',
      message: expect.any(String),
    });
    expect(headers.get('x-request-id')).toBe('my-request-1');
  });

  it('answers a malformed id with 400 and a missing one with 404', async () => {
    for (const id of ['x', '577CF185E2039B0900000016', '577cf185e2039b090000001', "1'%20OR%201=1", '%00']) {
      expect(await call(`/rest/company/${id}`)).toMatchObject({ status: 400, body: { errors: [{ field: 'id' }] } });
    }
    expect((await call('/rest/company/577cf185e2039b0900000016')).status).toBe(404);
    expect((await call('/rest/company/577cf185e2039b0900000016', { method: 'PUT', body: { a: 1 } })).status).toBe(404);
  });

  it('says that it lives and that it is ready', async () => {
    expect(await call('/health', { key: null })).toMatchObject({ status: 200, body: { status: 'ok' } });
    expect(await call('/ready', { key: null })).toMatchObject({ status: 200, body: { status: 'ready' } });
  });

  it('logged no accident in all of this', () => expect(api.accidents).toEqual([]));
});
