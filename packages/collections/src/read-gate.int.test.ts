import { createSqlPool, type SqlPool } from '@tidewire/db/sql-pool';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createReadGate } from './read-gate.js';

let pool: SqlPool;
beforeAll(async () => {
  const { address } = await createTestDatabase();
  pool = createSqlPool(address, { max: 4, onError: () => undefined });
});
afterAll(() => pool.end());

describe('the gate', () => {
  it('stops a read that takes too long, says so, and its connection serves the next', async () => {
    const gate = createReadGate(pool, { statementTimeoutMs: 100 });
    await expect(gate((client) => client.query('SELECT pg_sleep(20)'))).rejects.toMatchObject({
      code: 'query_too_slow',
      status: 422,
    });
    const { rows } = await gate((client) => client.query('SHOW statement_timeout'));
    expect(rows).toEqual([{ statement_timeout: '100ms' }]);
    const outside = await pool.query('SHOW statement_timeout');
    expect(outside.rows).toEqual([{ statement_timeout: '0' }]);
  });

  it('lets half of the connections in, so that slow reads leave the others to the rest', async () => {
    const gate = createReadGate(pool, { statementTimeoutMs: 1_000, waitMs: 10_000 });
    const slow = Array.from({ length: 6 }, () => gate((client) => client.query('SELECT pg_sleep(0.4)')));
    const started = Date.now();
    let done = 0;
    for (const read of slow) void read.then(() => (done += 1));
    await pool.query('SELECT 1');
    expect(done).toBeLessThan(6);
    expect(await Promise.all(slow)).toHaveLength(6);
    expect(Date.now() - started).toBeGreaterThan(1_000);
  });

  it('refuses those whose turn does not come, and those for whom there is no place to wait', async () => {
    const gate = createReadGate(pool, { concurrency: 1, queueLimit: 1, waitMs: 100 });
    const first = gate((client) => client.query('SELECT pg_sleep(0.5)'));
    const second = gate((client) => client.query('SELECT 2'));
    const third = gate((client) => client.query('SELECT 3'));
    await expect(third).rejects.toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
    await expect(second).rejects.toMatchObject({ code: 'unavailable' });
    await first;
    expect((await gate((client) => client.query('SELECT 4 AS n'))).rows).toEqual([{ n: 4 }]);
  });

  it('writes nothing', async () => {
    const gate = createReadGate(pool);
    await expect(gate((client) => client.query('CREATE TABLE x (n int)'))).rejects.toMatchObject({ code: '25006' });
  });

  it('turns what Postgres cannot evaluate into a refusal, and keeps accidents of ours as they are', async () => {
    const gate = createReadGate(pool);
    await expect(gate((client) => client.query("SELECT '\\u0000'::jsonb"))).rejects.toMatchObject({
      code: 'bad_request',
    });
    await expect(gate((client) => client.query('SELECT nonsense'))).rejects.toMatchObject({ code: '42703' });
    expect((await gate((client) => client.query('SELECT 1 AS n'))).rows).toEqual([{ n: 1 }]);
  });
});
