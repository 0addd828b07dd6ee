import { createSealedSecrets } from '@tidewire/access/sealed-secrets';
import type { AdminPerson, AdminSessionAnswer, InviteAnswer, TotpEnrolment } from '@tidewire/protocol/admins';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { totpCode } from '@tidewire/testing/totp-code';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CallInit, callAdmin, cookieOf, join, password } from './admin-call.fixture.js';
import { startTestApi, type TestApi } from './api.fixture.js';

let api: TestApi;
let owner: string;
let time = Date.now();

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address, { now: () => time });
});
afterAll(() => api.close());
beforeEach(() => api.connections.prisma.loginThrottle.deleteMany());

const call = (path: string, init: CallInit = {}) => callAdmin(api, path, { cookie: owner, ...init });
const signIn = (body: Record<string, unknown>) => callAdmin(api, '/session', { method: 'POST', body });
const people = async () => ((await call('/admins')).body as { data: AdminPerson[] }).data;
const idOf = async (email: string) => (await people()).find((person) => person.email === email)?.id ?? '';

describe('the first run', () => {
  it('of sixty tries to be the first admin makes exactly one, and the door is closed for good (class D4)', async () => {
    const attempt = (token: unknown, n: number) =>
      callAdmin(api, '/setup', { method: 'POST', body: { token, email: `first${n}@example.org`, password } });
    for (const token of ['', 'x', `${api.setupToken}x`, api.setupToken.slice(1), api.setupToken.toUpperCase()])
      expect((await attempt(token, 0)).status).toBe(403);
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => attempt(api.setupToken, n)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(49);
    for (const token of [api.setupToken, '', 'x', null, 5])
      expect([409, 422]).toContain((await attempt(token, 99)).status);
    const [first, ...others] = await api.connections.prisma.admin.findMany();
    expect(others).toEqual([]);
    await api.connections.prisma.admin.update({ where: { id: first?.id ?? '' }, data: { email: 'owner@example.org' } });
    owner = cookieOf((await signIn({ email: 'owner@example.org', password })).headers);
    expect((await call('/session')).body).toMatchObject({ admin: { email: 'owner@example.org', role: 'owner' } });
  });
});

describe('an invitation', () => {
  it('makes an admin with its role, once, whoever of several comes first', async () => {
    const made = await call('/invites', { method: 'POST', body: { email: 'Ed@Example.org', role: 'editor' } });
    expect(made).toMatchObject({
      status: 201,
      body: { email: 'ed@example.org', role: 'editor', invitedBy: 'owner@example.org' },
    });
    const { token, ...shown } = made.body as InviteAnswer & { token: string };
    const listed = (await call('/invites')).text;
    expect(JSON.parse(listed)).toEqual({ data: [shown] });
    expect(listed).not.toContain(token);
    const stored = JSON.stringify(await api.connections.prisma.adminInvite.findMany());
    expect(stored).not.toContain(token);
    const accept = () => callAdmin(api, '/invites/accept', { method: 'POST', body: { token, password } });
    const answers = await Promise.all([accept(), accept(), accept()]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 404, 404]);
    const cookie = cookieOf(answers.find(({ status }) => status === 201)?.headers ?? new Headers());
    expect((await callAdmin(api, '/admin', { cookie })).body).toMatchObject({
      email: 'ed@example.org',
      role: 'editor',
      hasTotp: false,
    });
    expect((await call('/invites')).body).toEqual({ data: [] });
  });

  it('takes the place of the one before, can be taken back, and is over after a week', async () => {
    const invite = async (email: string) =>
      (await call('/invites', { method: 'POST', body: { email, role: 'viewer' } })).body as InviteAnswer & {
        token: string;
      };
    const accept = async (token: string) =>
      (await callAdmin(api, '/invites/accept', { method: 'POST', body: { token, password } })).status;
    const first = await invite('eve@example.org');
    const second = await invite('eve@example.org');
    expect(await accept(first.token)).toBe(404);
    expect((await call(`/invites/${second.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await call(`/invites/${second.id}`, { method: 'DELETE' })).status).toBe(404);
    expect(await accept(second.token)).toBe(404);
    const third = await invite('eve@example.org');
    time += 7 * 24 * 60 * 60_000 + 1;
    expect(await accept(third.token)).toBe(404);
    time -= 7 * 24 * 60 * 60_000 + 1;
    for (const token of ['', 'inv_', third.token.slice(0, -1), `${third.token} `, third.token.toUpperCase()])
      expect(await accept(token)).toBe(404);
    expect(
      (await callAdmin(api, '/invites/accept', { method: 'POST', body: { token: third.token, password: 'short' } }))
        .status,
    ).toBe(422);
    expect((await call(`/invites/${third.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await call('/invites', { method: 'POST', body: { email: 'ed@example.org', role: 'viewer' } })).status).toBe(
      409,
    );
    for (const body of [
      { email: 'x', role: 'viewer' },
      { email: 'x@example.org', role: 'admin' },
      { email: 'x@example.org' },
    ])
      expect((await call('/invites', { method: 'POST', body })).status).toBe(422);
  });
});

describe('a role', () => {
  it('counts at once, and ends the sessions of who has another one now', async () => {
    const cookie = await join(api, owner, 'vera@example.org', 'viewer');
    const id = await idOf('vera@example.org');
    expect((await call(`/admins/${id}`, { method: 'PATCH', body: { role: 'editor' } })).body).toMatchObject({
      role: 'editor',
      sessions: 0,
    });
    expect((await callAdmin(api, '/session', { cookie })).status).toBe(401);
    const again = cookieOf((await signIn({ email: 'vera@example.org', password })).headers);
    const settings = { method: 'PATCH', body: { realtime: { global: false } }, cookie: again };
    expect((await callAdmin(api, '/databases/default/settings', settings)).status).toBe(200);
    await api.connections.prisma.admin.update({ where: { id }, data: { role: 'viewer' } });
    expect((await callAdmin(api, '/databases/default/settings', settings)).status).toBe(403);
    expect((await call(`/admins/${id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await callAdmin(api, '/session', { cookie: again })).status).toBe(401);
    expect((await call(`/admins/${id}`, { method: 'DELETE' })).status).toBe(404);
    for (const wrong of ['x', '%00', '00000000-0000-0000-0000-000000000000', "1' OR '1'='1"])
      expect((await call(`/admins/${wrong}`, { method: 'PATCH', body: { role: 'owner' } })).status).toBe(404);
  });

  it('of owner is always somebody’s, also when two owners take it from each other at once', async () => {
    const self = await idOf('owner@example.org');
    expect(await call(`/admins/${self}`, { method: 'PATCH', body: { role: 'viewer' } })).toMatchObject({ status: 409 });
    expect(await call(`/admins/${self}`, { method: 'DELETE' })).toMatchObject({
      status: 409,
      body: { detail: expect.stringContaining('last owner') },
    });
    for (let round = 0; round < 10; round += 1) {
      const email = `second${round}@example.org`;
      const second = await join(api, owner, email, 'owner');
      const other = await idOf(email);
      const act = (cookie: string, id: string) =>
        round % 2 === 0
          ? callAdmin(api, `/admins/${id}`, { method: 'DELETE', cookie })
          : callAdmin(api, `/admins/${id}`, { method: 'PATCH', cookie, body: { role: 'editor' } });
      await Promise.all([act(owner, other), act(second, self), act(second, other), act(owner, self)]);
      const { prisma } = api.connections;
      expect(await prisma.admin.count({ where: { role: 'owner' } })).toBe(1);
      const { email: left } = await prisma.admin.findFirstOrThrow({ where: { role: 'owner' } });
      // Whoever is left goes on as the owner of the next round.
      await prisma.admin.deleteMany({
        where: { email: { in: ['owner@example.org', email].filter((one) => one !== left) } },
      });
      await prisma.admin.updateMany({ where: { email: left }, data: { email: 'owner@example.org' } });
      await prisma.loginThrottle.deleteMany();
      owner = cookieOf((await signIn({ email: 'owner@example.org', password })).headers);
      const next = await idOf('owner@example.org');
      if (next !== self) break;
    }
  });
});

describe('sessions', () => {
  it('are listed with browser and address, and ended one by one, those of others by owners alone', async () => {
    const ed = cookieOf(
      (
        await callAdmin(api, '/session', {
          method: 'POST',
          body: { email: 'ed@example.org', password },
          headers: { 'user-agent': 'Browser A' },
        })
      ).headers,
    );
    const second = cookieOf(
      (
        await callAdmin(api, '/session', {
          method: 'POST',
          body: { email: 'ed@example.org', password },
          headers: { 'user-agent': `Browser B${'x'.repeat(5_000)}` },
        })
      ).headers,
    );
    const own = async (cookie: string) =>
      ((await callAdmin(api, '/admin/sessions', { cookie })).body as { data: AdminSessionAnswer[] }).data;
    const mine = await own(ed);
    expect(mine.filter(({ isCurrent }) => isCurrent)).toMatchObject([
      { userAgent: 'Browser A', address: expect.stringContaining('127.0.0.1') },
    ]);
    const other = mine.find(({ userAgent }) => userAgent.startsWith('Browser B'));
    expect(other?.userAgent).toHaveLength(300);
    const [ownerSession] = await own(owner);
    expect((await callAdmin(api, `/admin/sessions/${ownerSession?.id}`, { method: 'DELETE', cookie: ed })).status).toBe(
      404,
    );
    expect((await callAdmin(api, `/admin/sessions/${other?.id}`, { method: 'DELETE', cookie: ed })).status).toBe(204);
    expect((await callAdmin(api, '/session', { cookie: second })).status).toBe(401);
    const id = await idOf('ed@example.org');
    const current = mine.find(({ isCurrent }) => isCurrent);
    expect((await call(`/admins/${id}/sessions/${current?.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await callAdmin(api, '/session', { cookie: ed })).status).toBe(401);
    for (const wrong of ['x', '%00', ownerSession?.id])
      expect((await call(`/admins/${id}/sessions/${wrong}`, { method: 'DELETE' })).status).toBe(404);
  });

  it('other than the one that asks end with a new password, which needs the old one', async () => {
    const [first, second] = await Promise.all(
      [1, 2].map(async () => cookieOf((await signIn({ email: 'ed@example.org', password })).headers)),
    );
    const change = (body: unknown) => callAdmin(api, '/admin/password', { method: 'POST', body, cookie: first ?? '' });
    const newPassword = 'another horse battery';
    expect((await change({ password: 'wrong', newPassword })).status).toBe(403);
    expect((await change({ password, newPassword: 'short' })).status).toBe(422);
    expect((await callAdmin(api, '/session', { cookie: second ?? '' })).status).toBe(200);
    expect((await change({ password, newPassword })).status).toBe(204);
    expect((await callAdmin(api, '/session', { cookie: second ?? '' })).status).toBe(401);
    expect((await callAdmin(api, '/session', { cookie: first ?? '' })).status).toBe(200);
    expect((await signIn({ email: 'ed@example.org', password })).status).toBe(401);
    expect((await signIn({ email: 'ed@example.org', password: newPassword })).status).toBe(200);
    for (let guess = 0; guess < 12; guess += 1) await change({ password: `guess ${guess}`, newPassword });
    expect((await change({ password: newPassword, newPassword: password })).status).toBe(429);
    await api.connections.prisma.loginThrottle.deleteMany();
    expect((await change({ password: newPassword, newPassword: password })).status).toBe(204);
  });
});

describe('one-time codes', () => {
  let ed: string;
  let secret: string;
  let recoveryCodes: string[];

  const codeAt = (at: number) => totpCode(secret, at);
  const as = (path: string, method: string, body: unknown) => callAdmin(api, path, { method, body, cookie: ed });
  const credentials = { email: 'ed@example.org', password };

  it('are asked for from the moment when the first one was shown, not before', async () => {
    ed = cookieOf((await signIn(credentials)).headers);
    expect((await as('/admin/totp', 'POST', { password: 'wrong' })).status).toBe(403);
    const begun = await as('/admin/totp', 'POST', { password });
    expect(begun.status).toBe(200);
    const enrolment = begun.body as TotpEnrolment;
    secret = enrolment.secret;
    expect(enrolment.uri).toContain(secret);
    expect((await signIn(credentials)).status).toBe(200);
    const confirm = (code: string, sealed = enrolment.enrolment, cookie = ed) =>
      callAdmin(api, '/admin/totp', { method: 'PUT', body: { enrolment: sealed, code }, cookie });
    expect((await confirm(codeAt(time + 300_000))).status).toBe(403);
    expect((await confirm(codeAt(time), 'v1.xxxx')).status).toBe(400);
    expect((await confirm(codeAt(time), enrolment.enrolment, owner)).status).toBe(400);
    time += 11 * 60_000;
    expect((await confirm(codeAt(time))).status).toBe(400);
    time -= 11 * 60_000;
    const confirmed = await confirm(codeAt(time));
    expect(confirmed.status).toBe(200);
    ({ recoveryCodes } = confirmed.body as { recoveryCodes: string[] });
    expect(recoveryCodes).toHaveLength(10);
    expect((await confirm(codeAt(time))).status).toBe(409);
    expect((await as('/admin/totp', 'POST', { password })).status).toBe(409);
    const row = JSON.stringify(await api.connections.prisma.admin.findMany(), (_name, value) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    for (const text of [secret, ...recoveryCodes]) expect(row).not.toContain(text);
    expect((await people()).find(({ email }) => email === credentials.email)?.hasTotp).toBe(true);
  });

  it('are asked for after the right password only, and each is taken once', async () => {
    time += 60_000;
    expect(await signIn({ ...credentials, password: 'wrong' })).toMatchObject({
      status: 401,
      body: { code: 'unauthenticated' },
    });
    const asked = await signIn(credentials);
    expect(asked).toMatchObject({ status: 401, body: { code: 'code_needed' } });
    expect(asked.headers.getSetCookie()).toEqual([]);
    for (const code of ['000000', '', 'abcdef', codeAt(time + 90_000), codeAt(time - 90_000)])
      expect(await signIn({ ...credentials, code })).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    await api.connections.prisma.loginThrottle.deleteMany();
    const code = codeAt(time);
    const answers = await Promise.all(
      [1, 2, 3].map(() => signIn({ ...credentials, code: `${code.slice(0, 3)} ${code.slice(3)}` })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expect((await signIn({ ...credentials, code: codeAt(time - 30_000) })).status).toBe(401);
    time += 30_000;
    expect((await signIn({ ...credentials, code: codeAt(time) })).status).toBe(200);
  });

  it('are guessed at no more than ten times in fifteen minutes, though the password is known', async () => {
    const answers = [];
    for (let guess = 0; guess < 30; guess += 1)
      answers.push(await signIn({ ...credentials, code: String(guess).padStart(6, '0') }));
    expect(answers.filter(({ status }) => status === 401).length).toBeLessThanOrEqual(10);
    time += 30_000;
    expect((await signIn({ ...credentials, code: codeAt(time) })).status).toBe(429);
  });

  it('are made up for by recovery codes, each once, also when SECRET_KEY was changed', async () => {
    const [first = '', second = '', third = ''] = recoveryCodes;
    const answers = await Promise.all([1, 2, 3].map(() => signIn({ ...credentials, code: first })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401, 401]);
    expect((await signIn({ ...credentials, code: second.toUpperCase().replaceAll('-', ' ') })).status).toBe(200);
    const { prisma } = api.connections;
    const { id } = await prisma.admin.findUniqueOrThrow({ where: { email: credentials.email } });
    const otherKey = createSealedSecrets('the server had another secret before');
    await prisma.admin.update({ where: { id }, data: { totpSecret: otherKey.seal(secret, `totp:${id}`) } });
    expect(await signIn({ ...credentials, code: codeAt(time) })).toMatchObject({
      status: 401,
      body: { detail: expect.stringContaining('SECRET_KEY') },
    });
    expect((await signIn({ ...credentials, code: third })).status).toBe(200);
  });

  it('are asked for no more when they are switched off with the password, or by whoever is at the server', async () => {
    expect((await as('/admin/totp/disable', 'POST', { password: 'wrong' })).status).toBe(403);
    expect((await as('/admin/totp/disable', 'POST', { password })).status).toBe(204);
    expect((await as('/admin/totp/disable', 'POST', { password })).status).toBe(204);
    expect((await signIn(credentials)).status).toBe(200);
    await api.people.disableTotp('ed@example.org', { actor: 'cli', name: 'cli', address: '' });
    const given = await api.people.resetPassword('ED@example.org', { actor: 'cli', name: 'cli', address: '' });
    expect((await callAdmin(api, '/session', { cookie: ed })).status).toBe(401);
    expect((await signIn({ ...credentials, password: given })).status).toBe(200);
  });
});

describe('another site', () => {
  it('makes a browser change nothing here: 24 ways of asking (class C2)', async () => {
    const before = JSON.stringify([
      (await call('/databases')).body,
      (await call('/admins')).body,
      (await call('/invites')).body,
    ]);
    const json = JSON.stringify({ email: 'eve@example.org', role: 'owner' });
    const from: Record<string, string>[] = [
      { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
      { origin: 'https://evil.example' },
      { origin: 'null' },
      { origin: 'null', 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'cross-site', origin: api.url },
      { origin: api.url.replace(/:\d+$/, '') },
      { origin: `${api.url}.evil.example` },
      { origin: api.url.replace(/:\d+$/, ':1') },
      { origin: 'http://localhost' },
      { origin: '', 'sec-fetch-site': 'cross-site' },
    ];
    const statuses: number[] = [];
    for (const headers of from) {
      const sent = { cookie: owner, 'content-type': 'application/json', ...headers };
      statuses.push((await fetch(`${api.url}/api/invites`, { method: 'POST', headers: sent, body: json })).status);
    }
    // What a form can send, from a browser that says nothing of where it comes from.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const sent = { cookie: owner, 'content-type': type };
      statuses.push((await fetch(`${api.url}/api/invites`, { method: 'POST', headers: sent, body: json })).status);
      const evil = { ...sent, origin: 'https://evil.example' };
      statuses.push((await fetch(`${api.url}/api/invites`, { method: 'POST', headers: evil, body: json })).status);
    }
    const evil = { origin: 'https://evil.example', 'content-type': 'application/json' };
    const others: [string, string, string][] = [
      ['DELETE', '/session', ''],
      ['POST', '/session', JSON.stringify({ email: 'ed@example.org', password })],
      ['POST', '/setup', JSON.stringify({ token: api.setupToken, email: 'eve@example.org', password })],
      ['POST', '/admin/password', JSON.stringify({ password, newPassword: 'evil horse battery' })],
      ['DELETE', '/databases/default', JSON.stringify({ confirm: 'default' })],
      ['PATCH', '/databases/default/settings', JSON.stringify({ realtime: { global: true } })],
    ];
    for (const [method, path, body] of others) {
      const answer = await fetch(`${api.url}/api${path}`, {
        method,
        headers: { cookie: owner, ...evil },
        body: body || null,
      });
      statuses.push(answer.status);
      expect(answer.headers.getSetCookie()).toEqual([]);
    }
    expect(statuses).toHaveLength(24);
    expect(statuses.filter((status) => status !== 403 && status !== 415)).toEqual([]);
    expect((await call('/session')).status).toBe(200);
    expect(
      JSON.stringify([(await call('/databases')).body, (await call('/admins')).body, (await call('/invites')).body]),
    ).toBe(before);
    const preflight = await fetch(`${api.url}/api/invites`, {
      method: 'OPTIONS',
      headers: { origin: 'https://evil.example', 'access-control-request-method': 'POST' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull();
  });
});

it('caused no accident', () => expect(api.accidents).toEqual([]));
