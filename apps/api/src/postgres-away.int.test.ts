import { eventually } from '@tidewire/testing/eventually';
import { createPostgresBridge, type PostgresBridge } from '@tidewire/testing/postgres-bridge';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

let bridge: PostgresBridge;
let api: TestApi;
let key: string;
let cookie: string;
const admin = { email: 'ada@example.org', password: 'correct horse battery' };

beforeAll(async () => {
  bridge = createPostgresBridge((await createTestDatabase()).address);
  api = await startTestApi(await bridge.open());
  ({ key } = await api.createKey({ rest: ['*:*'] }));
  const setup = await send('POST', '/api/setup', { token: api.setupToken, ...admin });
  cookie = setup.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  expect((await send('POST', '/rest/company', { a: 1 })).status).toBe(201);
});
afterAll(async () => {
  await api.close();
  await bridge.cut();
});

function send(method: string, path: string, body?: unknown): Promise<Response> {
  return fetch(api.url + path, {
    method,
    headers: { 'x-apikey': key ?? '', cookie: cookie ?? '', 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

it('while Postgres is away every route answers 503 without internals, and all works again when it is back', async () => {
  await bridge.cut();
  const requests: [string, string, unknown?][] = [
    ['GET', '/rest/company'],
    ['GET', '/rest/company/577cf185e2039b0900000016'],
    ['POST', '/rest/company', { a: 2 }],
    ['GET', '/api/setup'],
    ['GET', '/api/session'],
    ['POST', '/api/session', admin],
    ['GET', '/api/databases'],
    ['POST', '/api/databases/default/keys', { name: 'x' }],
    ['PATCH', '/api/databases/default/settings', {}],
    ['GET', '/api/databases/default/events'],
    ['GET', '/ready'],
  ];
  const answers = await Promise.all(
    requests.map(async ([method, path, body]) => ({
      path: `${method} ${path}`,
      response: await send(method, path, body),
    })),
  );
  for (const { path, response } of answers) {
    const text = await response.text();
    expect(`${path} → ${response.status}`).toBe(`${path} → 503`);
    expect(text).not.toMatch(/ECONN|127\.0\.0\.1|prisma|postgres:/i);
  }
  expect((await send('GET', '/health')).status).toBe(200);
  expect(await send('GET', '/rest/company').then((response) => response.json())).toMatchObject({ code: 'unavailable' });
  expect(api.accidents).toEqual([]);

  await bridge.open();
  await eventually(async () => expect((await send('GET', '/ready')).status).toBe(200));
  expect((await send('GET', '/api/session')).status).toBe(200);
  expect((await send('POST', '/rest/company', { a: 3 })).status).toBe(201);
}, 40_000);
