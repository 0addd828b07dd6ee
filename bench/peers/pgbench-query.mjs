/**
 * pgbench with a query that Tidewire sent: its text and parameters are taken from PostgreSQL's own log while the server answers one request, so that it is the
 * server's query whatever the code that writes it becomes. Prepared once in each session (`-M prepared`), the values bound.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setLogging } from '../kit/postgres-log.mjs';
import { runToEnd, waitFor } from '../kit/processes.mjs';
import { makeFolder } from '../kit/product.mjs';

/** @typedef {{ text: string, values: (string | null)[] }} Query */

/**
 * The last query on documents that the server sends while `send` runs.
 * @param {import('@tidewire/db/sql-pool').SqlPool} pool of a superuser
 * @param {string} logFile of that PostgreSQL
 * @param {() => Promise<unknown>} send
 * @returns {Promise<Query>}
 */
export async function recordQuery(pool, logFile, send) {
  await setLogging(pool, '0');
  const { size } = statSync(logFile);
  try {
    await send();
    return await waitFor('PostgreSQL has logged the query', () => {
      const said = readFileSync(logFile).subarray(size).toString();
      return queriesOf(said).findLast(({ text }) => /\bFROM documents\b/.test(text));
    });
  } finally {
    await setLogging(pool, '-1');
  }
}

/** Queries of the extended protocol. Lines of one entry are indented; the parameters follow as a DETAIL. @returns {Query[]} */
function queriesOf(log) {
  const lines = log.replaceAll('\n\t', ' ').split('\n');
  return lines.flatMap((line, index) => {
    const text = /duration: [\d.]+ ms {2}execute [^:]+: (.*)$/.exec(line)?.[1];
    if (text === undefined) return [];
    const list = /DETAIL: {2}parameters: (.*)$/i.exec(lines[index + 1] ?? '')?.[1] ?? '';
    const values = [...list.matchAll(/\$\d+ = (?:NULL|'((?:[^']|'')*)')/g)];
    return [{ text, values: values.map(([, value]) => value?.replaceAll("''", "'") ?? null) }];
  });
}

/**
 * @param {{ pgbench: string, address: any, query: Query, replace?: Record<number, string>, before?: string, clients: number, seconds: number }} options
 *   `replace`: SQL in the place of a parameter, `before`: lines of pgbench before the query
 * @returns {Promise<{ perSecond: number, latencyMs: number }>}
 */
export async function runQuery({ pgbench, address, query, replace = {}, before = '', clients, seconds }) {
  const folder = makeFolder('pgbench');
  const script = join(folder.path, 'query.sql');
  const parameter = (position) => {
    if (position in replace) return replace[position];
    return query.values[position - 1] === null ? 'NULL' : `:p${position}`;
  };
  writeFileSync(
    script,
    `${before}${withoutColons(query.text).replaceAll(/\$(\d+)/g, (_, digits) => parameter(Number(digits)))};\n`,
  );
  const values = query.values.flatMap((value, index) => (value === null ? [] : ['-D', `p${index + 1}=${value}`]));
  const settings = {
    PGHOST: address.host,
    PGPORT: String(address.port),
    PGUSER: address.user,
    PGPASSWORD: address.password,
    PGDATABASE: address.database,
  };
  const counts = ['-c', String(clients), '-j', '1', '-T', String(seconds)];
  try {
    const output = await runToEnd(pgbench, ['-n', '-M', 'prepared', ...counts, ...values, '-f', script], {
      env: { ...process.env, ...settings },
    });
    const failed = /number of failed transactions: (\d+)/.exec(output)?.[1] ?? '0';
    if (failed !== '0') throw new Error(`pgbench had failures:\n${output}`);
    return {
      perSecond: Number(/^tps = ([\d.]+)/m.exec(output)?.[1]),
      latencyMs: Number(/^latency average = ([\d.]+) ms/m.exec(output)?.[1]),
    };
  } finally {
    folder.remove();
  }
}

/** pgbench takes every `:name` for a variable, also within the quotes of a literal; the planner joins the pieces again. */
function withoutColons(text) {
  return text.replaceAll(/'(?:[^']|'')*'/g, (literal) =>
    /:\w/.test(literal) ? `(${literal.replaceAll(/:(?=\w)/g, ":' || '")})` : literal,
  );
}
