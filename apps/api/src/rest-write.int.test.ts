/** The writing half of the collections API, over HTTP: two servers on one Postgres. */
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

type Answer = { status: number; headers: Headers; text: string; body: never };
type Init = { method?: string; body?: unknown; headers?: Record<string, string>; on?: TestApi; key?: string };
type Document = { _id: string; _version: number } & Record<string, unknown>;

const json = 'application/json';
const mergePatch = 'application/merge-patch+json';
const jsonPatch = 'application/json-patch+json';

let api: TestApi;
let other: TestApi;
let fullKey: string;

beforeAll(async () => {
  const { address }: { address: PostgresAddress } = await createTestDatabase();
  api = await startTestApi(address);
  other = await startTestApi(address);
  fullKey = (await api.createKey({ rest: ['*:*'] })).key;
});
afterAll(async () => {
  await other.close();
  await api.close();
});

/** A body that is a text is sent as it is. */
async function call(
  path: string,
  { method = 'GET', body, headers = {}, on = api, key = fullKey }: Init = {},
): Promise<Answer> {
  const response = await fetch(on.url + path, {
    method,
    headers: { 'x-apikey': key, ...(body === undefined ? {} : { 'content-type': json }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: (text === '' ? null : JSON.parse(text)) as never,
  };
}

async function create(collection: string, fields: object): Promise<Document> {
  const { status, body } = await call(`/rest/${collection}`, { method: 'POST', body: fields });
  expect(status).toBe(201);
  return body;
}

async function read(collection: string, id: string): Promise<Record<string, unknown>> {
  const { _id, ...fields } = (await call(`/rest/${collection}/${id}`)).body as Document;
  return fields;
}

async function headOfLog(): Promise<number> {
  const { rows } = await api.connections.pool.query<{ head: number }>(
    'SELECT head FROM log_heads WHERE database_id = $1',
    [api.databaseId],
  );
  return rows[0]?.head ?? -1;
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);
const query = (q: object, more = '') => `?q=${encodeURIComponent(JSON.stringify(q))}${more}`;

describe('changing a document', () => {
  it('applies update operators beside plain fields, in PUT and in PATCH', async () => {
    const { _id } = await create('ops', { n: 1, tags: ['a'], old: true });
    const put = await call(`/rest/ops/${_id}`, {
      method: 'PUT',
      body: { name: 'x', $inc: { n: 2 }, $push: { tags: 'b' }, $unset: { old: '' } },
    });
    expect(put).toMatchObject({ status: 200, body: { _version: 1 } });
    await call(`/rest/ops/${_id}`, { method: 'PATCH', body: { $pull: { tags: 'a' }, $max: { n: 10 } } });
    expect(await read('ops', _id)).toEqual({ name: 'x', n: 10, tags: ['b'] });
  });

  it('refuses a wrong operator with 422 and its place, and changes nothing', async () => {
    const { _id } = await create('ops', { n: 'text' });
    const before = await headOfLog();
    for (const [body, field] of [
      [{ $rename: { n: 'm' } }, '/$rename'],
      [{ $inc: { n: 1 } }, '/$inc/n'],
    ] as const) {
      const refused = await call(`/rest/ops/${_id}`, { method: 'PATCH', body });
      expect(refused).toMatchObject({ status: 422, body: { code: 'validation_failed', errors: [{ field }] } });
    }
    expect(await headOfLog()).toBe(before);
  });

  it('merges deeply with a merge patch, and takes null for removal', async () => {
    const { _id } = await create('patches', { a: { b: 1, c: 2 }, d: 1 });
    const body = { a: { b: null, e: 3 }, d: null };
    const patched = await call(`/rest/patches/${_id}`, {
      method: 'PATCH',
      body,
      headers: { 'content-type': `${mergePatch}; charset=utf-8` },
    });
    expect(patched.status).toBe(200);
    expect(await read('patches', _id)).toEqual({ a: { c: 2, e: 3 } });
  });

  it('carries out a JSON Patch as a whole, or answers a failed test with 409', async () => {
    const { _id } = await create('patches', { n: 1 });
    const headers = { 'content-type': jsonPatch };
    const patch = (value: number) => [
      { op: 'add', path: '/m', value: 1 },
      { op: 'test', path: '/n', value },
      { op: 'replace', path: '/n', value: 5 },
    ];
    const failed = await call(`/rest/patches/${_id}`, { method: 'PATCH', body: patch(9), headers });
    expect(failed).toMatchObject({ status: 409, body: { code: 'conflict', errors: [{ field: '/1' }] } });
    expect(await read('patches', _id)).toEqual({ n: 1 });
    await call(`/rest/patches/${_id}`, { method: 'PATCH', body: patch(1), headers });
    expect(await read('patches', _id)).toEqual({ n: 5, m: 1 });
  });

  it('takes patches in PATCH alone, and says which types it takes', async () => {
    const { _id } = await create('patches', {});
    for (const type of [mergePatch, jsonPatch]) {
      const put = await call(`/rest/patches/${_id}`, { method: 'PUT', body: [], headers: { 'content-type': type } });
      expect(put.status).toBe(415);
    }
    const patch = await call(`/rest/patches/${_id}`, {
      method: 'PATCH',
      body: '',
      headers: { 'content-type': 'text/plain' },
    });
    expect(patch.status).toBe(415);
    expect(patch.headers.get('accept-patch')).toBe(`${json}, ${mergePatch}, ${jsonPatch}`);
  });

  it('replaces the whole document with replace=true', async () => {
    const { _id } = await create('replaced', { a: 1, b: 2 });
    const put = await call(`/rest/replaced/${_id}?replace=true`, { method: 'PUT', body: { _id, c: 3 } });
    expect(put).toMatchObject({ status: 200, body: { _id, c: 3, _version: 1 } });
    expect(await read('replaced', _id)).toEqual({ c: 3 });
    expect((await call(`/rest/replaced/${_id}?replace=true`, { method: 'PATCH', body: {} })).status).toBe(400);
  });

  it('takes all of it through X-HTTP-Method-Override', async () => {
    const { _id } = await create('override', { a: 1, b: 2 });
    const override = (method: string, body: unknown, type = json, path = _id) =>
      call(`/rest/override/${path}`, {
        method: 'POST',
        body,
        headers: { 'content-type': type, 'x-http-method-override': method },
      });
    expect((await override('PATCH', { b: null }, mergePatch)).status).toBe(200);
    expect((await override('put', { $inc: { a: 1 } })).status).toBe(200);
    expect(await read('override', _id)).toEqual({ a: 2 });
    expect(await override('DELETE', [_id], json, '*')).toMatchObject({ status: 200, body: { result: [_id] } });
    expect((await override('GET', {})).status).toBe(400);
  });
});

describe('If-Match', () => {
  it('lets a write pass with the ETag of a read or of a write, and refuses it with 412 after a change', async () => {
    const created = await call('/rest/tags', { method: 'POST', body: { n: 0 } });
    const { _id } = created.body as Document;
    const tag = created.headers.get('etag') ?? '';
    expect((await call(`/rest/tags/${_id}`)).headers.get('etag')).toBe(tag);
    const path = `/rest/tags/${_id}`;
    const put = await call(path, { method: 'PUT', body: { n: 1 }, headers: { 'if-match': tag } });
    expect(put.status).toBe(200);
    const next = put.headers.get('etag') ?? '';
    expect(next).not.toBe(tag);
    const before = await headOfLog();
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const late = await call(path, {
        method,
        ...(method === 'DELETE' ? {} : { body: { n: 9 } }),
        headers: { 'if-match': tag },
      });
      expect(late).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
      expect(late.headers.get('etag')).toBe(next);
    }
    expect(await headOfLog()).toBe(before);
    expect((await call(path, { method: 'DELETE', headers: { 'if-match': next } })).status).toBe(200);
    expect((await call(path, { method: 'DELETE', headers: { 'if-match': next } })).status).toBe(404);
  });

  it('is refused when it is malformed, or where no single document is meant', async () => {
    const { _id } = await create('tags', {});
    const headers = { 'if-match': '3' };
    expect((await call(`/rest/tags/${_id}`, { method: 'PUT', body: {}, headers })).status).toBe(400);
    const star = { headers: { 'if-match': '*' } };
    expect((await call('/rest/tags', { method: 'POST', body: {}, ...star })).status).toBe(400);
    expect((await call(`/rest/tags/*${query({ n: 1 })}`, { method: 'DELETE', ...star })).status).toBe(400);
  });

  it('keeps 64 writers of one document exact, on two servers, when they read and try again', {
    timeout: 120_000,
  }, async () => {
    const { _id } = await create('counter', { n: 0 });
    const path = `/rest/counter/${_id}`;
    let refusals = 0;
    await Promise.all(
      times(64).map(async (writer) => {
        const on = writer % 2 === 0 ? api : other;
        for (;;) {
          const { body, headers } = await call(path, { on });
          const put = await call(path, {
            on,
            method: 'PUT',
            body: { n: Number((body as Document).n) + 1 },
            headers: { 'if-match': headers.get('etag') ?? '' },
          });
          if (put.status === 200) return;
          expect(put.status).toBe(412);
          refusals += 1;
        }
      }),
    );
    expect(await read('counter', _id)).toEqual({ n: 64 });
    expect(refusals).toBeGreaterThan(0);
  });

  it('is not needed by 64 writers who use $inc', async () => {
    const { _id } = await create('counter', { n: 0 });
    const answers = await Promise.all(
      times(64).map((writer) =>
        call(`/rest/counter/${_id}`, {
          on: writer % 2 === 0 ? api : other,
          method: 'PATCH',
          body: { $inc: { n: 1 } },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(times(64).map(() => 200));
    expect(await read('counter', _id)).toEqual({ n: 64 });
  });
});

describe('several documents by a query', () => {
  const numbers = async (collection: string) => {
    const { body } = await call(`/rest/${collection}`, {
      method: 'POST',
      body: times(6).map((n) => ({ n, even: n % 2 === 0 })),
    });
    return (body as Document[]).map(({ _id }) => _id);
  };

  it('are changed by one PATCH, each with its event, and nothing else is', async () => {
    const ids = await numbers('bulk');
    const head = await headOfLog();
    const patched = await call(`/rest/bulk/*${query({ even: true })}`, { method: 'PATCH', body: { $inc: { n: 10 } } });
    const even = ids.filter((_, index) => index % 2 === 0);
    expect(patched).toMatchObject({ status: 200, body: { result: even, count: 3 } });
    expect(patched.headers.get('x-event-id')).toBe(String(head + 3));
    expect(await headOfLog()).toBe(head + 3);
    expect(((await call('/rest/bulk')).body as Document[]).map(({ n }) => n)).toEqual([10, 1, 12, 3, 14, 5]);
  });

  it('are all changed or none', async () => {
    await numbers('atomic');
    await create('atomic', { n: 'text', even: true });
    const head = await headOfLog();
    const patched = await call(`/rest/atomic/*${query({ even: true })}`, { method: 'PATCH', body: { $inc: { n: 1 } } });
    expect(patched).toMatchObject({ status: 422, body: { errors: [{ field: '/$inc/n' }] } });
    expect(await headOfLog()).toBe(head);
  });

  it('are deleted by one DELETE', async () => {
    const ids = await numbers('gone');
    const deleted = await call(`/rest/gone/*${query({ n: { $gte: 4 } })}`, { method: 'DELETE' });
    expect(deleted).toMatchObject({ status: 200, body: { result: ids.slice(4), count: 2 } });
    const none = await call(`/rest/gone/*${query({ n: 99 })}`, { method: 'DELETE' });
    expect(none).toMatchObject({ status: 200, body: { result: [], count: 0 } });
    expect(none.headers.get('x-event-id')).toBeNull();
    expect(await call(`/rest/never/*${query({ n: 1 })}`, { method: 'DELETE' })).toMatchObject({ status: 200 });
  });

  it('are only all of them when that is said twice', async () => {
    await numbers('all');
    const head = await headOfLog();
    for (const path of [
      '/rest/all/*',
      '/rest/all/*?q=',
      '/rest/all/*?q={}',
      '/rest/all/*?q=[]',
      '/rest/all/*?confirm=true',
    ]) {
      expect(`${path} ${(await call(path, { method: 'DELETE' })).status}`).toBe(`${path} 400`);
      expect((await call(path, { method: 'PATCH', body: { x: 1 } })).status).toBe(400);
    }
    expect(await headOfLog()).toBe(head);
    const deleted = await call('/rest/all/*?q={}&confirm=true', { method: 'DELETE' });
    expect(deleted).toMatchObject({ status: 200, body: { count: 6 } });
    expect((await call('/rest/all')).body).toEqual([]);
  });

  it('are refused when the query is wrong, when ids are sent as well, or when there are more than 10,000', async () => {
    expect((await call(`/rest/bulk/*${query({ n: { $foo: 1 } })}`, { method: 'DELETE' })).status).toBe(400);
    expect((await call(`/rest/bulk/*${query({ n: 1 })}`, { method: 'DELETE', body: [] })).status).toBe(400);
    const half = times(5001).map((n) => ({ n }));
    for (const body of [half, half]) expect((await call('/rest/large', { method: 'POST', body })).status).toBe(201);
    const path = `/rest/large/*${query({ n: { $gte: 0 } })}`;
    const refused = await call(path, { method: 'DELETE' });
    expect(refused).toMatchObject({ status: 422, body: { detail: expect.stringContaining('10000') } });
    const fewer = await call(`/rest/large/*${query({ n: { $lt: 5000 } })}`, { method: 'DELETE' });
    expect(fewer).toMatchObject({ status: 200, body: { count: 10_000 } });
  });

  it('ask for the grant of the method alone', async () => {
    await numbers('granted');
    const { key } = await api.createKey({ rest: ['PATCH:granted'] });
    const path = `/rest/granted/*${query({ n: 1 })}`;
    expect(await call(path, { method: 'PATCH', body: { x: 1 }, key })).toMatchObject({
      status: 200,
      body: { count: 1 },
    });
    expect((await call(path, { method: 'DELETE', key })).status).toBe(403);
  });
});

describe('what comes back', () => {
  it('names the new document in Location', async () => {
    const created = await call('/rest/located', { method: 'POST', body: {} });
    const location = created.headers.get('location') ?? '';
    expect(location).toBe(`/rest/located/${(created.body as Document)._id}`);
    expect((await call(location)).status).toBe(200);
    const several = await call('/rest/located?validate=false', { method: 'POST', body: [{}, {}] });
    expect(several.status).toBe(201);
    expect(several.headers.get('location')).toBeNull();
  });

  it('has no body with Prefer: return=minimal, but all of its headers', async () => {
    const headers = { prefer: 'respond-async, return=minimal' };
    const created = await call('/rest/minimal', { method: 'POST', body: { a: 1 }, headers });
    expect(created).toMatchObject({ status: 201, text: '' });
    expect(created.headers.get('etag')).toMatch(/^"0-/);
    expect(created.headers.get('preference-applied')).toBe('return=minimal');
    const path = created.headers.get('location') ?? '';
    const put = await call(path, { method: 'PUT', body: { a: 2 }, headers });
    expect(put).toMatchObject({ status: 204, text: '' });
    expect(put.headers.get('x-event-id')).toBe(String(await headOfLog()));
    expect(put.headers.get('etag')).toMatch(/^"1-/);
    expect(await call(path, { method: 'DELETE', headers })).toMatchObject({ status: 204, text: '' });
    const whole = await call('/rest/minimal', {
      method: 'POST',
      body: {},
      headers: { prefer: 'return=representation' },
    });
    expect(whole.text).not.toBe('');
  });
});

describe('Idempotency-Key', () => {
  const facts = ({ status, text, headers }: Answer) => ({
    status,
    text,
    event: headers.get('x-event-id'),
    etag: headers.get('etag'),
    location: headers.get('location'),
  });

  it('lets one of 50 requests at once happen, on two servers, and gives all of them the same answer', async () => {
    const head = await headOfLog();
    const answers = await Promise.all(
      times(50).map((n) =>
        call('/rest/once', {
          on: n % 2 === 0 ? api : other,
          method: 'POST',
          body: { n: 1 },
          headers: { 'idempotency-key': 'order-1' },
        }),
      ),
    );
    const [first] = answers.map(facts);
    expect(first).toMatchObject({ status: 201, event: String(head + 1) });
    for (const answer of answers) expect(facts(answer)).toEqual(first);
    expect(await headOfLog()).toBe(head + 1);
    expect((await call('/rest/once')).body).toHaveLength(1);
  });

  it('gives the first answer again for every method, whatever has happened since', async () => {
    const { _id } = await create('again', { n: 0 });
    const requests: [string, Init][] = [
      ['/rest/again', { method: 'POST', body: [{ g: 1 }, { g: 2 }] }],
      [`/rest/again/${_id}`, { method: 'PUT', body: { a: 1 } }],
      [`/rest/again/${_id}`, { method: 'PATCH', body: { $inc: { n: 1 } } }],
      [`/rest/again/*${query({ g: 1 })}`, { method: 'PATCH', body: { $inc: { n: 1 } } }],
      [`/rest/again/*${query({ g: 2 })}`, { method: 'DELETE' }],
      [`/rest/again/${_id}`, { method: 'DELETE', headers: { 'if-match': '*' } }],
    ];
    for (const [index, [path, init]] of requests.entries()) {
      const headers = { ...init.headers, 'idempotency-key': `again-${index}` };
      const first = await call(path, { ...init, headers });
      expect(first.status).toBeLessThan(300);
      const head = await headOfLog();
      await create('again', { g: 2 });
      expect(facts(await call(path, { ...init, headers, on: other }))).toEqual(facts(first));
      expect(await headOfLog()).toBe(head + 1);
    }
  });

  it('is refused with 422 for another body, path or method, and belongs to one key of the API', async () => {
    const headers = { 'idempotency-key': 'mine' };
    const first = await call('/rest/mismatch', { method: 'POST', body: { n: 1 }, headers });
    const { _id } = first.body as Document;
    for (const [path, init] of [
      ['/rest/mismatch', { method: 'POST', body: { n: 2 } }],
      ['/rest/mismatched', { method: 'POST', body: { n: 1 } }],
      [`/rest/mismatch/${_id}`, { method: 'PUT', body: { n: 1 } }],
      [`/rest/mismatch/${_id}`, { method: 'DELETE' }],
    ] as const) {
      expect(await call(path, { ...init, headers })).toMatchObject({
        status: 422,
        body: { code: 'idempotency_mismatch' },
      });
    }
    const { key } = await api.createKey({ rest: ['*:*'] });
    const foreign = await call('/rest/mismatch', { method: 'POST', body: { n: 1 }, headers, key });
    expect(foreign.status).toBe(201);
    expect((foreign.body as Document)._id).not.toBe(_id);
  });

  it('stays free when the write is refused', async () => {
    const headers = { 'idempotency-key': 'free' };
    expect((await call('/rest/free', { method: 'POST', body: { $a: 1 }, headers })).status).toBe(422);
    expect((await call('/rest/free', { method: 'POST', body: { a: 1 }, headers })).status).toBe(201);
  });

  it.each(['', 'with blank', 'x'.repeat(256), 'ü'])('is refused with 400 when it is %j', async (key) => {
    const answer = await call('/rest/free', { method: 'POST', body: {}, headers: { 'idempotency-key': key } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: 'Idempotency-Key' }] } });
  });
});

describe('hostile bodies', () => {
  const deep = `${'{"a":'.repeat(70)}1${'}'.repeat(70)}`;
  const bodies: Record<string, string[]> = {
    [json]: [
      '{"$inc":null}',
      '{"$inc":{"__proto__":1}}',
      '{"$inc":{"n":1e999}}',
      '{"$set":{"a":{"$where":"1"}}}',
      '{"$set":{"a.__proto__.b":1}}',
      '{"$set":{"_id":"577cf185e2039b0900000016"}}',
      '{"$push":{"n":1}}',
      '{"$set":{"a.constructor.prototype.x":1},"$unset":{"a":1}}',
      `{"$set":{"${'a.'.repeat(40)}b":1}}`,
      `{"$set":{"a":${deep}}}`,
      '{"$set":{"\\u0000":1}}',
      `{"$set":{"${'k'.repeat(600)}":1}}`,
    ],
    [mergePatch]: [
      '',
      '[]',
      'null',
      '"x"',
      '1',
      '{"__proto__":{"x":1}}',
      '{"a":{"$gt":1}}',
      '{"_x":1}',
      deep,
      '{"a":"\\ud800"}',
    ],
    [jsonPatch]: [
      '',
      '{}',
      'null',
      '[null]',
      '[[]]',
      '[{"op":"add"}]',
      '[{"op":"add","path":"/__proto__/x","value":1}]',
      '[{"op":"add","path":"/constructor/prototype/x","value":1}]',
      '[{"op":"remove","path":""}]',
      '[{"op":"replace","path":"","value":[]}]',
      '[{"op":"add","path":"","value":{"$a":1}}]',
      '[{"op":"move","from":"","path":"/a"}]',
      '[{"op":"test","path":"/n","value":{"a":1}}]',
      '[{"op":"copy","from":"/nowhere","path":"/a"}]',
      '[{"op":"add","path":"/~","value":1}]',
      '[{"op":"add","path":"/n/x","value":1}]',
      `[{"op":"add","path":"${'/a'.repeat(80)}","value":1}]`,
      JSON.stringify(times(1001).map(() => ({ op: 'test', path: '/n', value: 1 }))),
    ],
  };
  const cases = Object.entries(bodies).flatMap(([type, texts]) =>
    texts.map((text) => [type, text.slice(0, 60), text] as const),
  );

  it.each(cases)('of the type %s are refused: %s', async (type, _start, body) => {
    const { _id } = await create('hostile', { n: 1 });
    const head = await headOfLog();
    for (const path of [`/rest/hostile/${_id}`, `/rest/hostile/*${query({ _id })}`]) {
      const answer = await call(path, { method: 'PATCH', body, headers: { 'content-type': type } });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    expect(await headOfLog()).toBe(head);
    expect(await read('hostile', _id)).toEqual({ n: 1 });
    expect({}).not.toHaveProperty('x');
  });

  it('logged no accident in all of this', () => expect([...api.accidents, ...other.accidents]).toEqual([]));
});
