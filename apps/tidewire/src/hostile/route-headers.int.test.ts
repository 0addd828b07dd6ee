import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callableRoutes, callRoute, startWholeServer, type WholeServer } from './whole-server.fixture.js';

let server: WholeServer;

beforeAll(async () => {
  server = await startWholeServer();
  const headers = { 'x-apikey': server.key.key, 'content-type': 'application/json' };
  const body = '{"name":"Delft"}';
  await fetch(`${server.url}/rest/harbours`, { method: 'POST', headers, body });
});
afterAll(() => server.close());

const watched = [
  'access-control-allow-credentials',
  'access-control-allow-origin',
  'cache-control',
  'content-security-policy',
  'content-type',
  'cross-origin-opener-policy',
  'cross-origin-resource-policy',
  'referrer-policy',
  'strict-transport-security',
  'vary',
  'www-authenticate',
  'x-content-type-options',
  'x-frame-options',
  'x-powered-by',
  'server',
] as const;

const headersOf = ({ status, headers }: { status: number; headers: Headers }) =>
  [status, ...watched.flatMap((name) => (headers.has(name) ? [`${name}: ${headers.get(name)}`] : []))].join('\n');

type Credentials = Record<string, string>;
/** What changes something that the others need is asked without a right to it alone. */
const isHarmless = (method: string) => method === 'GET';

describe('the headers of every route', () => {
  it('without credentials', async () => {
    const seen: Record<string, string> = {};
    for (const route of callableRoutes()) seen[route.name] = headersOf(await callRoute(server.url, route));
    expect(Object.keys(seen).length).toBeGreaterThan(60);
    expect(seen).toMatchSnapshot();
  });

  it('for a key and for an admin, from a page', async () => {
    const seen: Record<string, string> = {};
    const origin = 'https://app.example';
    for (const route of callableRoutes().filter(({ method }) => isHarmless(method))) {
      const isAdmins = route.path.startsWith('/api/');
      const headers: Credentials = isAdmins ? { cookie: server.cookie } : { 'x-apikey': server.key.key, origin };
      seen[route.name] = headersOf(await callRoute(server.url, route, { headers }));
    }
    expect(seen).toMatchSnapshot();
  });

  it('says of each answer with credentials that nobody may keep it for others, or that it has to be asked for again', async () => {
    for (const route of callableRoutes()) {
      const credentials: Credentials[] = [{ cookie: server.cookie }, { 'x-apikey': server.key.key }];
      for (const headers of isHarmless(route.method) ? [{}, ...credentials] : [{}]) {
        const answer = await callRoute(server.url, route, { headers });
        const control = answer.headers.get('cache-control') ?? '';
        expect([route.name, /no-store|no-cache/.test(control)]).toEqual([route.name, true]);
        expect([route.name, answer.headers.get('x-powered-by')]).toEqual([route.name, null]);
      }
    }
  });

  it('of the pages: no script from elsewhere or inline, no frame, no guessing, no referrer', async () => {
    const pages = ['/docs', '/docs/start.js', '/docs/swagger-ui.css', '/rest/_jsapi.doc'];
    for (const path of pages) {
      const { status, headers } = await fetch(server.url + path);
      const policy = headers.get('content-security-policy') ?? '';
      expect([path, status]).toEqual([path, 200]);
      expect(policy).toMatch(/frame-ancestors 'none'/);
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect([headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([
        'nosniff',
        'no-referrer',
      ]);
    }
  });
});
