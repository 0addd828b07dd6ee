/** The whole server, as `tidewire start` puts it together, in this process: for the tests of restdb.io's contract. */
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createLogger } from '@tidewire/server-kit/logger';
import { eventually } from '@tidewire/testing/eventually';
import { createTestDatabase } from '@tidewire/testing/test-database';
import type { Core } from '../open-core.js';
import { serve } from '../served.fixture.js';

export type Fields = Record<string, unknown>;
export type Document = Fields & { _id: string };
export type Grants = { rest?: string[]; listen?: string[]; publish?: string[]; origins?: string[] };
export type CallOptions = { method?: string; body?: unknown; key?: string | null; headers?: Record<string, string> };
/** `body` is the parsed JSON, or the text of anything else. */
export type Answer = { status: number; headers: Headers; body: unknown };

export type ContractServer = {
  /** Without a slash at the end. */
  url: string;
  /** A key that may do everything. */
  key: string;
  createKey(grants: Grants): Promise<string>;
  /** Turns the setting `realtime.global` on or off. */
  setGlobalRealtime(isOn: boolean): Promise<void>;
  /** With the key that may do everything unless another, or null for none, is given. A body is sent as JSON. */
  call(path: string, options?: CallOptions): Promise<Answer>;
  /** Creates a document, or each of an array, and gives what was answered. */
  create<T extends Fields | Fields[]>(
    collection: string,
    fields: T,
  ): Promise<T extends unknown[] ? Document[] : Document>;
  /** Gives the collection, which is made if need be, a schema with these properties, as an admin does, and waits for its indexes. */
  setSchema(collection: string, schema: { properties: Fields; required?: string[] }): Promise<void>;
  /** What is behind the server. */
  core: Core;
  /** The session cookie of the first admin, who is made when one is needed. */
  cookie(): Promise<string>;
  /** As that admin, in the part of the admin API that is about databases: `path` behind `/api/databases/`. Gives the body; throws what was refused. */
  asAdmin(method: string, path: string, body?: unknown): Promise<unknown>;
  /** What was logged as a warning or an error. */
  readonly accidents: readonly string[];
  close(): Promise<void>;
};

/** Listens on a free port of 127.0.0.1, with the database `default`. */
export async function startContractServer(): Promise<ContractServer> {
  const { address } = await createTestDatabase();
  const { url, core, setupToken, accidents, close } = await serveContract(address);
  const { id } = await core.databases.ensure('default');
  const createKey = async ({ rest = [], listen = [], publish = [], origins = [] }: Grants) =>
    (await core.apiKeys.create(id, { name: 'test', rest, listen, publish, origins })).key;
  const key = await createKey({ rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: ['*'] });

  async function call(path: string, { method = 'GET', body, key: own = key, headers = {} }: CallOptions = {}) {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(own === null ? {} : { 'x-apikey': own }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true && text !== '';
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  }

  let cookie = '';
  async function adminCookie(): Promise<string> {
    if (cookie === '') {
      const admin = { token: setupToken, email: 'admin@example.org', password: 'a long enough password' };
      const made = await call('/api/setup', { method: 'POST', key: null, body: admin });
      cookie = made.headers.get('set-cookie')?.split(';')[0] ?? '';
    }
    return cookie;
  }
  async function asAdmin(method: string, path: string, body?: unknown): Promise<unknown> {
    const headers = { cookie: await adminCookie() };
    const answer = await call(`/api/databases/${path}`, { method, body, key: null, headers });
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  return {
    url,
    key,
    createKey,
    setGlobalRealtime: async (isOn) => void (await core.settings.patch(id, { realtime: { global: isOn } })),
    call,
    async create(collection, fields) {
      const { status, body } = await call(`/rest/${collection}`, { method: 'POST', body: fields });
      if (status !== 201) throw new Error(`${status}: ${JSON.stringify(body)}`);
      return body;
    },
    async setSchema(collection, schema) {
      await asAdmin('PUT', `default/collections/${collection}`);
      await asAdmin('PUT', `default/collections/${collection}/schema`, { type: 'object', ...schema });
      await eventually(async () => {
        const { indexes } = (await asAdmin('GET', `default/collections/${collection}`)) as {
          indexes: { state: string }[];
        };
        if (indexes.some(({ state }) => state !== 'ready')) throw new Error(JSON.stringify(indexes));
      });
    },
    core,
    cookie: adminCookie,
    asAdmin,
    accidents,
    close,
  };
}

/** The address of a server whose Postgres cannot be reached. */
export async function startWithoutPostgres(): Promise<{ url: string; close(): Promise<void> }> {
  return serveContract({ host: '127.0.0.1', port: 1, user: 'nobody', password: '', database: 'nothing' });
}

async function serveContract(address: PostgresAddress) {
  const accidents: string[] = [];
  const logger = createLogger({
    level: 'warn',
    write(line) {
      if (!line.includes('The dashboard is not built')) accidents.push(line);
    },
    forPeople: false,
    colours: false,
  });
  return { ...(await serve(address, logger)), accidents };
}
