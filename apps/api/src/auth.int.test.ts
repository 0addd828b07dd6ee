/** Users whom a database knows by itself: they make accounts, sign in and out, and get new passwords. */

import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Tokens = { user: { id: string; email: string }; jwt: string; refresh: string; expiresIn: number };

/** Two processes over one Postgres whose buses do not know each other. */
let api: TestApi;
let other: TestApi;
let webKey: string;
let serverKey: string;
const password = 'correct horse battery';
const page = { origin: 'https://app.example' };

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  other = await startTestApi(address);
  await api.connections.prisma.role.create({
    data: { databaseId: api.databaseId, name: 'member', rest: ['GET:notes', 'POST:notes'] },
  });
  await api.settings.patch(api.databaseId, { auth: { signUp: true, defaultRole: 'member', origins: [page.origin] } });
  webKey = (await api.createKey({ origins: [page.origin] })).key;
  serverKey = (await api.createKey({ rest: ['*:*'] })).key;
});
afterEach(() => expect([...api.accidents, ...other.accidents]).toEqual([]));
afterAll(async () => {
  await api.close();
  await other.close();
});

async function ask(
  path: string,
  {
    method = 'POST',
    body,
    headers = {},
    on = api,
  }: { method?: string; body?: unknown; headers?: Record<string, string>; on?: TestApi } = {},
) {
  const response = await fetch(`${on.url}${path}`, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

const byKey = () => ({ 'x-apikey': webKey, ...page });
const bearer = (jwt: string) => ({ authorization: `Bearer ${jwt}` });

let count = 0;
async function signUp(data?: Record<string, unknown>): Promise<Tokens> {
  count += 1;
  const body = { email: `person${count}@example.org`, password, ...(data === undefined ? {} : { data }) };
  const { status, body: tokens } = await ask('/auth/signup', { body, headers: byKey() });
  expect([status, tokens]).toEqual([201, expect.objectContaining({ expiresIn: 900 })]);
  return tokens;
}

/** The status of a read as this user. */
async function statusOf(jwt: string, on = api): Promise<number> {
  return (await ask('/rest/notes', { method: 'GET', headers: bearer(jwt), on })).status;
}

describe('signing up', () => {
  it('makes the account and the document with its event, signs in, and gives the default role', async () => {
    const { user, jwt } = await signUp({ name: 'Ada', nested: { a: 1 } });
    const { body } = await ask(`/rest/users/${user.id}?metafields=true`, {
      method: 'GET',
      headers: { 'x-apikey': serverKey },
    });
    expect(body).toMatchObject({
      _id: user.id,
      email: user.email,
      name: 'Ada',
      role: 'member',
      _createdby: user.email,
    });
    expect(JSON.stringify(body)).not.toMatch(/password|argon/);
    const { rows } = await api.connections.pool.query('SELECT type, actor FROM events WHERE document_id = $1', [
      user.id,
    ]);
    expect(rows).toEqual([{ type: 'post', actor: `user:${user.id}` }]);
    expect(await statusOf(jwt)).toBe(200);
    expect(await statusOf(jwt, other)).toBe(200);
    const me = await ask('/auth/me', { method: 'GET', headers: bearer(jwt) });
    expect([me.status, me.body]).toEqual([200, { user, roles: ['member'], expiresAt: expect.any(String) }]);
    const denied = await ask('/rest/users', { method: 'GET', headers: bearer(jwt) });
    expect([denied.status, denied.body.code]).toEqual([403, 'forbidden']);
  });

  it('takes nothing from the person that decides over rights', async () => {
    for (const field of ['role', 'roles', 'realtime', 'active', 'sub', 'email', '_id', '_version']) {
      const body = { email: 'evil@example.org', password, data: { [field]: 'admin' } };
      const { status, body: problem } = await ask('/auth/signup', { body, headers: byKey() });
      expect([field, status, problem.errors[0].field]).toEqual([field, 422, `/data/${field}`]);
    }
    const unknown = { email: 'evil@example.org', password, role: 'admin' };
    expect((await ask('/auth/signup', { body: unknown, headers: byKey() })).status).toBe(422);
    const { rows } = await api.connections.pool.query("SELECT FROM user_accounts WHERE email = 'evil@example.org'");
    expect(rows).toEqual([]);
  });

  it('refuses a taken address, also of twenty at once, a short password, and where it is switched off', async () => {
    const body = { email: 'Twice@example.org', password };
    const tries = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        ask('/auth/signup', { body, headers: byKey(), on: n % 2 === 0 ? api : other }),
      ),
    );
    const statuses = tries.map(({ status }) => status).sort();
    expect(statuses.filter((status) => status === 201)).toEqual([201]);
    expect(statuses.filter((status) => status !== 201 && status !== 409 && status !== 429)).toEqual([]);
    const { rows } = await api.connections.pool.query(
      `SELECT (SELECT count(*) FROM user_accounts WHERE email = 'twice@example.org') AS accounts,
        (SELECT count(*) FROM documents WHERE data->>'email' = 'twice@example.org') AS documents`,
    );
    expect(rows).toEqual([{ accounts: 1, documents: 1 }]);
    const short = await ask('/auth/signup', {
      body: { email: 'short@example.org', password: 'short' },
      headers: byKey(),
    });
    expect([short.status, short.body.errors[0].field]).toEqual([422, '/password']);
    await api.settings.patch(api.databaseId, { auth: { signUp: false } });
    const off = await ask('/auth/signup', { body: { email: 'off@example.org', password }, headers: byKey() });
    expect([off.status, off.body.code]).toEqual([403, 'forbidden']);
    await api.settings.patch(api.databaseId, { auth: { signUp: true } });
  });

  it('leaves no account behind when the document is refused', async () => {
    await api.settings.patch(api.databaseId, { collections: { createOnWrite: false } });
    const fresh = await api.connections.prisma.database.create({
      data: {
        name: 'strict',
        settings: { collections: { createOnWrite: false }, auth: { signUp: true } },
        log: { create: {} },
      },
    });
    const { key } = await api.apiKeys.create(fresh.id, { name: 'web', rest: [], listen: [], publish: [], origins: [] });
    const refused = await ask('/auth/signup', {
      body: { email: 'a@example.org', password },
      headers: { 'x-apikey': key },
    });
    expect(refused.status).toBe(404);
    expect(await api.connections.prisma.userAccount.count({ where: { databaseId: fresh.id } })).toBe(0);
    await api.settings.patch(api.databaseId, { collections: { createOnWrite: true } });
  });
});

describe('a session', () => {
  it('begins with the right password only, in the same words for all that is wrong', async () => {
    const { user } = await signUp();
    const wrong = await ask('/auth/login', { body: { email: user.email, password: 'wrong' }, headers: byKey() });
    const nobody = await ask('/auth/login', { body: { email: 'nobody@example.org', password }, headers: byKey() });
    expect([wrong.status, wrong.body.detail]).toEqual([401, nobody.body.detail]);
    const right = await ask('/auth/login', { body: { email: user.email.toUpperCase(), password }, headers: byKey() });
    expect([right.status, right.body.user]).toEqual([200, user]);
    const inCookie = await ask('/auth/login', {
      body: { email: user.email, password, cookie: true },
      headers: byKey(),
    });
    const [cookie = ''] = inCookie.headers.getSetCookie();
    expect(cookie).toMatch(/^tidewire_user=[\w.-]+; Path=\/; Max-Age=900; HttpOnly; SameSite=Lax$/);
    const byCookie = (headers: Record<string, string>) =>
      ask('/rest/notes', { method: 'GET', headers: { cookie: cookie.split(';')[0] ?? '', ...headers } });
    expect((await byCookie({})).status).toBe(200);
    expect((await byCookie(page)).status).toBe(200);
    expect((await byCookie({ origin: 'https://evil.example' })).status).toBe(403);
  });

  it('goes on with each refresh token once; one that comes again ends it, on every process within a second', async () => {
    const first = await signUp();
    const refresh = (token: string, on = api) =>
      ask('/auth/refresh', { body: { refresh: token }, headers: byKey(), on });
    const second = await refresh(first.refresh, other);
    expect(second.status).toBe(200);
    expect(await statusOf(second.body.jwt)).toBe(200);
    expect(await statusOf(second.body.jwt, other)).toBe(200);
    expect((await refresh(first.refresh)).status).toBe(401);
    expect((await refresh(second.body.refresh)).status).toBe(401);
    for (const on of [api, other])
      await eventually(async () => expect(await statusOf(second.body.jwt, on)).toBe(401), { timeoutMs: 1_500 });
    const invented = `${first.refresh.slice(0, -1)}${first.refresh.endsWith('A') ? 'B' : 'A'}`;
    expect((await refresh(invented)).status).toBe(401);
  });

  it('of thirty that exchange one refresh token at once goes on for at most one, and none has it twice', async () => {
    const { refresh } = await signUp();
    const tries = await Promise.all(
      Array.from({ length: 30 }, (_, n) =>
        ask('/auth/refresh', { body: { refresh }, headers: byKey(), on: n % 2 === 0 ? api : other }),
      ),
    );
    expect(tries.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(tries.filter(({ status }) => status !== 200 && status !== 401)).toEqual([]);
  });

  it('ends with a sign-out, by either token, and nobody else is signed out', async () => {
    const one = await signUp();
    const two = await signUp();
    expect((await ask('/auth/logout', { body: {}, headers: bearer(one.jwt) })).status).toBe(204);
    expect(await statusOf(one.jwt)).toBe(401);
    expect((await ask('/auth/refresh', { body: { refresh: one.refresh }, headers: byKey() })).status).toBe(401);
    expect(await statusOf(two.jwt)).toBe(200);
    expect((await ask('/auth/logout', { body: { refresh: two.refresh }, headers: byKey() })).status).toBe(204);
    expect(await statusOf(two.jwt)).toBe(401);
    expect((await ask('/auth/logout', { body: {}, headers: byKey() })).status).toBe(400);
  });

  it('ends within a second on every process when the document of the user is deleted, and so does the account', async () => {
    const { user, jwt } = await signUp();
    expect([await statusOf(jwt), await statusOf(jwt, other)]).toEqual([200, 200]);
    const deleted = await ask(`/rest/users/${user.id}`, { method: 'DELETE', headers: { 'x-apikey': serverKey } });
    expect(deleted.status).toBe(200);
    expect(await statusOf(jwt)).toBe(401);
    await eventually(async () => expect(await statusOf(jwt, other)).toBe(401), { timeoutMs: 1_500 });
    expect((await ask('/auth/login', { body: { email: user.email, password }, headers: byKey() })).status).toBe(401);
    await eventually(async () =>
      expect(await api.connections.prisma.userAccount.findFirst({ where: { id: user.id } })).toBeNull(),
    );
  });

  it('of a user who is switched off may nothing, and none begins', async () => {
    const { user, jwt, refresh } = await signUp();
    await ask(`/rest/users/${user.id}`, {
      method: 'PATCH',
      body: { active: false },
      headers: { 'x-apikey': serverKey },
    });
    expect(await statusOf(jwt)).toBe(401);
    await eventually(async () => expect(await statusOf(jwt, other)).toBe(401), { timeoutMs: 1_500 });
    expect((await ask('/auth/login', { body: { email: user.email, password }, headers: byKey() })).status).toBe(403);
    expect((await ask('/auth/refresh', { body: { refresh }, headers: byKey() })).status).toBe(403);
  });

  it('is of one database: with the key of another, or its own name, it is nothing', async () => {
    const { jwt, refresh } = await signUp();
    const foreign = await api.connections.prisma.database.create({ data: { name: 'foreign', log: { create: {} } } });
    const { key } = await api.apiKeys.create(foreign.id, {
      name: 'web',
      rest: [],
      listen: [],
      publish: [],
      origins: [],
    });
    const crossed = await ask('/rest/notes', { method: 'GET', headers: { 'x-apikey': key, ...bearer(jwt) } });
    expect(crossed.status).toBe(401);
    expect((await ask('/auth/refresh', { body: { refresh }, headers: { 'x-apikey': key } })).status).toBe(401);
    expect(await statusOf(jwt)).toBe(200);
    expect((await ask('/auth/refresh', { body: { refresh }, headers: byKey() })).status).toBe(200);
  });
});

describe('a new password', () => {
  it('is set with a token that a server makes, once, and ends all sessions', async () => {
    const { user, jwt } = await signUp();
    const made = await ask('/auth/reset-token', { body: { email: user.email }, headers: { 'x-apikey': serverKey } });
    expect([made.status, Date.parse(made.body.expiresAt) > Date.now()]).toEqual([201, true]);
    const reset = (token: string, on = api) =>
      ask('/auth/reset', { body: { token, password: 'another good one' }, headers: byKey(), on });
    const tries = await Promise.all([api, other, api, other].map((on) => reset(made.body.token, on)));
    expect(tries.map(({ status }) => status).sort()).toEqual([204, 401, 401, 401]);
    expect(await statusOf(jwt)).toBe(401);
    const login = (given: string) =>
      ask('/auth/login', { body: { email: user.email, password: given }, headers: byKey() });
    expect([(await login(password)).status, (await login('another good one')).status]).toEqual([401, 200]);
  });

  it('is set with the present one, which ends all other sessions', async () => {
    const { user, jwt } = await signUp();
    const second = await ask('/auth/login', { body: { email: user.email, password }, headers: byKey() });
    const change = (current: string) =>
      ask('/auth/password', { body: { current, password: 'another good one' }, headers: bearer(jwt) });
    expect((await change('wrong one')).status).toBe(401);
    expect((await change(password)).status).toBe(204);
    expect([await statusOf(jwt), await statusOf(second.body.jwt)]).toEqual([200, 401]);
  });

  it('is for no page and no key without PUT on users to ask for', async () => {
    const { user } = await signUp();
    const weak = (await api.createKey({ rest: ['GET:users'] })).key;
    for (const headers of [byKey(), { 'x-apikey': weak }, { 'x-apikey': serverKey, ...page }])
      expect((await ask('/auth/reset-token', { body: { email: user.email }, headers })).status).toBe(403);
  });
});

describe('a token that a server makes', () => {
  it('is taken when it is signed with nothing of its own, with the roles of the document', async () => {
    await ask('/rest/users', { body: { sub: 'ext-1', role: 'member' }, headers: { 'x-apikey': serverKey } });
    const make = (body: unknown, headers: Record<string, string> = { 'x-apikey': serverKey }) =>
      ask('/auth/jwt', { body, headers });
    const made = await make({ subject: 'ext-1', expiresIn: '15m', payload: { plan: 'gold' } });
    expect(made.status).toBe(200);
    expect(await statusOf(made.body.jwt)).toBe(200);
    const again = await make({ refresh: made.body.refresh });
    expect([again.status, await statusOf(again.body.jwt, other)]).toEqual([200, 200]);
    expect((await make({ refresh: `${made.body.refresh}x` })).status).toBe(422);
    for (const [body, field] of [
      [{}, '/subject'],
      [{ subject: 'x', payload: { sid: 'y' } }, '/payload/sid'],
      [{ subject: 'x', expiresIn: '400d' }, '/expiresIn'],
      [{ subject: 'x', issuer: 'y' }, '/issuer'],
      [{ subject: 'x', secret: 'no key', algorithm: 'RS256' }, '/secret'],
    ] as const) {
      const refused = await make(body);
      expect([field, refused.status, refused.body.errors[0].field]).toEqual([field, 422, field]);
    }
    expect((await make({ subject: 'ext-1' }, byKey())).status).toBe(403);
    expect(
      (await make({ subject: 'ext-1' }, { 'x-apikey': (await api.createKey({ rest: ['GET:*'] })).key })).status,
    ).toBe(403);
  });

  it('is signed with the secret of the request for whoever knows it, or else with that of the database', async () => {
    const secret = 'the secret that both sides know of';
    await api.users.secrets.set(api.databaseId, secret);
    await api.settings.patch(api.databaseId, { auth: { issuer: 'us', audience: 'app', algorithms: ['HS512'] } });
    const plain = (await api.createKey({})).key;
    const given = await ask('/auth/jwt', {
      body: { subject: 'ext-1', secret, algorithm: 'HS512' },
      headers: { 'x-apikey': plain },
    });
    const kept = await ask('/auth/jwt', { body: { subject: 'ext-1' }, headers: { 'x-apikey': serverKey } });
    expect([await statusOf(given.body.jwt), await statusOf(kept.body.jwt)]).toEqual([200, 200]);
    const wrong = await ask('/auth/jwt', {
      body: { subject: 'ext-1', secret: 'x', algorithm: 'HS512' },
      headers: { 'x-apikey': plain },
    });
    expect(await statusOf(wrong.body.jwt)).toBe(401);
  });
});
