/** The whole server with an admin, a key, and everything that it logs at hand; and calls of all its routes. */
import { routeTable } from '@tidewire/api/openapi/route-table';
import { createLogger } from '@tidewire/server-kit/logger';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { type Served, serve } from '../served.fixture.js';

export type WholeServer = Omit<Served, 'setupToken'> & {
  databaseId: number;
  /** A key that may do everything, from every page. */
  key: { id: string; key: string };
  /** `name=value` of an admin's session. */
  cookie: string;
  /** Every line of the log, at the level `trace`. */
  lines: string[];
};

/** Listens on a free port of 127.0.0.1, with the database `default` and one admin. */
export async function startWholeServer(options: { forPeople?: boolean } = {}): Promise<WholeServer> {
  const { address } = await createTestDatabase();
  const lines: string[] = [];
  const logger = createLogger({
    level: 'trace',
    write: (line) => lines.push(line),
    forPeople: options.forPeople ?? false,
    colours: false,
  });
  const { setupToken, ...served } = await serve(address, logger);
  const { url, core } = served;
  const { id: databaseId } = await core.databases.ensure('default');
  const everything = { rest: ['*:*'], listen: ['*:*'], publish: ['*'], origins: ['*'] };
  const key = await core.apiKeys.create(databaseId, { name: 'test', ...everything });
  const made = await fetch(`${url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: setupToken, email: 'admin@example.org', password: 'a long enough password' }),
  });
  const cookie = made.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  return { ...served, databaseId, key, cookie, lines };
}

/** A route of the server as it can be called: its path with something in each variable part. */
export type CallableRoute = { name: string; method: string; path: string; isStream: boolean; hasBody: boolean };

const parts: Readonly<Record<string, string>> = {
  database: 'default',
  collection: 'harbours',
  id: '577c0bd7a1c2d3e4f5a6b7c8',
  childId: '577c0bd7a1c2d3e4f5a6b7c9',
  field: 'berths',
  name: 'chat',
  key: 'aaaaaaaaaaaa',
  index: 'none',
  eventId: '1',
};

/** Every route of the table. `other`: what stands in each variable part instead of something that could be there. */
export function callableRoutes(other?: string): CallableRoute[] {
  return routeTable.map(({ method, path, answer, body }) => ({
    name: `${method} ${path}`,
    method,
    path: path.replace(/\{(\w+)\}/g, (_whole, part: string) => other ?? parts[part] ?? 'x'),
    isStream: Object.keys(answer.content ?? {}).includes('text/event-stream'),
    hasBody: body !== undefined,
  }));
}

/** Calls a route and gives its answer with its text; of a stream, what came at once. */
export async function callRoute(
  url: string,
  { method, path, isStream, hasBody }: CallableRoute,
  { headers = {}, body, query = '' }: { headers?: Record<string, string>; body?: unknown; query?: string } = {},
): Promise<{ status: number; headers: Headers; text: string }> {
  const stop = new AbortController();
  const response = await fetch(`${url}${path}${query}`, {
    method,
    redirect: 'manual',
    signal: stop.signal,
    headers: {
      ...(isStream ? { accept: 'text/event-stream' } : {}),
      ...(hasBody ? { 'content-type': 'application/json' } : {}),
      ...headers,
    },
    ...(hasBody ? { body: JSON.stringify(body ?? {}) } : {}),
  });
  const isOpen = response.headers.get('content-type')?.startsWith('text/event-stream') === true;
  if (!isOpen) return { status: response.status, headers: response.headers, text: await response.text() };
  const reader = response.body?.getReader();
  const first = await reader?.read();
  stop.abort();
  const text = first?.value === undefined ? '' : new TextDecoder().decode(first.value);
  return { status: response.status, headers: response.headers, text };
}
