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
import { createSealedSecrets } from './sealed-secrets.js';
import { createSettings } from './settings.js';
import { createSetupToken } from './setup-token.js';
import { createStreamCountReporter } from './stream-counts.js';

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

  it('are rotated under their id: the new text is good at once on every process, the old one until its time', async () => {
    let time = Date.now();
    const now = () => time;
    const catalog = createCatalog(connections.pool);
    const elsewhere = createCatalog(connections.pool);
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now });
    const here = createKeyAuthenticator({ catalog, now });
    const there = createKeyAuthenticator({ catalog: elsewhere, now });
    const made = await apiKeys.create(databaseId, request);
    expect(await there.verify(made.key)).toMatchObject({ status: 'verified' });
    const rotated = await apiKeys.rotate(databaseId, made.id, { overlapSeconds: 60 });
    expect([rotated.id, rotated.prefix, rotated.rest]).toEqual([made.id, made.prefix, made.rest]);
    expect(rotated.previousUntil).toBe(new Date(time + 60_000).toISOString());
    for (const keys of [here, there])
      for (const text of [rotated.key, made.key]) expect(await keys.verify(text)).toMatchObject({ status: 'verified' });
    time += 60_000;
    for (const keys of [here, there]) {
      expect(await keys.verify(made.key)).toEqual({ status: 'unknown' });
      expect(await keys.verify(rotated.key)).toMatchObject({ status: 'verified' });
    }
    expect((await apiKeys.get(databaseId, made.id)).previousUntil).toBeNull();
    const again = await apiKeys.rotate(databaseId, made.id, { overlapSeconds: 0 });
    expect(again.previousUntil).toBeNull();
    expect(await here.verify(rotated.key)).toEqual({ status: 'unknown' });
    await apiKeys.revoke(databaseId, made.id);
    await expect(apiKeys.rotate(databaseId, made.id, { overlapSeconds: 0 })).rejects.toMatchObject({
      code: 'conflict',
    });
  });

  it('rotated by several at once are good with the text of the last one alone, and no change is lost', async () => {
    const catalog = createCatalog(connections.pool);
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now: Date.now });
    const { id } = await apiKeys.create(databaseId, request);
    const [, ...texts] = await Promise.all([
      apiKeys.update(databaseId, id, { rateLimit: 7 }),
      ...Array.from({ length: 8 }, () => apiKeys.rotate(databaseId, id, { overlapSeconds: 0 })),
    ]);
    const keys = createKeyAuthenticator({ catalog, now: Date.now });
    const outcomes = await Promise.all(texts.map((one) => ('key' in one ? keys.verify(one.key) : null)));
    expect(outcomes.filter((outcome) => outcome?.status === 'verified')).toHaveLength(1);
    expect((await apiKeys.get(databaseId, id)).rateLimit).toBe(7);
  });

  it('are switched off and on, and keep the time at which they were', async () => {
    let time = Date.UTC(2031, 0, 1);
    const catalog = createCatalog(connections.pool);
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now: () => time });
    const keys = createKeyAuthenticator({ catalog, now: () => time });
    const { id, key } = await apiKeys.create(databaseId, request);
    const off = await apiKeys.update(databaseId, id, { disabled: true });
    expect(off.disabledAt).toBe('2031-01-01T00:00:00.000Z');
    expect(await keys.verify(key)).toEqual({ status: 'revoked' });
    time += 60_000;
    expect((await apiKeys.update(databaseId, id, { disabled: true, name: 'still off' })).disabledAt).toBe(
      off.disabledAt,
    );
    expect((await apiKeys.update(databaseId, id, { disabled: false })).disabledAt).toBeNull();
    expect(await keys.verify(key)).toMatchObject({ status: 'verified' });
  });

  it('expire by themselves; an expiry that is over is refused, unless it is the one that the key has', async () => {
    let time = Date.UTC(2031, 0, 1);
    const catalog = createCatalog(connections.pool);
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now: () => time });
    const keys = createKeyAuthenticator({ catalog, now: () => time });
    const expiresAt = new Date(time + 1_000).toISOString();
    const { id, key } = await apiKeys.create(databaseId, { ...request, expiresAt });
    expect(await keys.verify(key)).toMatchObject({ status: 'verified' });
    time += 1_000;
    expect(await keys.verify(key)).toEqual({ status: 'revoked' });
    const over = new Date(time).toISOString();
    const refusal = { code: 'validation_failed', errors: [{ field: '/expiresAt' }] };
    time += 1;
    await expect(apiKeys.create(databaseId, { ...request, expiresAt: over })).rejects.toMatchObject(refusal);
    await expect(apiKeys.update(databaseId, id, { expiresAt: new Date(time).toISOString() })).rejects.toMatchObject(
      refusal,
    );
    expect((await apiKeys.update(databaseId, id, { expiresAt, name: 'late' })).name).toBe('late');
    expect((await apiKeys.update(databaseId, id, { expiresAt: null })).expiresAt).toBeNull();
    expect(await keys.verify(key)).toMatchObject({ status: 'verified' });
  });

  it('show the streams that are open with them on all processes, without those of a process that fell silent', async () => {
    const catalog = createCatalog(connections.pool);
    const { pool } = connections;
    const apiKeys = createApiKeys({ ...connections, catalog, notify, now: Date.now });
    const { id } = await apiKeys.create(databaseId, request);
    const onError = (error: unknown) => {
      throw error;
    };
    const held = [
      new Map([
        [id, 2],
        ['user:ada', 5],
      ]),
      new Map([[id, 3]]),
    ];
    const reporters = held.map((counts) => createStreamCountReporter({ pool, openStreams: () => counts, onError }));
    const shown = async () => [
      (await apiKeys.get(databaseId, id)).openStreams,
      (await apiKeys.list(databaseId)).find((key) => key.id === id)?.openStreams,
    ];
    expect(await shown()).toEqual([0, 0]);
    for (const reporter of reporters) await reporter.report();
    expect(await shown()).toEqual([5, 5]);
    held[0]?.clear();
    await reporters[0]?.report();
    expect(await shown()).toEqual([3, 3]);
    await pool.query("UPDATE stream_counts SET reported_at = now() - interval '21 seconds'");
    expect(await shown()).toEqual([0, 0]);
    // Without a change it is said again, not each time.
    for (let time = 0; time < 5; time += 1) await reporters[1]?.report();
    expect(await shown()).toEqual([3, 3]);
    for (const reporter of reporters) await reporter.close();
    expect((await pool.query('SELECT FROM stream_counts')).rowCount).toBe(0);
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
      secrets: createSealedSecrets(serverSecret),
      now,
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
    const atStart = [0, 1].map((n) => doors[n]?.ensureFirst({ email: `start${n}@example.org`, password }));
    const outcomes = await Promise.allSettled(tries);
    const made = outcomes.filter(({ status }) => status === 'fulfilled').length;
    expect(made + (await Promise.all(atStart)).filter(Boolean).length).toBe(1);
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'conflict' });
    expect(await connections.prisma.admin.count()).toBe(1);
    // Whoever starts the server gets no session.
    expect(await connections.prisma.adminSession.count()).toBe(made);
    expect(await doors[0]?.isSetupNeeded()).toBe(false);
    await connections.prisma.admin.updateMany({ data: { email } });
  });

  it('sign in with the right password, and with nothing else in the same words', async () => {
    const admins = makeAdmins();
    const { admin, token } = await admins.signIn({ email, password, address: '192.0.2.1' });
    expect(admin.email).toBe(email);
    expect(token.split('.')).toHaveLength(3);
    const refusal = { code: 'unauthenticated', detail: 'Email or password is wrong.' };
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
    expect(principal).toEqual({ kind: 'admin', adminId, email, role: 'owner', sessionId });
    time += 7 * 24 * 60 * 60_000;
    expect(await sessions.find(sessionId)).toBeNull();
    time -= 7 * 24 * 60 * 60_000;
    if (principal !== null) await admins.signOut({ ...principal, address: '' });
    expect(await sessions.find(sessionId)).toBeNull();
  });
});
