/**
 * Reads over HTTP among 100,000 documents, next to the same query with the same parameters in pgbench on the same PostgreSQL and the same data: the
 * difference is HTTP, the key, the query language, and, for filters and aggregates, the transaction with its time limit.
 *
 * Checked before the measurement: every kind of answer has the right documents or sums, and the query as it is given to pgbench the same number of rows; the
 * declared index is used or named as unused. Refused requests fail the run.
 */
import { Readable } from 'node:stream';
import { connectPostgres } from '@tidewire/db/client';
import { clusterOf } from '@tidewire/db/embedded-postgres/cluster';
import { findEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { alternate } from '../kit/alternate.mjs';
import { runReads } from '../kit/load.mjs';
import { declareIndex } from '../kit/product.mjs';
import { findTool } from '../kit/tools.mjs';
import { recordQuery, runQuery } from '../peers/pgbench-query.mjs';

const documents = 100_000;
/** Each value of `code` and of `label`, which say the same, is in 10 documents. */
const values = 10_000;
const sample = 4_321;
const clientCounts = [1, 16];
/** Point reads go to so many documents in turns. */
const pointPaths = 1_000;

const idOf = (n) => n.toString(16).padStart(24, '0');
const documentOf = (n) => ({
  n,
  code: n % values,
  label: n % values,
  grade: n % 10,
  amount: n % 1_000,
  text: 'x'.repeat(150),
});
const withSample = Array.from({ length: documents / values }, (_, turn) => idOf(sample + turn * values));
const firstIds = (count) => Array.from({ length: count }, (_, n) => idOf(n));
const sumsByGrade = Array.from({ length: 10 }, (_, grade) => {
  let sum = 0;
  for (let n = grade; n < documents; n += 10) sum += documentOf(n).amount;
  return sum;
});

const list = '/rest/company';
const query = (q, more = '') => `${list}?q=${encodeURIComponent(JSON.stringify(q))}${more}`;
const idsOf = (answer) => answer.map(({ _id }) => _id);

/** Kinds of reads: the paths, what of an answer is right, and how the query varies in pgbench. */
const kinds = [
  { what: 'page of 20', paths: [`${list}?max=20`], read: idsOf, right: firstIds(20) },
  { what: 'page of 100', paths: [`${list}?max=100`], read: idsOf, right: firstIds(100) },
  {
    what: 'one by _id',
    paths: Array.from({ length: pointPaths }, (_, turn) => `${list}/${idOf(turn * (documents / pointPaths))}`),
    read: ({ _id, n }) => [_id, n],
    right: [idOf(0), 0],
    // The same documents, also in turns of a kind.
    before: `\\set n ${documents / pointPaths} * random(0, ${pointPaths - 1})\n`,
    replaceId: "lpad(to_hex(:n::int), 24, '0')",
  },
  { what: '10 by an indexed field', paths: [query({ code: sample })], read: idsOf, right: withSample, isIndexed: true },
  { what: '10 by a field without index', paths: [query({ label: sample })], read: idsOf, right: withSample },
  {
    what: 'sum in 10 groups of all',
    paths: [`${list}?groupby=grade&aggregate=SUM:amount`],
    read: (groups) => groups.map((group) => group['SUM amount']),
    right: sumsByGrade,
    // More at a time would meet the time limit of a read on a small machine, and be refused.
    clients: [1],
  },
];

export const reads = {
  name: 'reads',
  title: `Reads per second over HTTP, among ${documents.toLocaleString('en-US')} documents`,

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, product, say }) {
    const pgbench = findTool('pgbench');
    const skipped = 'missing' in pgbench ? [{ other: 'pgbench', why: pgbench.missing }] : [];
    const tidewire = await product();
    const address = await findEmbeddedPostgres(tidewire.dataDir);
    if (address === null) throw new Error('The PostgreSQL of the server was not found.');
    const { pool, close } = connectPostgres(address, { onConnectionError: () => undefined });
    const headers = { 'x-apikey': tidewire.key };
    const get = async (path) => {
      const response = await fetch(`${tidewire.url}${path}`, { headers });
      const text = await response.text();
      if (!response.ok) throw new Error(`GET ${path} was answered with ${response.status}: ${text}`);
      return JSON.parse(text);
    };
    try {
      say(`importing ${documents} documents`);
      await fill(tidewire, headers);
      await declareIndex({ dataDir: tidewire.dataDir, collection: 'company', fields: ['code'] });
      await pool.query('VACUUM ANALYZE documents');

      const rows = [];
      const faults = [];
      const details = {};
      for (const kind of kinds) {
        const recorded = await check(kind, { pool, get, faults, logFile: clusterOf(tidewire.dataDir).logFile });
        if (kind.isIndexed) await noteIndexUse(pool, recorded, skipped);
        const results = {};
        for (const clients of kind.clients ?? clientCounts) {
          const contenders = {
            tidewire: () => runReads({ url: tidewire.url, paths: kind.paths, headers, connections: clients, seconds }),
          };
          if ('path' in pgbench) {
            const replace = kind.replaceId === undefined ? {} : { 2: kind.replaceId };
            const options = {
              pgbench: pgbench.path,
              address,
              query: recorded,
              replace,
              before: kind.before,
              clients,
              seconds,
            };
            contenders.pgbench = () => runQuery(options);
          }
          await contenders.tidewire();
          results[clients] = await alternate(runs, contenders, (line) => say(`${kind.what}, ${clients}: ${line}`));
          rows.push(rowOf(kind, clients, results[clients]));
        }
        details[kind.what] = { query: recorded, ...results };
      }
      return { rows, faults, checked: 'each kind of answer has the right documents or sums', skipped, details };
    } finally {
      await close();
      await tidewire.stop();
    }
  },
};

function rowOf({ what }, clients, { tidewire, pgbench }) {
  const perSecond = (results) => results?.map((result) => result.perSecond);
  return {
    what: `${what}, ${clients} ${clients === 1 ? 'client' : 'clients'}`,
    ours: perSecond(tidewire),
    other: 'pgbench, same query',
    theirs: perSecond(pgbench),
    better: 'more',
  };
}

async function fill({ url }, headers) {
  function* lines() {
    for (let from = 0; from < documents; from += 500) {
      const rows = Array.from({ length: 500 }, (_, index) => ({
        _id: idOf(from + index),
        ...documentOf(from + index),
      }));
      yield Buffer.from(rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    }
  }
  const body = Readable.toWeb(Readable.from(lines()));
  const path = `${url}${list}/import?format=ndjson&keepIds=true`;
  const response = await fetch(path, { method: 'POST', headers, body, duplex: 'half' });
  const answer = await response.text();
  if (!response.ok || JSON.parse(answer).imported !== documents) throw new Error(`the import answered ${answer}`);
}

/** The query that the server sends for the kind; a wrong answer becomes a fault. */
async function check({ what, paths: [path], read, right }, { pool, get, faults, logFile }) {
  let answer;
  const recorded = await recordQuery(pool, logFile, async () => {
    answer = await get(path);
  });
  const got = JSON.stringify(read(answer));
  if (got !== JSON.stringify(right)) faults.push(`${what}: ${got.slice(0, 300)} came`);
  const { rows } = await pool.query(recorded.text, recorded.values);
  // A page asks for one row more, which tells whether there are more.
  const expected = what.startsWith('page') ? right.length + 1 : what.startsWith('one') ? 1 : right.length;
  if (rows.length !== expected) faults.push(`${what}: the recorded query has ${rows.length} rows, not ${expected}`);
  return recorded;
}

/** Said in the table, so that nobody takes a scan for an index. */
async function noteIndexUse(pool, { text, values: bound }, skipped) {
  const { rows } = await pool.query(`EXPLAIN ${text}`, bound);
  const isUsed = rows.some((row) => row['QUERY PLAN'].includes('documents_declared_'));
  if (!isUsed) skipped.push({ other: 'the index', why: "the server's query does not use it" });
}
