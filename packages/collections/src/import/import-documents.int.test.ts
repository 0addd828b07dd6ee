import { captureWrites } from '@tidewire/change-log/capture-extension';
import { createCommitLanes } from '@tidewire/change-log/commit-lanes';
import type { DocumentWrites } from '@tidewire/change-log/document-writes';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BadRow, importDocuments } from './import-documents.js';
import { type ImportRow, importFormats } from './import-row.js';
import { readRows } from './read-rows.js';

const databaseId = 1;
let connections: PostgresConnections;
let documents: DocumentWrites;
let whenIdle: () => Promise<void>;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  connections = connectPostgres(address, { onConnectionError: () => undefined });
  const { pool, lanePool, prisma } = connections;
  await pool.query(`INSERT INTO databases (id, name) VALUES (1, 'default')`);
  await pool.query('INSERT INTO log_heads (database_id) VALUES (1)');
  const bus = createMemoryChangeBus({ onError: () => undefined });
  const lanes = createCommitLanes({ pool: lanePool, catalog: createCatalog(pool), bus, onRetry: () => undefined });
  documents = captureWrites(prisma, lanes.submit).document;
  whenIdle = async () => {
    await lanes.idle();
    await bus.close();
  };
});

afterAll(async () => {
  await whenIdle();
  await connections.close();
});

async function run(collection: string, rows: ImportRow[], keepIds = true) {
  const bad: BadRow[] = [];
  const outcome = await importDocuments(
    (async function* () {
      yield* rows;
    })(),
    {
      documents,
      scope: { databaseId, author: { actor: 'system', by: 'import' } },
      collection,
      keepIds,
      onBadRow: (row) => bad.push(row),
      onBatch: () => undefined,
    },
  );
  return { outcome, bad };
}

async function count(collection: string): Promise<{ documents: number; events: number }> {
  const { rows } = await connections.pool.query<{ documents: number; events: number }>(
    `SELECT (SELECT count(*) FROM documents d JOIN collections c ON c.id = d.collection_id WHERE c.name = $1) AS documents,
       (SELECT count(*) FROM events WHERE collection = $1) AS events`,
    [collection],
  );
  return rows[0] ?? { documents: -1, events: -1 };
}

test('every row becomes one document with one event, over several batches', async () => {
  const rows = Array.from({ length: 1_234 }, (_, index) => ({ line: index + 1, value: { index } }));
  const { outcome, bad } = await run('many', rows);
  expect([outcome, bad]).toEqual([{ documents: 1_234, bad: 0, eventId: 1_234 }, []]);
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
  expect(outcome).toMatchObject({ documents: 2, bad: 5 });
  expect(bad.map(({ line }) => line).sort()).toEqual([2, 3, 4, 5, 6]);
  expect(bad.find(({ line }) => line === 6)?.reason).toContain(id);
  expect(await count('mixed')).toEqual({ documents: 2, events: 2 });
});

test('without keepIds every row gets a new _id, whatever it brings along', async () => {
  const id = '577cf185e2039b0900000017';
  const { outcome } = await run(
    'fresh',
    [
      { line: 1, value: { _id: id, a: 1 } },
      { line: 2, value: { _id: id, a: 2 } },
    ],
    false,
  );
  expect(outcome).toMatchObject({ documents: 2, bad: 0 });
  const { rows } = await connections.pool.query('SELECT id FROM documents WHERE id = $1', [id]);
  expect(rows).toEqual([]);
});

test('an import of what is there already changes nothing and names every row', async () => {
  const rows = Array.from({ length: 700 }, (_, index) => ({
    line: index + 1,
    value: { _id: index.toString(16).padStart(24, '0'), index },
  }));
  expect((await run('twice', rows)).outcome).toMatchObject({ documents: 700, bad: 0 });
  expect((await run('twice', rows)).outcome).toMatchObject({ documents: 0, bad: 700, eventId: null });
  expect(await count('twice')).toEqual({ documents: 700, events: 700 });
});

test('what ends the import after a batch leaves that batch and takes no further one', async () => {
  const rows = Array.from({ length: 1_200 }, (_, index) => ({ line: index + 1, value: { index } }));
  const ended = importDocuments(
    (async function* () {
      yield* rows;
    })(),
    {
      documents,
      scope: { databaseId, author: { actor: 'system', by: 'import' } },
      collection: 'ended',
      keepIds: false,
      onBadRow: () => undefined,
      onBatch: () => {
        throw new Error('enough');
      },
    },
  );
  await expect(ended).rejects.toThrow('enough');
  expect(await count('ended')).toEqual({ documents: 500, events: 500 });
});

/** 20,000 rows with every thousandth broken, in pieces of 16 Ki characters; `taken` counts the characters that were asked for. */
function soakText(format: (typeof importFormats)[number]) {
  const filler = 'Wörter, '.repeat(25);
  const good = (n: number) =>
    format === 'csv'
      ? `${n},"Zeile ${n}, ""東京"" 🦊 ${filler}",${n / 4}\n`
      : JSON.stringify({ n, text: `Zeile ${n} "東京" 🦊 ${filler}`, half: n / 4 });
  const broken = format === 'csv' ? 'short\n' : '{"broken": tru}';
  const rows = Array.from({ length: 20_000 }, (_, n) => (n % 1_000 === 999 ? broken : good(n)));
  const text = {
    ndjson: () => rows.map((row) => `${row}\n`).join(''),
    json: () => `[\n${rows.join(',\n')}\n]`,
    csv: () => `n,text,half\n${rows.join('')}`,
  }[format]();
  const source = { taken: 0, chars: text.length, chunks };
  async function* chunks(): AsyncGenerator<string> {
    for (let at = 0; at < text.length; at += 16 * 1024) {
      const chunk = text.slice(at, at + 16 * 1024);
      source.taken += chunk.length;
      yield chunk;
    }
  }
  return source;
}

/** Text that was read and not yet handed to Postgres: a piece of 16 Ki, and what the stages of the CSV parser buffer. The whole is 5 Mi. */
const readAheadLimitChars = 256 * 1024;

test.each(importFormats)(
  'an import of 20,000 rows as %s has one batch in flight, reads ahead no further than a bound, and names each broken row by its line',
  async (format) => {
    const source = soakText(format);
    const charsPerRow = source.chars / 20_000;
    const bad: number[] = [];
    let inFlight = 0;
    let mostInFlight = 0;
    let rowsHanded = 0;
    let mostAhead = 0;
    const watched: Pick<DocumentWrites, 'createMany'> = {
      async createMany(args) {
        inFlight += 1;
        mostInFlight = Math.max(mostInFlight, inFlight);
        rowsHanded += args.data.length;
        const written = await documents.createMany(args);
        // After the commit, so that it shows when somebody read on meanwhile.
        mostAhead = Math.max(mostAhead, source.taken - rowsHanded * charsPerRow);
        inFlight -= 1;
        return written;
      },
    };
    const outcome = await importDocuments(
      readRows(format, source.chunks(), (text) => parseJson(text)),
      {
        documents: { ...documents, ...watched },
        scope: { databaseId, author: { actor: 'system', by: 'import' } },
        collection: `soak-${format}`,
        keepIds: false,
        onBadRow: ({ line }) => bad.push(line),
        onBatch: () => undefined,
      },
    );
    expect(outcome).toMatchObject({ documents: 19_980, bad: 20 });
    const firstLine = format === 'ndjson' ? 1 : 2;
    expect(bad).toEqual(Array.from({ length: 20 }, (_, index) => index * 1_000 + 999 + firstLine));
    expect(mostInFlight).toBe(1);
    expect(source.chars).toBeGreaterThan(16 * readAheadLimitChars);
    expect(mostAhead).toBeLessThan(readAheadLimitChars);
    expect(await count(`soak-${format}`)).toEqual({ documents: 19_980, events: 19_980 });
  },
  60_000,
);

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Problem('invalid_json', 'The body is not valid JSON.', { cause });
  }
}
