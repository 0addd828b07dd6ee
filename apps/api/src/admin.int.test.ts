import { createHmac } from 'node:crypto';
import {
  adminEventSchema,
  apiKeySchema,
  createdKeySchema,
  databaseSchema,
  documentsAnswerSchema,
  listOf,
} from '@tidewire/protocol/admin-api';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Init = { method?: string; body?: unknown; headers?: Record<string, string>; cookie?: string | null };

const email = 'ada@example.org';
const password = 'correct horse battery';

let api: TestApi;
let cookie: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
});
afterAll(() => api.close());

async function call(path: string, { method = 'GET', body, headers = {}, cookie: sent = cookie }: Init = {}) {
  const response = await fetch(`${api.url}/api${path}`, {
    method,
    headers: {
      ...(sent ? { cookie: sent } : {}),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

/** `name=value` of the cookie that an answer sets. */
function cookieOf(headers: Headers): string {
  return headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

describe('the first admin', () => {
  it('is made with the token of the setup link, once', async () => {
    expect(await call('/setup')).toMatchObject({ status: 200, body: { needed: true } });
    expect((await call('/setup', { method: 'POST', body: { token: 'wrong', email, password } })).status).toBe(403);
    const made = await call('/setup', {
      method: 'POST',
      body: { token: api.setupToken, email: 'Ada@Example.org', password },
    });
    expect(made).toMatchObject({ status: 201, body: { admin: { email } } });
    expect(made.headers.getSetCookie()[0]).toMatch(
      /^tidewire_session=[\w.-]+; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Strict$/,
    );
    cookie = cookieOf(made.headers);
    expect(await call('/setup')).toMatchObject({ body: { needed: false } });
    expect(
      (await call('/setup', { method: 'POST', body: { token: api.setupToken, email: 'eve@example.org', password } }))
        .status,
    ).toBe(409);
  });
});

describe('a session', () => {
  it('is known by its cookie, and worth nothing once it has ended', async () => {
    const signedIn = await call('/session', { method: 'POST', body: { email, password }, cookie: null });
    expect(signedIn).toMatchObject({ status: 200, body: { admin: { email } } });
    const mine = cookieOf(signedIn.headers);
    expect(await call('/session', { cookie: mine })).toMatchObject({ status: 200, body: { admin: { email } } });
    const ended = await call('/session', { method: 'DELETE', cookie: mine });
    expect(ended).toMatchObject({ status: 204, body: null });
    expect(ended.headers.getSetCookie()[0]).toContain('tidewire_session=; Path=/; Expires=Thu, 01 Jan 1970');
    expect((await call('/session', { cookie: mine })).status).toBe(401);
    expect((await call('/session')).status).toBe(200);
  });

  it('cannot be forged: other algorithms, other signatures, other claims', async () => {
    const [header = '', claims = '', signature = ''] = cookie.slice('tidewire_session='.length).split('.');
    const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const decoded = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Record<string, unknown>;
    const sign = (text: string, secret: string) =>
      `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    const forged = [
      '',
      'x',
      `${header}.${claims}`,
      `${header}.${claims}.`,
      `${header}.${claims}.${signature.slice(0, -2)}`,
      `${header}.${claims}.${signature}.`,
      ...['none', 'None', 'NONE', 'nOnE'].map((alg) => `${encode({ alg })}.${claims}.`),
      `${encode({ alg: 'HS512' })}.${claims}.${signature}`,
      `${encode({ alg: 'RS256' })}.${claims}.${signature}`,
      `${header}.${encode({ ...decoded, exp: 9e15 })}.${signature}`,
      sign(`${header}.${claims}`, ''),
      sign(`${header}.${claims}`, 'secret'),
      sign(`${encode({ alg: 'HS256', jwk: { kty: 'oct', k: 'c2VjcmV0' } })}.${claims}`, 'secret'),
      'x'.repeat(10_000),
    ];
    for (const token of forged)
      expect((await call('/session', { cookie: `tidewire_session=${token}` })).status).toBe(401);
    expect((await call('/session')).status).toBe(200);
  });

  it('is needed on every route but the way in', async () => {
    const key = (await api.createKey({ rest: ['*:*'] })).key;
    const routes = [
      ['GET', '/session'],
      ['DELETE', '/session'],
      ['GET', '/databases'],
      ['GET', '/databases/default'],
      ['PATCH', '/databases/default/settings'],
      ['GET', '/databases/default/collections'],
      ['GET', '/databases/default/collections/x/documents'],
      ['GET', '/databases/default/keys'],
      ['POST', '/databases/default/keys'],
      ['GET', '/databases/default/keys/x'],
      ['PATCH', '/databases/default/keys/x'],
      ['POST', '/databases/default/keys/x/rotate'],
      ['DELETE', '/databases/default/keys/x'],
      ['GET', '/databases/default/events'],
    ] as const;
    for (const [method, path] of routes) {
      const init = { method, cookie: null, headers: { 'x-apikey': key }, ...(method === 'GET' ? {} : { body: {} }) };
      expect({ path, ...(await call(path, init)) }).toMatchObject({
        path,
        status: 401,
        body: { code: 'unauthenticated' },
      });
    }
  });

  it('can be used by no other site: what changes something needs our own origin and JSON', async () => {
    const before = await call('/databases/default');
    const foreign: Record<string, string>[] = [
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site' },
      { origin: 'null' },
    ];
    for (const headers of foreign) {
      const body = { realtime: { global: true } };
      expect(await call('/databases/default/settings', { method: 'PATCH', body, headers })).toMatchObject({
        status: 403,
        body: { code: 'origin_refused' },
      });
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const headers = { 'content-type': type };
      expect((await call('/databases/default/keys', { method: 'POST', body: { name: 'x' }, headers })).status).toBe(
        415,
      );
    }
    expect(await call('/databases/default')).toMatchObject({ body: before.body });
  });

  it('is not given to guesses: after ten failures even the right password waits, and Retry-After says how long', async () => {
    for (let guess = 0; guess < 10; guess += 1) {
      expect((await call('/session', { method: 'POST', body: { email, password: `guess ${guess}` } })).status).toBe(
        401,
      );
    }
    const shut = await call('/session', { method: 'POST', body: { email, password } });
    expect(shut).toMatchObject({ status: 429, body: { code: 'too_many_requests' } });
    expect(Number(shut.headers.get('retry-after'))).toBeGreaterThan(800);
    await api.connections.prisma.loginThrottle.deleteMany();
  });
});

describe('a database', () => {
  it('is shown with its settings and the head of its log', async () => {
    const { body } = await call('/databases');
    expect(listOf(databaseSchema).parse(body).data).toMatchObject([
      { name: 'default', head: 0, oldest: 1, bytes: null },
    ]);
    const { databaseId } = api;
    await api.connections.prisma.logSize.create({ data: { databaseId, countedTo: 0n, bytes: 1_234n } });
    expect((await call('/databases/default')).body).toMatchObject({ bytes: 1_234 });
    expect((await call('/databases/nobody')).status).toBe(404);
    expect((await call('/databases/DEFAULT')).status).toBe(404);
  });

  it('has its settings patched, field by field', async () => {
    const on = await call('/databases/default/settings', { method: 'PATCH', body: { realtime: { global: true } } });
    expect(on).toMatchObject({
      status: 200,
      body: { settings: { realtime: { global: true }, collections: { createOnWrite: true } } },
    });
    const off = await call('/databases/default/settings', { method: 'PATCH', body: { realtime: { global: false } } });
    expect(off).toMatchObject({
      body: { settings: { realtime: { global: false }, collections: { createOnWrite: true } } },
    });
  });

  it('keeps its log for ever, unless its settings give limits, each of which can be taken away again', async () => {
    const patch = (log: unknown) => call('/databases/default/settings', { method: 'PATCH', body: { log } });
    const before = await call('/databases/default');
    const unlimited = { keepDays: null, keepBytes: null, keepEvents: null };
    expect(before.body).toMatchObject({ settings: { log: unlimited } });
    expect((await patch({ keepDays: 30, keepBytes: 5_000_000_000 })).body).toMatchObject({
      settings: { log: { keepDays: 30, keepBytes: 5_000_000_000, keepEvents: null } },
    });
    expect((await patch({ keepDays: null, keepEvents: 100 })).body).toMatchObject({
      settings: { log: { keepDays: null, keepBytes: 5_000_000_000, keepEvents: 100 } },
    });
    const wrong: [Record<string, unknown>, string][] = [
      [{ keepDays: 0 }, '/log/keepDays'],
      [{ keepDays: 1.5 }, '/log/keepDays'],
      [{ keepDays: 36_501 }, '/log/keepDays'],
      [{ keepBytes: -1 }, '/log/keepBytes'],
      [{ keepBytes: '1 GB' }, '/log/keepBytes'],
      [{ keepEvents: 2e15 }, '/log/keepEvents'],
      [{ keepEvents: 5, keepWeeks: 1 }, '/log/keepWeeks'],
    ];
    for (const [log, field] of wrong)
      expect(await patch(log)).toMatchObject({ status: 422, body: { errors: [{ field }] } });
    expect((await patch(unlimited)).body).toMatchObject({ settings: { log: unlimited } });
  });

  it('names an unknown field and what is allowed there', async () => {
    const { status, body } = await call('/databases/default/settings', {
      method: 'PATCH',
      body: { realtime: { globl: true } },
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: 'validation_failed',
      errors: [{ field: '/realtime/globl', allowed: 'global' }],
    });
    const key = await call('/databases/default/keys', { method: 'POST', body: { name: 'x', grants: [] } });
    expect(key).toMatchObject({
      status: 422,
      body: { errors: [{ field: '/grants', allowed: 'name, rest, listen, publish, origins, expiresAt, rateLimit' }] },
    });
  });
});

describe('keys', () => {
  it('are shown once, listed newest first, changed, and revoked for good', async () => {
    const request = {
      name: ' app ',
      rest: ['GET:company'],
      listen: ['PATCH:company'],
      publish: ['chat.*'],
      origins: ['https://app.example'],
    };
    const made = await call('/databases/default/keys', { method: 'POST', body: request });
    expect(made.status).toBe(201);
    const { key, ...shown } = createdKeySchema.parse(made.body);
    expect(shown).toMatchObject({ name: 'app', listen: ['PUT:company'], prefix: key.slice(0, 15), revokedAt: null });
    const listed = await call('/databases/default/keys');
    expect(listOf(apiKeySchema).parse(listed.body).data[0]).toEqual(shown);
    expect(JSON.stringify(listed.body)).not.toContain(key.slice(16));

    const rest = (path: string) => fetch(api.url + path, { headers: { 'x-apikey': key } });
    expect((await rest('/rest/company')).status).toBe(200);
    const changed = await call(`/databases/default/keys/${shown.id}`, { method: 'PATCH', body: { rest: [] } });
    expect(changed).toMatchObject({ status: 200, body: { rest: [], name: 'app' } });
    expect((await rest('/rest/company')).status).toBe(403);

    const revoked = await call(`/databases/default/keys/${shown.id}`, { method: 'DELETE' });
    expect(revoked).toMatchObject({ status: 200, body: { revokedAt: expect.any(String) } });
    expect(await call(`/databases/default/keys/${shown.id}`, { method: 'DELETE' })).toMatchObject({
      status: 200,
      body: revoked.body,
    });
    expect((await rest('/rest/company')).status).toBe(401);
    expect((await call(`/databases/default/keys/${shown.id}`, { method: 'PATCH', body: { name: 'y' } })).status).toBe(
      409,
    );
    expect((await call('/databases/default/keys/nobody', { method: 'DELETE' })).status).toBe(404);
  });

  it('are rotated, switched off and on, and given an expiry and a rate limit; the new text is shown once', async () => {
    const path = '/databases/default/keys';
    const terms = { expiresAt: '2040-01-01T01:00:00+01:00', rateLimit: 100 };
    const made = await call(path, { method: 'POST', body: { name: 'x', rest: ['*:*'], ...terms } });
    const { id, key, ...first } = createdKeySchema.parse(made.body);
    expect(first).toMatchObject({
      ...terms,
      expiresAt: '2040-01-01T00:00:00.000Z',
      kind: 'server',
      disabledAt: null,
      previousUntil: null,
      openStreams: 0,
    });
    const status = async (text: string) =>
      (await fetch(`${api.url}/rest/company`, { headers: { 'x-apikey': text } })).status;

    const rotated = await call(`${path}/${id}/rotate`, { method: 'POST', body: { overlapSeconds: 600 } });
    expect(rotated.status).toBe(200);
    const second = createdKeySchema.parse(rotated.body);
    expect(second).toMatchObject({ id, prefix: first.prefix, previousUntil: expect.any(String) });
    expect([await status(key), await status(second.key)]).toEqual([200, 200]);
    const third = createdKeySchema.parse((await call(`${path}/${id}/rotate`, { method: 'POST', body: {} })).body);
    const overlapMs = Date.parse(third.previousUntil ?? '') - Date.now();
    expect(Math.abs(overlapMs - 24 * 60 * 60_000)).toBeLessThan(60_000);
    expect([await status(key), await status(second.key), await status(third.key)]).toEqual([401, 200, 200]);
    const last = createdKeySchema.parse(
      (await call(`${path}/${id}/rotate`, { method: 'POST', body: { overlapSeconds: 0 } })).body,
    );
    expect([await status(second.key), await status(third.key), await status(last.key)]).toEqual([401, 401, 200]);

    const off = await call(`${path}/${id}`, { method: 'PATCH', body: { disabled: true, origins: ['*'] } });
    expect(off).toMatchObject({ status: 200, body: { disabledAt: expect.any(String), kind: 'web', rateLimit: 100 } });
    expect(await status(last.key)).toBe(401);
    await call(`${path}/${id}`, { method: 'PATCH', body: { disabled: false, expiresAt: null, rateLimit: null } });
    expect(await status(last.key)).toBe(200);
    const shown = await call(`${path}/${id}`);
    expect(apiKeySchema.strict().parse(shown.body)).toMatchObject({
      expiresAt: null,
      rateLimit: null,
      disabledAt: null,
    });
    for (const text of [key, second.key, third.key, last.key])
      expect(JSON.stringify(shown.body)).not.toContain(text.slice(16));
  });

  it.each([
    ['GET', '', undefined, 404],
    ['POST', '/rotate', {}, 404],
    ['POST', '/rotate', { overlapSeconds: -1 }, 422],
    ['POST', '/rotate', { overlapSeconds: 2_592_001 }, 422],
    ['POST', '/rotate', { overlapSeconds: 1.5 }, 422],
    ['POST', '/rotate', { overlap: 1 }, 422],
    ['GET', '/rotate', undefined, 405],
  ])('that do not exist or are asked for nonsense are refused: %s %s %j', async (method, more, body, status) => {
    for (const id of ['nobody', 'a'.repeat(12)])
      expect((await call(`/databases/default/keys/${id}${more}`, { method, body })).status).toBe(status);
  });

  it.each([
    [{ rest: ['GET:company '] }, '/rest/0'],
    [{ rest: ['get:company'] }, '/rest/0'],
    [{ listen: ['GET:company'] }, '/listen/0'],
    [{ publish: ['ok', 'a b'] }, '/publish/1'],
    [{ origins: ['https://app.example/'] }, '/origins/0'],
    [{ origins: 'https://app.example' }, '/origins'],
    [{ name: '' }, '/name'],
    [{ name: 5 }, '/name'],
    [{ id: 'mine' }, '/id'],
    [{ revokedAt: null }, '/revokedAt'],
    [{ expiresAt: 'tomorrow' }, '/expiresAt'],
    [{ expiresAt: '2031-01-01' }, '/expiresAt'],
    [{ expiresAt: '2001-01-01T00:00:00Z' }, '/expiresAt'],
    [{ expiresAt: 5 }, '/expiresAt'],
    [{ rateLimit: 0 }, '/rateLimit'],
    [{ rateLimit: 1.5 }, '/rateLimit'],
    [{ rateLimit: '60' }, '/rateLimit'],
    [{ rateLimit: 1_000_001 }, '/rateLimit'],
    [{ disabled: true }, '/disabled'],
  ])('refuse %j, naming the place', async (wrong, field) => {
    const answer = await call('/databases/default/keys', { method: 'POST', body: { name: 'x', ...wrong } });
    expect(answer).toMatchObject({ status: 422, body: { errors: [{ field, message: expect.any(String) }] } });
  });
});

describe('documents and events', () => {
  it('are shown in order, with metafields, in pages', async () => {
    const { id, key } = await api.createKey({ rest: ['*:*'] });
    for (const body of ['{"n":1}', '{"n":2}', '{"n":3}']) {
      const headers = { 'x-apikey': key, 'content-type': 'application/json' };
      expect((await fetch(`${api.url}/rest/shown`, { method: 'POST', headers, body })).status).toBe(201);
    }
    expect(await call('/databases/default/collections')).toMatchObject({
      body: { data: [{ name: 'shown', documents: 3 }] },
    });

    const { body } = await call('/databases/default/collections/shown/documents?max=2&skip=1');
    const { data, totals } = documentsAnswerSchema.parse(body);
    expect(data).toMatchObject([{ n: 2, _version: 0, _createdby: 'api' }, { n: 3 }]);
    expect(totals).toEqual({ total: 3, count: 2, skip: 1, max: 2 });

    const ids = async (query: string) => {
      const answer = await call(`/databases/default/events${query}`);
      return listOf(adminEventSchema)
        .parse(answer.body)
        .data.map((event) => event.id);
    };
    expect(await ids('')).toEqual([1, 2, 3]);
    expect(await ids('?since=1&max=1')).toEqual([2]);
    expect(await ids('?since=3')).toEqual([]);
    expect(await ids('?before=3&max=1')).toEqual([2]);
    expect(await ids('?before=4')).toEqual([1, 2, 3]);
    const [first] = listOf(adminEventSchema).parse((await call('/databases/default/events?max=1')).body).data;
    expect(first).toMatchObject({
      type: 'post',
      collection: 'shown',
      actor: `key:${id}`,
      data: { n: 1, _version: 0 },
      name: null,
    });
    expect((await call('/databases/default/events?since=1&before=2')).status).toBe(400);
    for (const since of ['-1', 'x', '9e99', '9007199254740992', '1&since=2', '%00']) {
      expect((await call(`/databases/default/events?since=${since}`)).status).toBe(400);
    }
  });

  it('begin with the oldest event that is kept', async () => {
    await api.connections.lanePool.query('DELETE FROM events WHERE database_id = $1 AND id <= 2', [api.databaseId]);
    await api.connections.lanePool.query('UPDATE log_heads SET oldest = 3 WHERE database_id = $1', [api.databaseId]);
    const { body } = await call('/databases/default/events?since=0');
    expect(
      listOf(adminEventSchema)
        .parse(body)
        .data.map(({ id }) => id),
    ).toEqual([3]);
    expect(body).toMatchObject({ head: 3, oldest: 3 });
  });

  it('caused no accident in all of this', () => expect(api.accidents).toEqual([]));
});
