import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createApiKeys } from './api-keys.js';
import { createAuditLog } from './audit-log.js';
import { createDatabaseRemoval } from './database-removal.js';
import { createDatabases, type Databases } from './databases.js';

let connections: PostgresConnections;
let databases: Databases;
const errors: unknown[] = [];
const onError = (error: unknown) => void errors.push(error);

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  const catalog = createCatalog(connections.pool);
  databases = createDatabases({ ...connections, catalog, notify: () => undefined });
  await databases.ensure('default');
});
afterAll(() => connections.close());

/** A database with so many documents and events in three collections, a key, an answer, and a user. */
async function fill(name: string, rows: number): Promise<number> {
  const { id } = await databases.ensure(name);
  const { lanePool, prisma } = connections;
  for (const collection of ['a', 'b', 'empty']) {
    const { id: collectionId } = await prisma.collection.create({ data: { databaseId: id, name: collection } });
    if (collection === 'empty') continue;
    await lanePool.query(
      `INSERT INTO documents (collection_id, id, body, data, created_at, changed_at, created_by, changed_by)
        SELECT $1, lpad(to_hex(n), 24, '0'), '{}', '{}', now(), now(), 'x', 'x' FROM generate_series(1, $2::int) n`,
      [collectionId, rows],
    );
  }
  await lanePool.query(
    `INSERT INTO events (database_id, id, type, actor, operation_id, at)
      SELECT $1, n, 'publish', 'x', gen_random_uuid(), now() FROM generate_series(1, $2::int) n`,
    [id, rows * 2],
  );
  await lanePool.query('UPDATE log_heads SET head = $2 WHERE database_id = $1', [id, rows * 2]);
  const keys = createApiKeys({
    ...connections,
    catalog: createCatalog(connections.pool),
    notify: () => undefined,
    now: Date.now,
  });
  await keys.create(id, { name: 'k', rest: ['*:*'], listen: [], publish: [], origins: [] });
  await lanePool.query(
    `INSERT INTO idempotency_keys (database_id, actor, key, fingerprint, status, body, created_at) VALUES ($1, 'x', 'x', 'x', 200, '', now())`,
    [id],
  );
  await prisma.userAccount.create({ data: { databaseId: id, id: 'u', email: 'u@example.org', passwordHash: '-' } });
  return id;
}

async function rowsOf(id: number): Promise<number> {
  const { rows } = await connections.pool.query<{ n: number }>(
    `SELECT (SELECT count(*) FROM events WHERE database_id = $1) + (SELECT count(*) FROM collections WHERE database_id = $1)
      + (SELECT count(*) FROM api_keys WHERE database_id = $1) + (SELECT count(*) FROM log_heads WHERE database_id = $1)
      + (SELECT count(*) FROM idempotency_keys WHERE database_id = $1) + (SELECT count(*) FROM user_accounts WHERE database_id = $1)
      + (SELECT count(*) FROM databases WHERE id = $1) AS n`,
    [id],
  );
  return Number(rows[0]?.n);
}
const documents = async () => Number((await connections.pool.query('SELECT count(*) AS n FROM documents')).rows[0].n);

it('nothing of a deleted database is left, nothing of another is touched, and both ends are in the audit log', async () => {
  const kept = await fill('kept', 40);
  const doomed = await fill('doomed', 123);
  const before = await rowsOf(kept);
  const removal = createDatabaseRemoval({ pool: connections.retentionPool, onError, intervalMs: 0, stepRows: 10 });
  expect(await removal.run()).toEqual([]);
  await databases.beginDeletion('doomed');
  await databases.beginDeletion('doomed');
  expect(await databases.get('doomed')).toMatchObject({ deletion: { total: null, deleted: 0 } });
  expect(await removal.run()).toEqual(['doomed']);
  expect(await rowsOf(doomed)).toBe(0);
  expect(await documents()).toBe(80);
  expect(await rowsOf(kept)).toBe(before);
  await expect(databases.get('doomed')).rejects.toMatchObject({ code: 'not_found' });
  const { data } = await createAuditLog(connections).list({ database: 'doomed' }, 10);
  expect(data.map(({ action }) => action)).toEqual([
    'database.deleted',
    'database.delete',
    'key.create',
    'database.create',
  ]);
  await removal.close();
});

it('cut off at any step it goes on where it was, in whichever process, and counts every row once', async () => {
  const id = await fill('halved', 50);
  await databases.beginDeletion('halved');
  const seen: number[] = [];
  for (let round = 0; round < 100; round += 1) {
    const removal = createDatabaseRemoval({
      pool: connections.retentionPool,
      onError,
      intervalMs: 0,
      stepRows: 7,
      // Not awaited: it waits for this very round.
      pause: async () => void removal.close(),
    });
    const gone = await removal.run();
    if (gone?.includes('halved')) break;
    const { deletion } = await databases.get('halved');
    expect(deletion?.total).toBe(200);
    seen.push(deletion?.deleted ?? 0);
  }
  expect(seen.length).toBeGreaterThan(10);
  expect(seen).toEqual([...seen].sort((a, b) => a - b));
  expect(seen.at(-1)).toBeLessThanOrEqual(200);
  expect(await rowsOf(id)).toBe(0);
});

it('of several processes one is at it, and the others find nothing to do', async () => {
  await fill('shared', 30);
  await databases.beginDeletion('shared');
  const removals = Array.from({ length: 2 }, () =>
    createDatabaseRemoval({ pool: connections.retentionPool, onError, intervalMs: 0, stepRows: 5 }),
  );
  const outcomes = await Promise.all(removals.map((removal) => removal.run()));
  expect(outcomes.flatMap((names) => names ?? [])).toEqual(['shared']);
});

it('the database that is always there cannot be deleted or renamed', async () => {
  await expect(databases.beginDeletion('default')).rejects.toMatchObject({ code: 'conflict' });
  await expect(databases.rename('default', 'x')).rejects.toMatchObject({ code: 'conflict' });
  await expect(databases.beginDeletion('nobody')).rejects.toMatchObject({ code: 'not_found' });
  await expect(databases.rename('kept', 'default')).rejects.toMatchObject({ code: 'conflict' });
  await expect(databases.rename('kept', 'Wrong Name')).rejects.toMatchObject({ code: 'validation_failed' });
});

it('had no error beside', () => expect(errors).toEqual([]));
