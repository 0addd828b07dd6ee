import { randomUUID } from 'node:crypto';
import type { AuditEntryAnswer } from '@tidewire/protocol/audit';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callAdmin, join, password, setUpOwner } from './admin-call.fixture.js';
import { startTestApi, type TestApi } from './api.fixture.js';
import { type RouteEntry, routeTable } from './openapi/route-table.js';

let api: TestApi;
const cookies: Record<string, string> = {};

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  cookies.owner = await setUpOwner(api);
  cookies.editor = await join(api, cookies.owner, 'editor@example.org', 'editor');
  cookies.viewer = await join(api, cookies.owner, 'viewer@example.org', 'viewer');
});
afterAll(() => api.close());

/** Every route that asks for a session, from the table that the routers are held against. Streams are the realtime service's. */
const routes = routeTable.filter(({ security, path }) => security === 'admin' && !path.endsWith('/stream'));
const titles = routes.map((route): [string, RouteEntry] => [`${route.method} ${route.path}`, route]);

/** Things that are not there, so that nothing is changed: who may do it is answered with something else than 403. */
function nowhere(path: string): string {
  return path
    .replace('/api', '')
    .replace('{database}', 'nowhere')
    .replace('{collection}', 'nothing')
    .replaceAll(/\{(admin|session|invite)\}/g, () => randomUUID())
    .replaceAll(/\{\w+\}/g, 'nothing');
}

/** What owners alone may do, spelled out here a second time; a route that is missing here is an editor's to change. */
const ofOwners = /^\S+ \/api\/(admins|invites)\b|^\S+ \/api\/audit\/export$|^DELETE \/api\/databases\/\{database\}$/;
const ownAccount = /^\S+ \/api\/(session|admin)\b(?!s)/;

describe('a route', () => {
  it('asks for a session: there are so many, and none is left out', () => expect(routes.length).toBeGreaterThan(35));

  it.each(titles)('%s is for whom its role lets, and says so to the others', async (title, { method, path }) => {
    const isReading = method === 'GET';
    for (const role of ['owner', 'editor', 'viewer', 'nobody']) {
      // Signing out would end the session that the next tries need.
      if (title === 'DELETE /api/session' && role !== 'nobody') continue;
      const answer = await callAdmin(api, nowhere(path), { method, cookie: cookies[role] ?? null });
      const mayNot =
        role !== 'owner' && !ownAccount.test(title) && (ofOwners.test(title) || (role === 'viewer' && !isReading));
      if (role === 'nobody') expect(answer.status).toBe(401);
      else if (mayNot) expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      else expect([401, 403, 500]).not.toContain(answer.status);
    }
  });

  it('takes no other spelling of its path for another route', async () => {
    const paths = [
      '/admins/',
      '//admins',
      '/./admins',
      '/x/../admins',
      '/%61dmins',
      '/ADMINS',
      '/admins?x=1',
      '/admins;x',
    ];
    for (const path of [...paths, '/admins%2f', '/audit/export/', '/audit%2fexport', '/Audit/export']) {
      for (const role of ['editor', 'viewer']) {
        const { status, text } = await callAdmin(api, path, { cookie: cookies[role] ?? null });
        expect([403, 404]).toContain(status);
        expect(text).not.toContain('owner@example.org');
      }
    }
    const override = { 'x-http-method-override': 'DELETE' };
    const { status } = await callAdmin(api, '/databases/default', {
      method: 'POST',
      headers: override,
      cookie: cookies.editor ?? null,
    });
    expect([403, 405]).toContain(status);
  });
});

describe('every change by an admin', () => {
  const call = (method: string, path: string, body?: unknown) =>
    callAdmin(api, path, { method, cookie: cookies.owner ?? null, ...(body === undefined ? {} : { body }) });
  const newest = async () => {
    const { body } = await call('GET', '/audit?max=1');
    return (body as { data: AuditEntryAnswer[] }).data[0];
  };
  const answered: Record<string, string> = {};
  const userPassword = 'a password of some user';
  const tokenSecret = 'a secret that another service signs with';

  /** Each route that changes something, with a request that does; in this order. What is made is named in `answered`. */
  const changes: [route: string, action: string | null, path: () => string | Promise<string>, body?: () => unknown][] =
    [
      ['POST /api/databases', 'database.create', () => '/databases', () => ({ name: 'shop' })],
      ['PATCH /api/databases/{database}', 'database.rename', () => '/databases/shop', () => ({ name: 'store' })],
      [
        'PATCH /api/databases/{database}/settings',
        'settings.update',
        () => '/databases/store/settings',
        () => ({ realtime: { global: true }, auth: { issuer: 'https://issuer.example/' } }),
      ],
      [
        'PUT /api/databases/{database}/collections/{collection}',
        'collection.create',
        () => '/databases/store/collections/item',
      ],
      [
        'PUT /api/databases/{database}/collections/{collection}/schema',
        'schema.update',
        () => '/databases/store/collections/item/schema',
        () => ({ type: 'object', properties: { n: { type: 'number' } } }),
      ],
      [
        'DELETE /api/databases/{database}/collections/{collection}/schema',
        'schema.remove',
        () => '/databases/store/collections/item/schema',
      ],
      [
        'POST /api/databases/{database}/collections/{collection}/indexes',
        'index.create',
        () => '/databases/store/collections/item/indexes',
        () => ({ name: 'by_n', fields: ['n'] }),
      ],
      [
        'DELETE /api/databases/{database}/collections/{collection}/indexes/{index}',
        'index.drop',
        () => '/databases/store/collections/item/indexes/by_n',
      ],
      [
        'PATCH /api/databases/{database}/collections/{collection}',
        'collection.rename',
        () => '/databases/store/collections/item',
        () => ({ name: 'goods' }),
      ],
      [
        'POST /api/databases/{database}/collections/{collection}/truncate',
        'collection.truncate',
        () => '/databases/store/collections/goods/truncate?confirm=goods',
      ],
      [
        'DELETE /api/databases/{database}/collections/{collection}',
        'collection.drop',
        () => '/databases/store/collections/goods?confirm=goods',
      ],
      [
        'POST /api/databases/{database}/keys',
        'key.create',
        () => '/databases/store/keys',
        () => ({ name: 'app', rest: ['*:*'] }),
      ],
      [
        'PATCH /api/databases/{database}/keys/{key}',
        'key.update',
        () => `/databases/store/keys/${answered.id}`,
        () => ({ name: 'app2' }),
      ],
      [
        'POST /api/databases/{database}/keys/{key}/rotate',
        'key.rotate',
        () => `/databases/store/keys/${answered.id}/rotate`,
        () => ({ overlapSeconds: 0 }),
      ],
      [
        'POST /api/databases/{database}/users',
        'user.create',
        () => '/databases/store/users',
        () => ({ email: 'uma@example.org', password: userPassword, role: 'member' }),
      ],
      [
        'POST /api/databases/{database}/users/{user}/reset-token',
        'user.reset',
        () => `/databases/store/users/${answered.id}/reset-token`,
      ],
      [
        'DELETE /api/databases/{database}/users/{user}/sessions',
        'user.sessions',
        async () => {
          const login = { email: 'uma@example.org', password: userPassword };
          const headers = { 'content-type': 'application/json', 'x-apikey': answered.text ?? '' };
          const body = JSON.stringify(login);
          expect((await fetch(`${api.url}/auth/login`, { method: 'POST', headers, body })).status).toBe(200);
          return `/databases/store/users/${answered.id}/sessions`;
        },
      ],
      [
        'PUT /api/databases/{database}/auth/secret',
        'auth.secret',
        () => '/databases/store/auth/secret',
        () => ({ secret: tokenSecret }),
      ],
      ['DELETE /api/databases/{database}/auth/secret', 'auth.secret', () => '/databases/store/auth/secret'],
      [
        'POST /api/databases/{database}/roles',
        'role.create',
        () => '/databases/store/roles',
        () => ({ name: 'member', rest: ['GET:note'], rules: { note: { q: { owner: '$user.sub' } } } }),
      ],
      [
        'PATCH /api/databases/{database}/roles/{role}',
        'role.update',
        () => '/databases/store/roles/member',
        () => ({ rest: ['*:note'] }),
      ],
      ['DELETE /api/databases/{database}/roles/{role}', 'role.delete', () => '/databases/store/roles/member'],
      ['DELETE /api/databases/{database}/keys/{key}', 'key.revoke', () => `/databases/store/keys/${answered.key}`],
      ['POST /api/invites', 'invite.create', () => '/invites', () => ({ email: 'eve@example.org', role: 'viewer' })],
      ['DELETE /api/invites/{invite}', 'invite.delete', () => `/invites/${answered.id}`],
      ['PATCH /api/admins/{admin}', 'admin.role', () => `/admins/${answered.viewer}`, () => ({ role: 'editor' })],
      [
        'DELETE /api/admins/{admin}/sessions/{session}',
        'session.end',
        () => `/admins/${answered.editor}/sessions/${answered.session}`,
      ],
      ['DELETE /api/admins/{admin}', 'admin.remove', () => `/admins/${answered.viewer}`],
      [
        'POST /api/admin/password',
        'admin.password',
        () => '/admin/password',
        () => ({ password, newPassword: `${password} 2` }),
      ],
      ['DELETE /api/databases/{database}', 'database.delete', () => '/databases/store', () => ({ confirm: 'store' })],
      // Nothing is stored before it is confirmed; what follows on it is tried with the one-time codes.
      ['POST /api/admin/totp', null, () => '/admin/totp', () => ({ password: `${password} 2` })],
    ];
  const elsewhere = [
    'PUT /api/admin/totp',
    'POST /api/admin/totp/disable',
    'DELETE /api/admin/sessions/{session}',
    'DELETE /api/session',
  ];

  it('is tried here or with the accounts', () => {
    const changing = routes.filter(({ method }) => method !== 'GET').map(({ method, path }) => `${method} ${path}`);
    expect([...changes.map(([route]) => route), ...elsewhere].sort()).toEqual([...changing].sort());
  });

  it('is written down: who, what, where, from where', async () => {
    const people = (await call('GET', '/admins')).body as { data: { id: string; email: string }[] };
    for (const { id, email } of people.data) answered[email.split('@')[0] ?? ''] = id;
    const sessions = (await call('GET', `/admins/${answered.editor}/sessions`)).body as { data: { id: string }[] };
    answered.session = sessions.data[0]?.id ?? '';
    for (const [route, action, path, body] of changes) {
      const before = (await newest())?.id;
      const answer = await call(route.split(' ')[0] ?? '', await path(), body?.());
      expect(`${route} ${answer.status}`).toMatch(/ 20\d$/);
      const made = answer.body as { id?: string; key?: string } | null;
      if (made?.id !== undefined && route.startsWith('POST')) answered.id = made.id;
      if (made?.key !== undefined) [answered.key, answered.text] = [made.id ?? '', made.key];
      const entry = await newest();
      if (action === null) expect(entry?.id).toBe(before);
      else {
        expect(entry).toMatchObject({
          action,
          name: 'owner@example.org',
          address: expect.stringContaining('127.0.0.1'),
        });
        expect(entry?.actor).toBe(`admin:${answered.owner}`);
        expect(entry?.database).toBe(
          route.includes('{database}') || route.endsWith('/databases')
            ? route === 'POST /api/databases'
              ? 'shop'
              : 'store'
            : null,
        );
      }
    }
  });

  it('says how it was before and after', async () => {
    const { body } = await call('GET', '/audit?database=store&max=1000');
    const entries = (body as { data: AuditEntryAnswer[] }).data;
    const shown = (action: string) =>
      entries.filter((entry) => entry.action === action).map(({ subject, before, after }) => [subject, before, after]);
    const rest = (...grants: string[]) => expect.objectContaining({ name: 'member', rest: grants });
    expect(shown('role.create')).toEqual([['member', null, rest('GET:note')]]);
    expect(shown('role.update')).toEqual([['member', rest('GET:note'), rest('*:note')]]);
    expect(shown('role.delete')).toEqual([['member', rest('*:note'), null]]);
    const isSet = (is: boolean) => expect.objectContaining({ isSet: is });
    expect(shown('auth.secret')).toEqual([
      ['auth', isSet(true), isSet(false)],
      ['auth', isSet(false), isSet(true)],
    ]);
    const user = shown('user.create')[0]?.[0];
    expect(shown('user.create')).toEqual([[user, null, { email: 'uma@example.org', role: 'member' }]]);
    expect(shown('user.reset')).toEqual([[user, null, { email: 'uma@example.org' }]]);
    expect(shown('user.sessions')).toEqual([[user, null, { ended: 1 }]]);
    const [, before, after] = shown('settings.update')[0] ?? [];
    expect([before, after]).toMatchObject([
      { realtime: { global: false }, auth: { issuer: null } },
      { realtime: { global: true }, auth: { issuer: 'https://issuer.example/' } },
    ]);
  });

  it('that is refused, or changes nothing, makes no entry', async () => {
    await call('POST', '/databases', { name: 'other' });
    const path = '/databases/other';
    const role = { name: 'member', rest: ['GET:note'] };
    expect((await call('POST', `${path}/roles`, role)).status).toBe(201);
    const before = (await newest())?.id;
    const user = '577c0bd7a1c2d3e4f5a6b7c8';
    for (const [method, place, body, status] of [
      ['POST', 'roles', role, 409],
      ['POST', 'roles', { name: 'x', rules: { note: { q: { owner: '$user.name' } } } }, 422],
      ['PATCH', 'roles/nobody', { rest: [] }, 404],
      ['DELETE', 'roles/nobody', undefined, 404],
      ['POST', `users/${user}/reset-token`, undefined, 404],
      ['DELETE', `users/${user}/sessions`, undefined, 404],
      ['PUT', 'auth/secret', { secret: '' }, 422],
      ['DELETE', 'auth/secret', undefined, 200],
    ] as const)
      expect([method, place, (await call(method, `${path}/${place}`, body)).status]).toEqual([method, place, status]);
    expect((await newest())?.id).toBe(before);
  });

  it('is exported for owners, line by line, with no secret in it', async () => {
    const { status, text, headers } = await call('GET', '/audit/export');
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toContain('audit.ndjson');
    const entries = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as AuditEntryAnswer);
    expect(entries.map(({ id }) => id)).toEqual(entries.map(({ id }) => id).sort((a, b) => a - b));
    for (const secret of [password, 'argon2', 'inv_', 'rs_', userPassword, tokenSecret, api.setupToken])
      expect(text).not.toContain(secret);
    expect((await call('GET', '/audit/export?before=1')).status).toBe(400);
    for (const wrong of ['max=0', 'max=1001', 'before=x', 'who=me'])
      expect((await call('GET', `/audit?${wrong}`)).status).toBe(400);
  });

  it('caused no accident', () => expect(api.accidents).toEqual([]));
});
