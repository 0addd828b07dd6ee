/** A server to be attacked, a client that sends exactly what it is told, and the stock that has to be the same afterwards. */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { createDatabases } from '@tidewire/access/databases';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { expect } from 'vitest';
import { startTestApi, type TestApi } from '../api.fixture.js';

export type Ask = {
  method?: string;
  /** As it goes over the wire: nothing is escaped or tidied. */
  path: string;
  headers?: Readonly<Record<string, string>>;
  /** Pieces are sent as chunks, one by one. */
  body?: string | Buffer | readonly Buffer[] | undefined;
};

export type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

export type HostileApi = {
  api: TestApi;
  /** A key that may everything in the database `default`. */
  key: string;
  /** With the key, and as JSON when there is a body; headers that are given win. */
  send(ask: Ask): Promise<Answer>;
  /** With nothing but the headers that are given. */
  sendBare(ask: Ask): Promise<Answer>;
  /** Makes the first admin, and gives the cookie of the session. */
  signIn(): Promise<string>;
  /** Makes another database beside `default`. */
  createDatabase(name: string): Promise<number>;
  /** All that is stored of one database (of all, without its id), as text: documents, events, collections, keys, settings. */
  takeStock(databaseId?: number): Promise<string>;
  close(): Promise<void>;
};

/** The password of the admin that `signIn` makes. */
export const adminCredentials = { email: 'ada@example.org', password: 'correct horse battery' };

/** A document id that nobody has. */
export const missingId = '577cf185e2039b0900000016';

/** Listens on a free port, with a database of its own. */
export async function startHostileApi(): Promise<HostileApi> {
  const { address } = await createTestDatabase();
  const api = await startTestApi(address);
  const { key } = await api.createKey({ rest: ['*:*'], listen: ['*:*'], publish: ['*'] });
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const sendBare = (ask: Ask) => sendRaw(agent, api.port, ask);
  const { prisma, pool } = api.connections;

  return {
    api,
    key,
    sendBare,
    send({ headers, ...ask }) {
      const type = ask.body === undefined ? undefined : { 'content-type': 'application/json' };
      return sendBare({ ...ask, headers: { 'x-apikey': key, ...type, ...headers } });
    },
    async signIn() {
      const body = JSON.stringify({ token: api.setupToken, ...adminCredentials });
      const headers = { 'content-type': 'application/json' };
      const { headers: answered } = await sendBare({ method: 'POST', path: '/api/setup', headers, body });
      return answered['set-cookie']?.[0]?.split(';')[0] ?? '';
    },
    async createDatabase(name) {
      const { id } = await createDatabases({ prisma, pool }).ensure(name);
      return id;
    },
    async takeStock(databaseId) {
      const { rows } = await pool.query<{ stock: string }>(selectStock, [databaseId ?? null]);
      return rows[0]?.stock ?? '';
    },
    async close() {
      agent.destroy();
      await api.close();
    },
  };
}

/** Documents by a digest, since there may be many. */
const selectStock = `SELECT json_build_object(
    'documents', (SELECT json_build_array(count(*), md5(string_agg(to_jsonb(d)::text, ',' ORDER BY d.collection_id, d.id)))
      FROM documents d JOIN collections c ON c.id = d.collection_id WHERE $1::int IS NULL OR c.database_id = $1),
    'events', (SELECT count(*) FROM events e WHERE $1::int IS NULL OR e.database_id = $1),
    'heads', (SELECT json_agg(json_build_array(h.database_id, h.head, h.oldest) ORDER BY h.database_id)
      FROM log_heads h WHERE $1::int IS NULL OR h.database_id = $1),
    'collections', (SELECT json_agg(c.name ORDER BY c.id) FROM collections c WHERE $1::int IS NULL OR c.database_id = $1),
    'keys', (SELECT json_agg(to_jsonb(k) - 'last_used_at' ORDER BY k.id) FROM api_keys k WHERE $1::int IS NULL OR k.database_id = $1),
    'databases', (SELECT json_agg(json_build_array(d.name, d.settings) ORDER BY d.id) FROM databases d WHERE $1::int IS NULL OR d.id = $1),
    'admins', (SELECT json_agg(a.email) FROM admins a), 'sessions', (SELECT count(*) FROM admin_sessions))::text AS stock`;

function sendRaw(agent: Agent, port: number, { method = 'GET', path, headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const isWhole = typeof body === 'string' || Buffer.isBuffer(body);
    // Node frames the body of a POST by itself, but not that of a DELETE.
    const framing =
      body === undefined
        ? {}
        : isWhole
          ? { 'content-length': Buffer.byteLength(body) }
          : { 'transfer-encoding': 'chunked' };
    const all = { ...framing, ...headers };
    const outgoing = request({ agent, host: '127.0.0.1', port, method, path, headers: all }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      });
    });
    outgoing.on('error', reject);
    if (body === undefined || isWhole) outgoing.end(body);
    else sendPieces(outgoing, body);
  });
}

/** Each piece is a chunk of its own, and the next one follows when the loop has turned. */
function sendPieces(outgoing: ReturnType<typeof request>, pieces: readonly Buffer[]): void {
  const [first, ...rest] = pieces;
  if (first === undefined) outgoing.end();
  else outgoing.write(first, () => setImmediate(sendPieces, outgoing, rest));
}

/** Percent-escapes whatever the text holds, lone surrogates as the three bytes that UTF-8 would give them. */
export function escapeText(text: string): string {
  return [...text]
    .map((character) => {
      const code = character.codePointAt(0) ?? 0;
      if (code < 0xd800 || code > 0xdfff) return encodeURIComponent(character).replaceAll("'", '%27');
      return [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)]
        .map((byte) => `%${byte.toString(16)}`)
        .join('');
    })
    .join('');
}

/** Works through the items, so many at a time. */
export async function eachOf<T>(
  items: Iterable<T>,
  width: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const entries = [...items].entries();
  const worker = async () => {
    for (const [index, item] of entries) await work(item, index);
  };
  await Promise.all(Array.from({ length: width }, worker));
}

/** What no answer ever tells: words of Postgres, of its driver, of the sources. */
const internals =
  /syntax error|SQLSTATE|relation "|column "|invalid input syntax|current transaction|PostgreSQL \d|pg_catalog|node_modules|\.(?:ts|js):\d+|\n {4}at |prisma|statement timeout/i;

/** A refusal is a problem of the 4xx kind, whole, and without anything of the inside. `echo` is what the client may get back of its own. */
export function expectRefusal({ status, headers, text }: Answer, what: string, echo: readonly string[] = []): void {
  expect(`${what} → ${status} ${text.slice(0, 300)}`).toMatch(/→ 4\d\d /);
  expect(headers['content-type'], what).toBe('application/problem+json; charset=utf-8');
  const problem: unknown = JSON.parse(text);
  expect(problem, what).toMatchObject({
    status,
    code: expect.any(String),
    detail: expect.any(String),
    requestId: expect.any(String),
  });
  expectNoInternals(text, what, echo);
}

/** See `expectRefusal`; for any answer. */
export function expectNoInternals(text: string, what: string, echo: readonly string[] = []): void {
  const own = echo.flatMap((said) => [said, JSON.stringify(said).slice(1, -1)]).filter((said) => said.length > 3);
  const rest = own.reduce((left, said) => left.replaceAll(said, ''), text);
  expect(`${what}: ${internals.exec(rest)?.[0] ?? 'nothing'}`).toBe(`${what}: nothing`);
}

/** Counts what was tried, for the line that each file prints and for the promise of how many there are. */
export type Tally = { count: number; statuses: Map<number, number>; note(answer: { status: number }): void };

export function createTally(): Tally {
  const tally: Tally = {
    count: 0,
    statuses: new Map(),
    note({ status }) {
      tally.count += 1;
      tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
    },
  };
  return tally;
}

/** Prints the count, and holds it against what was promised; and no answer was one of ours that failed. */
export function expectTried(name: string, { count, statuses }: Tally, atLeast: number): void {
  const kinds = [...statuses].sort(([a], [b]) => a - b).map(([status, times]) => `${status}: ${times}`);
  console.info(`${name}: ${count} inputs (${kinds.join(', ')})`);
  expect(count).toBeGreaterThanOrEqual(atLeast);
  expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
}
