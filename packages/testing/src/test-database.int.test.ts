import { expect, test } from 'vitest';
import { createTestDatabase } from './test-database.js';
import { query } from './test-postgres.js';

test('a test database has the migrations, and what one writes another does not see', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await query(one.address, `INSERT INTO databases (name) VALUES ('only-here')`);
  expect(await query(one.address, `SELECT name FROM databases WHERE name = 'only-here'`)).toHaveLength(1);
  expect(await query(two.address, `SELECT name FROM databases WHERE name = 'only-here'`)).toEqual([]);
});

test('an empty test database has no tables', async () => {
  const { address } = await createTestDatabase({ empty: true });
  expect(await query(address, `SELECT FROM pg_tables WHERE schemaname = 'public'`)).toEqual([]);
});
