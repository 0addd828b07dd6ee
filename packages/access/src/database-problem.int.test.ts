import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemOfDatabaseFailure } from './database-problem.js';

let connections: PostgresConnections;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
});

afterAll(() => connections.close());

/** Runs a query of Prisma's that has to wait, and lets something happen to its connection meanwhile. */
async function failureOf(happen: (pid: number) => Promise<unknown>): Promise<unknown> {
  const { prisma, lanePool } = connections;
  const blocker = await lanePool.connect();
  await blocker.query('BEGIN; LOCK TABLE databases IN ACCESS EXCLUSIVE MODE');
  const query = prisma.database.findMany().then(
    () => null,
    (error: unknown) => error,
  );
  for (let pid: number | undefined; pid === undefined; ) {
    const { rows } = await lanePool.query<{ pid: number }>(
      `SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`,
    );
    pid = rows[0]?.pid;
    if (pid !== undefined) await happen(pid);
  }
  const failure = await query;
  await blocker.query('ROLLBACK');
  blocker.release();
  return failure;
}

describe('a query of Prisma’s whose connection ends', () => {
  it('is answered with "unavailable" when Postgres ends the session', async () => {
    const failure = await failureOf((pid) => connections.lanePool.query('SELECT pg_terminate_backend($1)', [pid]));
    expect(problemOfDatabaseFailure(failure)).toMatchObject({ code: 'unavailable', status: 503 });
  });

  it('is answered with "unavailable" when the socket closes without a word', async () => {
    connections.pool.once('acquire', (client) => {
      setTimeout(() => Reflect.get(Reflect.get(client, 'connection'), 'stream').destroy(), 200);
    });
    const failure = await failureOf(async () => undefined);
    expect(problemOfDatabaseFailure(failure)).toMatchObject({ code: 'unavailable', status: 503 });
  });
});
