import { roleSchema } from '@tidewire/protocol/roles';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

let api: TestApi;
let cookie: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  const made = await fetch(`${api.url}/api/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: api.setupToken, email: 'ada@example.org', password: 'correct horse battery' }),
  });
  cookie = made.headers.getSetCookie()[0]?.split(';')[0] ?? '';
});
afterAll(async () => {
  expect(api.accidents).toEqual([]);
  await api.close();
});

async function call(path: string, method = 'GET', body?: unknown, sent = cookie) {
  const response = await fetch(`${api.url}/api/databases/default/roles${path}`, {
    method,
    headers: { ...(sent === '' ? {} : { cookie: sent }), 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

const rule = {
  q: { owner: '$user.sub' },
  readFields: ['title', 'owner'],
  writeFields: ['title'],
  defaults: { owner: '$user.sub' },
};

describe('the roles of a database', () => {
  it('are made, listed, changed and deleted; what is absent in a change stays', async () => {
    const made = await call('', 'POST', { name: 'author', rest: ['*:note'], rules: { note: rule } });
    expect(made.status).toBe(201);
    const author = roleSchema.parse(made.body);
    expect(author).toMatchObject({
      name: 'author',
      rest: ['*:note'],
      listen: [],
      publish: [],
      rules: { note: rule },
    });
    expect((await call('', 'POST', { name: 'abc' })).status).toBe(201);
    expect((await call('')).body.data.map(({ name }: { name: string }) => name)).toEqual(['abc', 'author']);
    expect((await call('/author')).body).toEqual(author);
    const changed = await call('/author', 'PATCH', { listen: ['PATCH:note'] });
    expect(changed).toEqual({ status: 200, body: { ...author, listen: ['PUT:note'] } });
    expect((await call('/author', 'PATCH', { rules: {} })).body.rules).toEqual({});
    expect(await call('/abc', 'DELETE')).toEqual({ status: 204, body: null });
    expect((await call('/abc')).status).toBe(404);
    expect((await call('/abc', 'DELETE')).status).toBe(404);
    expect((await call('/abc', 'PATCH', {})).status).toBe(404);
  });

  it('have one name each, also of 20 that are made at once', async () => {
    const tries = await Promise.all(Array.from({ length: 20 }, () => call('', 'POST', { name: 'once' })));
    expect(tries.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 19 }, () => 409)]);
  });

  it.each([
    [{ rules: { note: { q: { n: { $foo: 1 } } } } }, '/rules/note/q/n/$foo'],
    [{ rules: { note: { q: { n: '$user.nobody' } } } }, '/rules/note/q/n'],
    [{ rules: { note: { q: { n: { $gt: { $currentDate: true } } } } } }, '/rules/note/q/n/$gt/$currentDate'],
    [{ rules: { note: { readFields: ['a.b'] } } }, '/rules/note/readFields/0'],
    [{ rules: { note: { defaults: { _id: 'x' } } } }, '/rules/note/defaults/_id'],
    [{ rules: { note: { wrong: 1 } } }, '/rules/note/wrong'],
    [{ rules: { 'no name': {} } }, '/rules/no name'],
    [{ rest: ['GET'] }, '/rest/0'],
    [{ name: '$role' }, '/name'],
  ])('%j is refused with the place of the mistake, and nothing is made', async (wrong, place) => {
    const refused = await call('', 'POST', { name: 'wrong', ...wrong });
    expect(refused.status).toBe(422);
    expect(refused.body.errors.map(({ field }: { field: string }) => field)).toContain(place);
    expect((await call('/wrong')).status).toBe(404);
  });

  it('of a change are refused in the same way, and nothing is changed', async () => {
    await call('', 'POST', { name: 'stays', rules: { note: rule } });
    const refused = await call('/stays', 'PATCH', { rest: ['*:*'], rules: { note: { q: { n: '$user.x' } } } });
    expect(refused.status).toBe(422);
    expect((await call('/stays')).body).toMatchObject({ rest: [], rules: { note: rule } });
  });

  it('are for admins of the server alone', async () => {
    for (const [path, method] of [
      ['', 'GET'],
      ['', 'POST'],
      ['/author', 'GET'],
      ['/author', 'PATCH'],
      ['/author', 'DELETE'],
    ])
      expect((await call(path ?? '', method, method === 'GET' ? undefined : {}, '')).status).toBe(401);
    const key = await api.createKey({ rest: ['*:*'] });
    const answer = await fetch(`${api.url}/api/databases/default/roles`, { headers: { 'x-apikey': key.key } });
    expect(answer.status).toBe(401);
  });
});
