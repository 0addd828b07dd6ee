import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { JsonObject } from '@tidewire/protocol/json';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction } from './admin-transaction.js';
import { createApiKeys } from './api-keys.js';
import {
  type AuditChange,
  type AuditLog,
  auditStatement,
  createAuditLog,
  type Doer,
  recordAudit,
} from './audit-log.js';
import { createDatabases } from './databases.js';
import { createSettings } from './settings.js';

let connections: PostgresConnections;
let audit: AuditLog;
let databaseId: number;
const ada: Doer = { actor: 'admin:1', name: 'ada@example.org', address: '192.0.2.7' };
const change: AuditChange = { action: 'key.create', database: null, subject: 'k1', after: { name: 'app' } };

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  audit = createAuditLog(connections);
  ({ id: databaseId } = await createDatabases(connections).ensure('default'));
});
afterAll(() => connections.close());

const newest = async () => (await audit.list({}, 1)).data[0];
const count = async () => (await audit.list({}, 1_000)).data.length;

describe('an entry', () => {
  it('says who did what, from where, and how it was before and after', async () => {
    await recordAudit(connections.prisma, ada, { ...change, database: databaseId, before: { name: 'old' } });
    expect(await newest()).toMatchObject({
      actor: 'admin:1',
      name: 'ada@example.org',
      address: '192.0.2.7',
      action: 'key.create',
      database: 'default',
      subject: 'k1',
      before: { name: 'old' },
      after: { name: 'app' },
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  });

  it('is not there when its change was taken back, by Prisma or by the raw driver', async () => {
    const before = await count();
    const work = inTransaction(connections.prisma, async (transaction) => {
      await recordAudit(transaction, ada, change);
      throw new Error('taken back');
    });
    await expect(work).rejects.toThrow('taken back');
    const client = await connections.pool.connect();
    await client.query('BEGIN');
    await client.query(auditStatement(ada, change));
    await client.query('ROLLBACK');
    client.release();
    expect(await count()).toBe(before);
  });

  it.each([
    'UPDATE audit_entries SET actor = $1',
    'UPDATE audit_entries SET at = now() WHERE actor <> $1',
    'DELETE FROM audit_entries WHERE actor <> $1',
  ])('is neither changed nor deleted: %s', async (statement) => {
    const before = (await audit.list({}, 1_000)).data;
    for (const pool of [connections.pool, connections.lanePool, connections.retentionPool])
      await expect(pool.query(statement, ['nobody'])).rejects.toMatchObject({ code: '42501' });
    for (const pool of [connections.pool, connections.lanePool])
      await expect(pool.query('TRUNCATE audit_entries')).rejects.toMatchObject({ code: '42501' });
    await audit.sweep();
    expect((await audit.list({}, 1_000)).data).toEqual(before);
  });

  it('goes after 400 days, and not a day earlier', async () => {
    const before = await count();
    const old = (days: number) =>
      connections.pool.query(
        `INSERT INTO audit_entries (at, actor, name, action, subject) VALUES (now() - make_interval(days => $1), 'cli', 'cli', 'old', $2)`,
        [days, String(days)],
      );
    for (const days of [399, 401, 4_000]) await old(days);
    await audit.sweep();
    expect(await count()).toBe(before + 1);
    expect((await audit.list({ action: 'old' }, 10)).data.map(({ subject }) => subject)).toEqual(['399']);
  });

  it('holds no secret, whatever it was given', async () => {
    const canaries = ['password', 'newPassword', 'passwordHash', 'secret', 'totpSecret', 'sealed', 'hash', 'token'];
    const more = ['ticket', 'jwt', 'key', 'cookie', 'Authorization', 'code'];
    const values = Object.fromEntries([...canaries, ...more].map((name) => [name, `canary-${name}`]));
    const nested = { ...values, list: [{ deep: values }], note: 'kept' };
    await recordAudit(connections.prisma, ada, { ...change, before: nested, after: nested });
    await connections.pool.query(auditStatement(ada, { ...change, before: nested, after: nested }));
    const { data } = await audit.list({}, 2);
    expect(JSON.stringify(data)).not.toContain('canary');
    for (const { after } of data) expect(after).toMatchObject({ note: 'kept', password: '[secret]' });
  });

  it.each<JsonObject>([
    { text: 'NUL\u0000 \ud800 "\\" \u2028 😀' },
    { 'NUL\u0000 \udc00 \\u0000': '\\u0000 \\\\ud800' },
    { deep: JSON.parse(`${'['.repeat(500)}1${']'.repeat(500)}`) },
    { big: 'x'.repeat(1_000_000) },
  ])('takes every JSON value, and of what is too long only the size', async (after) => {
    await recordAudit(connections.prisma, ada, { ...change, after, subject: `\u0000${'s'.repeat(1_000)}` });
    const entry = await newest();
    expect(entry?.after).not.toBeNull();
    expect(JSON.stringify(entry).length).toBeLessThan(40_000);
    if ('text' in after) expect(entry?.after).toEqual({ text: 'NUL\ufffd \ufffd "\\" \u2028 😀' });
  });
});

describe('the changes of keys and settings', () => {
  it('have one entry each, with the database, and none when nothing was changed', async () => {
    const catalog = createCatalog(connections.pool);
    const notify = () => undefined;
    const keys = createApiKeys({ ...connections, catalog, notify, now: Date.now });
    const settings = createSettings({ ...connections, catalog, notify });
    const from = (await newest())?.id ?? 0;
    const request = { name: 'app', rest: ['GET:a'], listen: [], publish: [], origins: [] };
    const { id, key } = await keys.create(databaseId, request, ada);
    await keys.update(databaseId, id, { rest: ['GET:b'] }, ada);
    await keys.revoke(databaseId, id, ada);
    await keys.revoke(databaseId, id, ada);
    await expect(keys.update(databaseId, id, { name: 'x' }, ada)).rejects.toMatchObject({ code: 'conflict' });
    await expect(keys.revoke(databaseId, 'nobody', ada)).rejects.toMatchObject({ code: 'not_found' });
    await settings.patch(databaseId, { realtime: { global: true } }, ada);
    const { data } = await audit.list({ actor: 'ada@example.org' }, 100);
    const made = data.filter((entry) => entry.id > from).reverse();
    expect(made.map(({ action, database, subject }) => [action, database, subject])).toEqual([
      ['key.create', 'default', id],
      ['key.update', 'default', id],
      ['key.revoke', 'default', id],
      ['settings.update', 'default', 'settings'],
    ]);
    expect(made[1]).toMatchObject({ before: { rest: ['GET:a'] }, after: { rest: ['GET:b'] } });
    expect(made[3]).toMatchObject({
      before: { realtime: { global: false } },
      after: { realtime: { global: true } },
    });
    expect(JSON.stringify(data)).not.toContain(key.slice(16));
  });
});

describe('the log', () => {
  it('is read in pages, newest first, without a double or a hole, by every filter', async () => {
    for (let n = 0; n < 25; n += 1) {
      const database = n % 2 === 0 ? 'even' : 'odd';
      await recordAudit(
        connections.prisma,
        { ...ada, actor: `admin:p${n % 5}` },
        { ...change, database, subject: `${n}` },
      );
    }
    const all: number[] = [];
    for (let before: number | undefined; ; ) {
      const page = await audit.list({ before }, 7);
      all.push(...page.data.map(({ id }) => id));
      if (page.next === null) break;
      before = page.next;
    }
    expect(all).toEqual([...new Set(all)].sort((a, b) => b - a));
    expect(all).toHaveLength(await count());
    const subjects = async (filter: Parameters<AuditLog['list']>[0]) =>
      (await audit.list(filter, 1_000)).data.map(({ subject }) => subject);
    expect(await subjects({ database: 'odd', actor: 'admin:p3' })).toEqual(['23', '13', '3']);
    expect(await subjects({ action: 'key.*', database: 'even' })).toHaveLength(13);
    expect(await subjects({ action: 'ke.*', database: 'even' })).toEqual([]);
    expect(await subjects({ action: '%', database: 'even' })).toEqual([]);
    expect(await subjects({ database: 'e\u0000ven' })).toEqual([]);
  });

  it('is exported whole, oldest first, however long it is', async () => {
    await connections.pool.query(
      `INSERT INTO audit_entries (actor, name, action, subject) SELECT 'cli', 'cli', 'many', n::text FROM generate_series(1, 1200) n`,
    );
    let text = '';
    for await (const piece of audit.export({ action: 'many' })) text += piece;
    const lines = text.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).subject)).toEqual(
      Array.from({ length: 1_200 }, (_, n) => String(n + 1)),
    );
  });
});
