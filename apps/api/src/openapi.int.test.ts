import { Validator } from '@seriousme/openapi-schema-validator';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Description = {
  openapi: string;
  paths: Record<string, Record<string, { operationId: string }>>;
  components: { securitySchemes: object };
};

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
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(Object.keys(body.paths).some((path) => path.startsWith('/api') || path.includes('{collection}'))).toBe(false);
});

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
