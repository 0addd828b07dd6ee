import { Validator } from '@seriousme/openapi-schema-validator';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';
import { setSchema } from './relations.fixture.js';

type Description = {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { securitySchemes: object };
};
type Operation = { operationId: string; parameters: { name: string; in: string }[]; security: object[] };

let api: TestApi;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

async function describeAs(key?: string): Promise<{ status: number; body: Description }> {
  const response = await fetch(`${api.url}/openapi.json`, key === undefined ? {} : { headers: { 'x-apikey': key } });
  return { status: response.status, body: (await response.json()) as Description };
}

async function expectValid(description: Description): Promise<void> {
  expect(await new Validator().validate(structuredClone(description))).toMatchObject({ valid: true });
  const ids = Object.values(description.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
  expect(new Set(ids).size).toBe(ids.length);
}

it('describes the API without a key, as valid OpenAPI 3.1, with the collection as a parameter', async () => {
  const { status, body } = await describeAs();
  expect(status).toBe(200);
  await expectValid(body);
  expect(body.openapi).toBe('3.1.0');
  expect(Object.keys(body.components.securitySchemes)).toEqual(['apikey', 'bearer', 'session']);
  expect(Object.keys(body.paths['/rest/{collection}'] ?? {})).toEqual(['get', 'post']);
});

it('describes to a key the collections that it reaches, with the methods that it may use', async () => {
  const { key: writer } = await api.createKey({ rest: ['*:*'] });
  for (const name of ['company', 'secret']) {
    await fetch(`${api.url}/rest/${name}`, {
      method: 'POST',
      headers: { 'x-apikey': writer, 'content-type': 'application/json' },
      body: '{"a":1}',
    });
  }
  const { key } = await api.createKey({ rest: ['GET:company', 'DELETE:company'] });
  const { body } = await describeAs(key);
  await expectValid(body);
  expect(Object.keys(body.paths['/rest/company'] ?? {})).toEqual(['get']);
  expect(Object.keys(body.paths['/rest/company/{id}'] ?? {})).toEqual(['get', 'delete']);
  expect(JSON.stringify(body)).not.toContain('/rest/secret');
  expect(Object.keys(body.paths).some((path) => path.startsWith('/api') || path.includes('{collection}'))).toBe(false);
});

it('names the query parameters that the server takes, no more and no fewer', async () => {
  const { key } = await api.createKey({ rest: ['*:*'], listen: ['*:*'], publish: ['*'] });
  await setSchema(api, 'company', { kids: { fieldType: 'child', collection: 'company' } });
  const { body } = await describeAs();
  const wrong: unknown[] = [];
  let seen = 0;
  for (const [path, operations] of Object.entries(body.paths)) {
    for (const [method, { parameters, security }] of Object.entries(operations)) {
      // Streams take what a proxy or a polyfill adds, and children need a schema; other routes refuse what they do not know, and say what they do.
      const isOfRealtime = /^\/(realtime|channels)\b|\/stream$/.test(path);
      if (
        !security.some((one) => 'apikey' in one) ||
        isOfRealtime ||
        path.includes('{field}') ||
        path.startsWith('/auth/')
      )
        continue;
      const allowed = await allowedParameters(method, path, key);
      const described = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
      if (allowed.toString() !== described.sort().toString()) wrong.push({ method, path, allowed, described });
      seen += 1;
    }
  }
  expect(wrong).toEqual([]);
  expect(seen).toBeGreaterThan(10);
});

/** Of the refusal of a parameter that nobody has, in the order of their names; the key's own left out. With `*` for the id where one is meant by a query. */
async function allowedParameters(method: string, path: string, key: string): Promise<string[]> {
  const id = method === 'patch' || method === 'delete' ? '*' : '577cf185e2039b0900000016';
  const filled = path
    .replace('{collection}', 'company')
    .replace('{id}', id)
    .replace('{field}', 'kids')
    .replace(/\{\w+\}/g, '1');
  const response = await fetch(`${api.url}${filled}?nonsense=1`, {
    method: method.toUpperCase(),
    headers: { 'x-apikey': key },
  });
  const { errors = [] } = (await response.json()) as { errors?: { field: string; allowed?: string }[] };
  const allowed = errors.find(({ field }) => field === 'nonsense')?.allowed ?? `status ${response.status}`;
  // Its path says it already.
  const elsewhere = ['apikey', 'token', 'rt-apikey', 'jwt', ...(path.includes('/asof/') ? ['asof'] : [])];
  const names = allowed.split(', ').filter((name) => !elsewhere.includes(name));
  return names.sort();
}

it('refuses a wrong key instead of describing something else', async () => {
  expect((await describeAs('wrong')).status).toBe(401);
});

it('serves the reference page and all that it needs from this server, without anything inline', async () => {
  const response = await fetch(`${api.url}/docs`);
  const page = await response.text();
  expect(response.headers.get('content-type')).toContain('text/html');
  expect(response.headers.get('content-security-policy')).toContain("script-src 'self'");
  const used = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = '']) => path);
  expect(used).toHaveLength(4);
  for (const path of used) {
    const file = await fetch(api.url + path);
    expect([path, file.status]).toEqual([path, 200]);
    expect(file.headers.get('x-content-type-options')).toBe('nosniff');
  }
  expect(page).not.toMatch(/<script>|<style|style=|\son\w+=/);
  expect((await fetch(`${api.url}/docs/package.json`)).status).toBe(404);
  expect((await fetch(`${api.url}/docs/..%2f..%2fpackage.json`)).status).toBe(404);
});
