/**
 * pgbench with the statement of the commit lane's short way (`insertNew` in change-log's lane-statements): prepared once, then sent with
 * arrays of the batch's size. Text and values are recorded from the lane's own code; only the ids of the documents, which must be new
 * each time, are made by Postgres within the statement.
 */
import { randomInt, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { planBatch } from '@tidewire/change-log/lane-plan';
import { insertNew } from '@tidewire/change-log/lane-statements';
import { runToEnd } from '../kit/processes.mjs';
import { makeFolder } from '../kit/product.mjs';

/**
 * @param {{ pgbench: string, address: any, databaseId: number, collectionId: number, batchSize: number, clients: number, seconds: number, pool: import('@tidewire/db/sql-pool').SqlPool }} options
 * @returns {Promise<{ perSecond: number, transactionsPerSecond: number, latencyMs: number }>}
 */
export async function runStatement({ pgbench, address, databaseId, collectionId, batchSize, clients, seconds, pool }) {
  const folder = makeFolder('pgbench');
  const { text, values, idParameters } = await recordStatement({ databaseId, collectionId, batchSize, pool });
  await pool.query('DROP TABLE IF EXISTS bench_batch');
  await pool.query(
    `CREATE TABLE bench_batch AS SELECT * FROM (SELECT ${values.map((_, index) => `$${index + 1}::text AS p${index + 1}`).join()}) AS one`,
    values,
  );
  const script = join(folder.path, 'batch.sql');
  writeFileSync(script, scriptOf(text, idParameters, batchSize));
  const settings = {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGPASSWORD: address.password,
    PGDATABASE: address.database,
  };
  const firstId = randomInt(1, 100_000) * 10 ** 9;
  const options = [
    '-n',
    '-M',
    'prepared',
    '-c',
    String(clients),
    '-j',
    '1',
    '-T',
    String(seconds),
    '-D',
    'ready=0',
    '-D',
    `first=${firstId}`,
    '-f',
    script,
  ];
  try {
    const env = { ...process.env, ...settings, PGOPTIONS: '-c tidewire.lane=on' };
    const output = await runToEnd(pgbench, options, { env });
    const transactionsPerSecond = Number(/^tps = ([\d.]+)/m.exec(output)?.[1]);
    const latencyMs = Number(/^latency average = ([\d.]+) ms/m.exec(output)?.[1]);
    return { perSecond: transactionsPerSecond * batchSize, transactionsPerSecond, latencyMs };
  } finally {
    await pool.query('DROP TABLE bench_batch');
    folder.remove();
  }
}

/** The statement with the values of a batch of new documents, as the lane would send it; node-pg's text form of the arrays. */
async function recordStatement({ databaseId, collectionId, batchSize, pool }) {
  const body = JSON.stringify({ n: '000000000', name: 'ACME', text: 'x'.repeat(216) });
  const operations = Array.from({ length: batchSize }, (_, index) => ({
    operationId: randomUUID(),
    author: { actor: 'key:bench', by: 'api' },
    steps: [{ kind: 'create', collection: 'company', id: index.toString(16).padStart(24, '0'), isNew: true, body }],
  }));
  const state = {
    base: 0,
    at: new Date().toISOString(),
    collections: new Map([['company', collectionId]]),
    documents: new Map(),
  };
  const { rows } = await pool.query('SELECT config_version FROM log_heads WHERE database_id = $1', [databaseId]);
  /** @type {{ text: string, values: unknown[] }} */
  let recorded = { text: '', values: [] };
  const recorder = {
    query(statement) {
      recorded = statement;
      return Promise.resolve({ rows: [{ base: 0 }] });
    },
  };
  await insertNew(/** @type {any} */ (recorder), databaseId, rows[0].config_version, planBatch(operations, state));
  // The lists of the documents' ids: of the documents themselves, and of their events.
  const [{ steps }] = operations;
  const isIds = (value) => Array.isArray(value) && value[0] === steps[0].id;
  const idParameters = recorded.values.flatMap((value, index) => (isIds(value) ? [index + 1] : []));
  if (idParameters.length !== 2)
    throw new Error('the statement of the lane does not have the ids of the documents in two lists');
  return { text: recorded.text, values: recorded.values.map(asText), idParameters };
}

/** A value as text, arrays as node-pg sends them. */
function asText(value) {
  return Array.isArray(value) ? `{${value.map(element).join()}}` : String(value);
}

function element(value) {
  if (value === null) return 'NULL';
  return `"${String(value).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** The values are read once, then every transaction is the one statement. */
function scriptOf(text, idParameters, batchSize) {
  const ids = `ARRAY(SELECT lpad(to_hex(:first::bigint + n), 24, '0') FROM generate_series(1, ${batchSize}) AS n)`;
  const statement = text.replaceAll(/\$(\d+)/g, (_, position) =>
    idParameters.includes(Number(position)) ? ids : `:p${position}`,
  );
  return `\\if :ready\n\\else\nSELECT * FROM bench_batch \\gset\n\\set ready 1\n\\set first :first + :client_id * 100000000\n\\endif\n\\set first :first + ${batchSize}\n${statement.replaceAll(/\s+/g, ' ')};\n`;
}
