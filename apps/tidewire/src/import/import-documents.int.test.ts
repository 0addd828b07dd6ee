import { createTestDatabase } from '@tidewire/testing/test-database';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Core, openCore } from '../open-core.js';
import { type BadRow, importDocuments } from './import-documents.js';
import type { ImportRow } from './import-row.js';

let core: Core;
let databaseId: number;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  core = openCore(address, pino({ level: 'silent' }));
  databaseId = (await core.databases.ensure('default')).id;
});

afterAll(() => core.close());

async function run(collection: string, rows: ImportRow[]) {
  const bad: BadRow[] = [];
  const outcome = await importDocuments(
    (async function* () {
      yield* rows;
    })(),
    {
      documents: core.client.document,
      scope: { databaseId, author: { actor: 'system', by: 'import' } },
      collection,
      onBadRow: (row) => bad.push(row),
      onBatch: () => undefined,
    },
  );
  return { outcome, bad };
}

async function count(collection: string): Promise<{ documents: number; events: number }> {
  const { rows } = await core.pool.query<{ documents: number; events: number }>(
    `SELECT (SELECT count(*) FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.name = $1) AS documents,
       (SELECT count(*) FROM events WHERE collection = $1) AS events`,
    [collection],
  );
  return rows[0] ?? { documents: -1, events: -1 };
}

test('every row becomes one document with one event, over several batches', async () => {
  const rows = Array.from({ length: 1_234 }, (_, index) => ({ line: index + 1, value: { index } }));
  const { outcome, bad } = await run('many', rows);
  expect([outcome, bad]).toEqual([{ documents: 1_234, bad: 0 }, []]);
  expect(await count('many')).toEqual({ documents: 1_234, events: 1_234 });
});

test('bad rows are named by line with the reason, and the good ones of the same batch are written', async () => {
  const id = '577cf185e2039b0900000016';
  const { outcome, bad } = await run('mixed', [
    { line: 1, value: { _id: id, a: 1, _version: 9 } },
    { line: 2, value: [1] },
    { line: 3, value: { _id: 'short' } },
    { line: 4, value: { $set: 1 } },
    { line: 5, reason: 'this is not valid JSON' },
    { line: 6, value: { _id: id, again: true } },
    { line: 7, value: { fine: true } },
  ]);
  expect(outcome).toEqual({ documents: 2, bad: 5 });
  expect(bad.map(({ line }) => line).sort()).toEqual([2, 3, 4, 5, 6]);
  expect(bad.find(({ line }) => line === 6)?.reason).toContain(id);
  expect(await count('mixed')).toEqual({ documents: 2, events: 2 });
});
