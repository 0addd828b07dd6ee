/** restdb.io's contract, the table of errors and the forms of keys, realtime rights and CORS: one test for each row, in their order. */
import { openSse } from '@tidewire/testing/sse-probe';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ContractServer, startContractServer, startWithoutPostgres } from './contract.fixture.js';

let server: ContractServer;
const call: ContractServer['call'] = (...given) => server.call(...given);

beforeAll(async () => {
  server = await startContractServer();
});
afterAll(() => server.close());

/** What every refusal has, for clients of restdb.io and for ours. */
const refusal = (status: number, code: string) => ({
  status,
  code,
  message: expect.any(String),
  name: expect.any(String),
  list: expect.any(Array),
  requestId: expect.any(String),
});

describe('the errors', () => {
  test('400 is a bad request', async () => {
    expect(await call('/rest/company?q={')).toMatchObject({ status: 400, body: refusal(400, 'bad_request') });
    const broken = await fetch(`${server.url}/rest/company`, {
      method: 'POST',
      headers: { 'x-apikey': server.key, 'content-type': 'application/json' },
      body: '{"a":',
    });
    expect([broken.status, await broken.json()]).toMatchObject([400, refusal(400, 'invalid_json')]);
  });

  test('401 is a wrong key or none', async () => {
    for (const key of ['577ed0a645c8ac6e5b035fbe', null])
      expect(await call('/rest/company', { key })).toMatchObject({
        status: 401,
        body: refusal(401, 'unauthenticated'),
      });
  });

  test('403 is what the key may not do', async () => {
    const key = await server.createKey({ rest: ['GET:other'] });
    expect(await call('/rest/company', { key })).toMatchObject({ status: 403, body: refusal(403, 'forbidden') });
  });

  test('404 is a document or a path that is not there', async () => {
    for (const path of ['/rest/company/577cf185e2039b0900000016', '/nowhere'])
      expect(await call(path)).toMatchObject({ status: 404, body: refusal(404, 'not_found') });
  });

  test('405 is a method that the path does not have, with the right ones in Allow', async () => {
    const { status, headers, body } = await call('/rest/company', { method: 'DELETE' });
    expect([status, headers.get('allow'), body]).toMatchObject([405, 'GET, POST', refusal(405, 'method_not_allowed')]);
  });

  test('406 is a stream in another form; another format of documents than those there are is 400', async () => {
    const stream = await call('/realtime', { headers: { accept: 'application/json' } });
    expect(stream).toMatchObject({ status: 406, body: refusal(406, 'not_acceptable') });
    expect(await call('/rest/company?format=xml')).toMatchObject({ status: 400, body: refusal(400, 'bad_request') });
  });

  test('429 is too much, with the time to wait in Retry-After', async () => {
    const signIn = () =>
      call('/api/session', { method: 'POST', key: null, body: { email: 'nobody@example.org', password: 'wrong' } });
    let last = await signIn();
    for (let tries = 0; last.status === 401 && tries < 20; tries += 1) last = await signIn();
    expect(last).toMatchObject({ status: 429, body: refusal(429, 'too_many_requests') });
    expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  test('503 is a server that cannot answer now', async () => {
    const { url, close } = await startWithoutPostgres();
    const response = await fetch(`${url}/rest/company`, { headers: { 'x-apikey': server.key } });
    expect([response.status, await response.json()]).toMatchObject([503, refusal(503, 'unavailable')]);
    await close();
  });

  test('every error body is JSON with a message, also of a request from a browser', async () => {
    const { headers, body } = await call('/rest/company', { key: 'wrong', headers: { origin: 'https://app.example' } });
    expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(headers.get('access-control-allow-origin')).toBe('*');
    expect(body).toMatchObject({ message: expect.stringContaining('key') });
  });

  test('a validation error has message, name ValidationError, status and list with field and message', async () => {
    const { status, body } = await call('/rest/company', { method: 'POST', body: { _x: 1 } });
    expect([status, body]).toMatchObject([
      422,
      {
        ...refusal(422, 'validation_failed'),
        name: 'ValidationError',
        list: [{ field: '_x', message: ['INVALID', expect.any(String)] }],
      },
    ]);
  });
});

describe('the keys', () => {
  test('one may have full access, and there are any number of others', async () => {
    const [full, reader] = [await server.createKey({ rest: ['*:*'] }), await server.createKey({ rest: ['GET:*'] })];
    expect((await call('/rest/keys', { key: full, method: 'POST', body: {} })).status).toBe(201);
    expect((await call('/rest/keys', { key: reader })).status).toBe(200);
    expect((await call('/rest/keys', { key: reader, method: 'POST', body: {} })).status).toBe(403);
  });

  test('a web key reaches the collections that are named, with the methods that are named', async () => {
    const key = await server.createKey({ rest: ['GET:customers', 'POST:customers'] });
    expect((await call('/rest/customers', { key, method: 'POST', body: {} })).status).toBe(201);
    expect((await call('/rest/customers', { key })).status).toBe(200);
    for (const path of ['/rest/customersx', '/rest/Customers', '/rest/suppliers'])
      expect((await call(path, { key })).status).toBe(403);
    const { status } = await call('/rest/customers/577cf185e2039b0900000016', { key, method: 'DELETE' });
    expect(status).toBe(403);
  });

  test('a web key is used by pages of its origins, and of no others', async () => {
    const key = await server.createKey({ rest: ['GET:customers'], origins: ['https://app.example'] });
    const from = (origin: string) => call('/rest/customers', { key, headers: { origin } });
    const allowed = await from('https://app.example');
    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'https://app.example']);
    const foreign = await from('https://evil.example');
    expect([foreign.status, foreign.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  test('a web key hears the channels METHOD:COLLECTION that it has, and no others', async () => {
    const key = await server.createKey({ listen: ['POST:heard'] });
    const stream = await openSse(`${server.url}/realtime?apikey=${key}`);
    await stream.waitFor('ping');
    await server.create('unheard', {});
    const { _id } = await server.create('heard', {});
    await call(`/rest/heard/${_id}`, { method: 'PUT', body: { a: 1 } });
    const last = await server.create('heard', {});
    await stream.waitFor(({ data }) => data.includes(last._id));
    expect(
      stream.messages.filter(({ event }) => event !== 'ping' && event !== 'message').map(({ event }) => event),
    ).toEqual(['post', 'post']);
    stream.close();
  });

  test('a key goes in x-apikey, in apikey of the query, or in Authorization: Bearer', async () => {
    const path = '/rest/customers';
    expect((await call(path)).status).toBe(200);
    expect((await call(`${path}?apikey=${server.key}`, { key: null })).status).toBe(200);
    const authorization = `Bearer ${server.key}`;
    expect((await call(path, { key: null, headers: { authorization } })).status).toBe(200);
  });

  test('realtime is off by default, and {"realtime":{"global":true}} in the settings turns it on for all', async () => {
    const key = await server.createKey({ rest: ['GET:*'] });
    const statusOf = async () => {
      const stream = await openSse(`${server.url}/realtime?apikey=${key}`);
      stream.close();
      return stream.status;
    };
    expect(await statusOf()).toBe(403);
    await server.setGlobalRealtime(true);
    await expect.poll(statusOf).toBe(200);
    await server.setGlobalRealtime(false);
    await expect.poll(statusOf).toBe(403);
  });

  test('the right to hear and the right to publish are separate lists', async () => {
    const publish = (key: string) => call('/realtime', { method: 'POST', key, body: { event: 'GOAL' } });
    expect((await publish(await server.createKey({ listen: ['PUBLISH:GOAL'] }))).status).toBe(403);
    const publisher = await server.createKey({ publish: ['GOAL'] });
    expect((await publish(publisher)).status).toBe(200);
    const stream = await openSse(`${server.url}/realtime?apikey=${publisher}`);
    expect(stream.status).toBe(403);
    stream.close();
  });
});

describe('CORS', () => {
  test('a preflight is answered for any origin, with every method and the headers that clients send', async () => {
    const { status, headers } = await call('/rest/company', {
      method: 'OPTIONS',
      key: null,
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'cache-control,content-type,x-apikey',
      },
    });
    expect([status, headers.get('access-control-allow-origin')]).toEqual([204, '*']);
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect(headers.get('access-control-allow-methods')).toContain(method);
    for (const name of ['cache-control', 'content-type', 'x-apikey', 'x-http-method-override'])
      expect(headers.get('access-control-allow-headers')).toContain(name);
  });

  test('a key for every origin is used without credentials', async () => {
    const { headers } = await call('/rest/company', { headers: { origin: 'https://app.example' } });
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(headers.get('access-control-allow-credentials')).toBeNull();
  });

  test('nothing of this was an accident', () => expect(server.accidents).toEqual([]));
});
