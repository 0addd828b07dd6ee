import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAdminSessions } from './admin-sessions.js';
import { type Admins, createAdmins } from './admins.js';
import { createApiKeys } from './api-keys.js';
import { createKeyAuthenticator } from './authenticate-key.js';
import { createDatabases } from './databases.js';
import { createLastUseRecorder } from './last-use.js';
import { createLoginThrottle } from './login-throttle.js';
import { createPasswords } from './passwords.js';
import { createSettings } from './settings.js';
import { createSetupToken } from './setup-token.js';

let address: PostgresAddress;
let connections: PostgresConnections;
let databaseId: number;
const notices: [number, number][] = [];
const notify = (id: number, version: number) => void notices.push([id, version]);

beforeAll(async () => {
  ({ address } = await createTestDatabase());
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  databaseId = (await createDatabases(connections).ensure('default')).id;
});
afterAll(() => connections.close());

async function configVersion(): Promise<number> {
  const row = await connections.prisma.logHead.findUniqueOrThrow({ where: { databaseId } });
  return row.configVersion;
}

describe('databases', () => {
  it('are made once by any number of processes that ensure them at once, with the head of their log', async () => {
    const others = Array.from({ length: 4 }, () => connectPostgres(address, { onConnectionError: () => undefined }));
    const made = await Promise.all([...others, ...others].map((each) => createDatabases(each).ensure('race')));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    expect(await connections.prisma.logHead.count({ where: { databaseId: made[0]?.id ?? 0 } })).toBe(1);
    await Promise.all(others.map((each) => each.close()));
  });

  it('refuse a taken name and a text that is no name', async () => {
    const databases = createDatabases(connections);
    await expect(databases.create('default')).rejects.toMatchObject({ code: 'conflict' });
    for (const name of ['', 'A', '1a', 'a b', 'a'.repeat(64)]) {
      await expect(databases.create(name)).rejects.toMatchObject({ code: 'validation_failed' });
    }
    await expect(databases.get('nobody')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('keys', () => {
  const request = { name: 'app', rest: ['GET:company'], listen: [], publish: [], origins: [] };

  it('raise the configuration version with every change, refresh the catalog and tell the others', async () => {
    const catalog = createCatalog(connections.pool);
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now: Date.now });
    const before = await configVersion();
    const { id, key } = await apiKeys.create(databaseId, request);
    expect(catalog.peek(databaseId)?.keys.get(id)?.rest).toEqual(['GET:company']);
    await apiKeys.update(databaseId, id, { rest: ['*:*'] });
    expect(catalog.peek(databaseId)?.keys.get(id)?.rest).toEqual(['*:*']);
    const revoked = await apiKeys.revoke(databaseId, id);
    expect(revoked.revokedAt).not.toBeNull();
    expect(await apiKeys.revoke(databaseId, id)).toEqual(revoked);
    expect(await configVersion()).toBe(before + 4);
    expect(notices.slice(-4).map(([, version]) => version)).toEqual([1, 2, 3, 4].map((n) => before + n));
    await expect(apiKeys.update(databaseId, id, { name: 'x' })).rejects.toMatchObject({ code: 'conflict' });
    expect(await createKeyAuthenticator({ catalog, now: Date.now }).verify(key)).toEqual({ status: 'revoked' });
  });

  it('are stored as a hash only', async () => {
    const catalog = createCatalog(connections.pool);
    const { key } = await createApiKeys({ ...connections, catalog, notify, now: Date.now }).create(databaseId, request);
    const secret = key.slice(16);
    const { rows } = await connections.pool.query('SELECT to_jsonb(k)::text AS row FROM api_keys k');
    expect(rows.length).toBeGreaterThan(0);
    for (const { row } of rows) expect(row).not.toContain(secret);
  });

  it('of another database are not found', async () => {
    const catalog = createCatalog(connections.pool);
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now: Date.now });
    const { id } = await apiKeys.create(databaseId, request);
    const other = await createDatabases(connections).ensure('neighbour');
    await expect(apiKeys.update(other.id, id, { name: 'x' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(apiKeys.revoke(other.id, id)).rejects.toMatchObject({ code: 'not_found' });
    expect(await apiKeys.list(other.id)).toEqual([]);
    expect((await connections.prisma.apiKey.findUniqueOrThrow({ where: { id } })).revokedAt).toBeNull();
  });

  it('made by another process are known at their first use', async () => {
    const mine = createCatalog(connections.pool);
    await mine.byId(databaseId);
    const theirs = createApiKeys({ ...connections, catalog: createCatalog(connections.pool), notify, now: Date.now });
    const { key } = await theirs.create(databaseId, request);
    expect(await createKeyAuthenticator({ catalog: mine, now: Date.now }).verify(key)).toMatchObject({
      status: 'verified',
    });
  });

  it('have their last use recorded, the newest one, from any number of processes', async () => {
    const catalog = createCatalog(connections.pool);
    const { id } = await createApiKeys({ ...connections, catalog, notify, now: Date.now }).create(databaseId, request);
    const onError = () => undefined;
    const early = createLastUseRecorder({ pool: connections.pool, now: () => Date.UTC(2030, 0, 1), onError });
    const late = createLastUseRecorder({ pool: connections.pool, now: () => Date.UTC(2030, 0, 2), onError });
    for (const recorder of [late, early]) {
      recorder.touch(id);
      recorder.touch('not-a-key-of-ours');
      await recorder.close();
    }
    const { lastUsedAt } = await connections.prisma.apiKey.findUniqueOrThrow({ where: { id } });
    expect(lastUsedAt?.toISOString()).toBe('2030-01-02T00:00:00.000Z');
  });
});

describe('settings', () => {
  it('patched at the same time lose none of the changes', async () => {
    const settings = createSettings({ ...connections, catalog: createCatalog(connections.pool), notify });
    await Promise.all([
      settings.patch(databaseId, { realtime: { global: true } }),
      settings.patch(databaseId, { collections: { createOnWrite: false } }),
    ]);
    const { settings: stored } = await createDatabases(connections).get('default');
    expect(stored).toMatchObject({ realtime: { global: true }, collections: { createOnWrite: false } });
  });
});

describe('admins', () => {
  const serverSecret = 'a secret of this test';
  const email = 'ada@example.org';
  const password = 'correct horse battery';
  let time = Date.now();
  const now = () => time;

  function makeAdmins(): Admins {
    const { prisma, pool } = connections;
    const sessions = createAdminSessions({ prisma, serverSecret, now });
    const throttle = createLoginThrottle({ pool, now });
    return createAdmins({
      prisma,
      sessions,
      throttle,
      passwords: createPasswords(),
      setupToken: createSetupToken(serverSecret),
    });
  }

  it('of fifty first ones at the same time exactly one is made, and the door closes', async () => {
    const { text: token } = createSetupToken(serverSecret);
    const doors = [makeAdmins(), makeAdmins()];
    expect(await doors[0]?.isSetupNeeded()).toBe(true);
    await expect(doors[0]?.setUp({ token: 'wrong', email, password })).rejects.toMatchObject({ code: 'forbidden' });
    const tries = Array.from({ length: 50 }, (_, n) =>
      doors[n % 2]?.setUp({ token, email: n === 0 ? email : `admin${n}@example.org`, password }),
    );
    const outcomes = await Promise.allSettled(tries);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' });
    expect(await connections.prisma.admin.count()).toBe(1);
    expect(await doors[0]?.isSetupNeeded()).toBe(false);
    await connections.prisma.admin.updateMany({ data: { email } });
  });

  it('sign in with the right password, and with nothing else in the same words', async () => {
    const admins = makeAdmins();
    const { admin, token } = await admins.signIn({ email, password, address: '192.0.2.1' });
    expect(admin.email).toBe(email);
    expect(token.split('.')).toHaveLength(3);
    const refusal = { code: 'unauthenticated', detail: 'E-mail address or password is wrong.' };
    for (const wrong of ['', 'Correct horse battery', `${password}\u0000`, 'x'.repeat(100_000)]) {
      await expect(admins.signIn({ email, password: wrong, address: '192.0.2.1' })).rejects.toMatchObject(refusal);
    }
    await expect(admins.signIn({ email: 'nobody@example.org', password, address: '192.0.2.1' })).rejects.toMatchObject(
      refusal,
    );
  });

  it('are guessed at no more than ten times in fifteen minutes, from however many addresses and processes, all at once', async () => {
    await connections.prisma.loginThrottle.deleteMany();
    const doors = [makeAdmins(), makeAdmins()];
    const guesses = Array.from({ length: 200 }, (_, n) =>
      doors[n % 2]?.signIn({ email, password: `guess ${n}`, address: `198.51.100.${n}` }),
    );
    const codes = (await Promise.allSettled(guesses)).map((outcome) =>
      outcome.status === 'rejected' ? outcome.reason.code : 'in',
    );
    expect(codes.filter((code) => code === 'unauthenticated')).toHaveLength(10);
    expect(codes.filter((code) => code === 'too_many_requests')).toHaveLength(190);
    const shut = doors[0]?.signIn({ email, password, address: '203.0.113.1' });
    await expect(shut).rejects.toMatchObject({
      code: 'too_many_requests',
      headers: { 'Retry-After': expect.stringMatching(/^\d+$/) },
    });
    time += 15 * 60_000 + 1;
    await expect(doors[0]?.signIn({ email, password, address: '203.0.113.1' })).resolves.toMatchObject({
      admin: { email },
    });
  });

  it('of one address are guessed at no more than fifty times, over however many accounts', async () => {
    await connections.prisma.loginThrottle.deleteMany();
    const throttle = createLoginThrottle({ pool: connections.pool, now });
    const verdicts = await Promise.all(
      Array.from({ length: 200 }, (_, n) => throttle.attempt(`account${n}@example.org`, `2001:db8::${n.toString(16)}`)),
    );
    expect(verdicts.filter(({ status }) => status === 'go')).toHaveLength(50);
    time += 15 * 60_000 + 1;
    await throttle.sweep();
    expect(await connections.prisma.loginThrottle.count()).toBe(0);
  });

  it('lose their session when it is ended or over', async () => {
    await connections.prisma.loginThrottle.deleteMany();
    const admins = makeAdmins();
    const sessions = createAdminSessions({ prisma: connections.prisma, serverSecret, now });
    const { id: adminId } = await connections.prisma.admin.findFirstOrThrow();
    await sessions.start(adminId);
    const { id: sessionId } = await connections.prisma.adminSession.findFirstOrThrow({
      orderBy: { createdAt: 'desc' },
    });
    const principal = await sessions.find(sessionId);
    expect(principal).toEqual({ kind: 'admin', adminId, email, sessionId });
    time += 7 * 24 * 60 * 60_000;
    expect(await sessions.find(sessionId)).toBeNull();
    time -= 7 * 24 * 60 * 60_000;
    if (principal !== null) await admins.signOut(principal);
    expect(await sessions.find(sessionId)).toBeNull();
  });
});
