/** Input that means harm, or is broken, on every route: always a 4xx problem, never an accident, never anything stored. */
import { connect } from 'node:net';
import { createTestDatabase } from '@tidewire/testing/test-database';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApi, type TestApi } from './api.fixture.js';

let api: TestApi;
let key: string;
let keyId: string;
let cookie: string;
let documentId: string;

const admin = { email: 'ada@example.org', password: 'correct horse battery' };
const missingId = '577cf185e2039b0900000016';

beforeAll(async () => {
  const { address } = await createTestDatabase();
  api = await startTestApi(address);
  ({ id: keyId, key } = await api.createKey({ rest: ['*:*'] }));
  const setup = await send('POST', '/api/setup', JSON.stringify({ token: api.setupToken, ...admin }));
  cookie = setup.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const made = await send('POST', '/rest/target', '{"a":1}');
  documentId = ((await made.json()) as { _id: string })._id;
});
afterAll(() => api.close());

function send(
  method: string,
  path: string,
  body?: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
) {
  const credentials: Record<string, string> = path.startsWith('/rest') ? { 'x-apikey': key } : cookie ? { cookie } : {};
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  return fetch(api.url + path, {
    method,
    headers: { ...credentials, ...type, ...headers },
    ...(body === undefined ? {} : { body }),
  });
}

/** Everything that a bad request must leave as it was. */
async function takeStock(): Promise<unknown> {
  const { rows } = await api.connections.pool.query(`
    SELECT (SELECT json_agg(d.body ORDER BY d.id) FROM documents d)::text AS documents,
      (SELECT count(*) FROM events) AS events, (SELECT json_agg(c.name ORDER BY c.name) FROM collections c)::text AS collections,
      (SELECT json_agg(to_jsonb(k) - 'last_used_at' ORDER BY k.id) FROM api_keys k)::text AS keys,
      (SELECT json_agg(d.settings) FROM databases d)::text AS settings, (SELECT count(*) FROM admins) AS admins,
      (SELECT count(*) FROM admin_sessions) AS sessions`);
  return rows[0];
}

async function expectRefusal(response: Response, what: string): Promise<void> {
  const text = await response.text();
  expect(`${what} → ${response.status}`).toMatch(/→ 4\d\d$/);
  expect(response.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(JSON.parse(text)).toMatchObject({
    status: response.status,
    code: expect.any(String),
    detail: expect.any(String),
    requestId: expect.any(String),
  });
  expect(text).not.toMatch(/node_modules|\bat \w+ \(|prisma|SELECT |syntax error/i);
}

/** Each route that takes a body, with its method. */
function bodyRoutes(): [method: string, path: string][] {
  return [
    ['POST', '/rest/target'],
    ['PUT', `/rest/target/${documentId}`],
    ['PATCH', `/rest/target/${documentId}`],
    ['DELETE', '/rest/target/*'],
    ['POST', '/api/setup'],
    ['POST', '/api/session'],
    ['PATCH', '/api/databases/default/settings'],
    ['POST', '/api/databases/default/keys'],
    ['PATCH', `/api/databases/default/keys/${keyId}`],
  ];
}

const nested = (depth: number) => `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
const arrays = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);

const brokenBodies: [name: string, body: NonNullable<RequestInit['body']>][] = [
  ['nothing', ''],
  ['half an object', '{"a":'],
  ['two values', '{} {}'],
  ['a trailing comma', '{"a":1,}'],
  ['a comment', '{/**/}'],
  ['single quotes', "{'a':1}"],
  ['NaN', '{"a":NaN}'],
  ['a byte order mark', '\ufeff{}'],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
  ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['an encoded surrogate', Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22])],
  ['null', 'null'],
  ['a number', '42'],
  ['a text', '"x"'],
  ['true', 'true'],
  ['a list of nothing', '[]'],
  ['a list of numbers', '[1,2]'],
  ['a list of lists', '[[]]'],
  ['NUL in a value', '{"a":"x\\u0000y"}'],
  ['NUL in a key', '{"a\\u0000b":1}'],
  ['NUL raw', '{"a":"\u0000"}'],
  ['a lone high surrogate', '{"a":"\\ud800"}'],
  ['a lone low surrogate', '{"a":{"b":["\\udfff"]}}'],
  ['a lone surrogate in a key', '{"\\ud83d":1}'],
  ['1e400', '{"a":1e400}'],
  ['-1e400 deep inside', '{"a":[{"b":-1e400}]}'],
  ['an integer that no double holds', '{"a":9007199254740993}'],
  ['__proto__', '{"__proto__":{"polluted":true}}'],
  ['__proto__ deep inside', '{"a":[{"b":{"__proto__":{"polluted":true}}}]}'],
  ['__proto__ in escapes', '{"\\u005f\\u005fproto__":{"polluted":true}}'],
  ['65 levels', nested(65)],
  ['10,000 levels', nested(10_000)],
  ['10,000 lists', arrays(10_000)],
  ['100,000 lists', arrays(100_000)],
  ['a hundred thousand brackets', '['.repeat(100_000)],
  ['10,001 keys', `{${Array.from({ length: 10_001 }, (_, n) => `"k${n}":1`).join()}}`],
  ['a key of 513 bytes', `{"${'k'.repeat(513)}":1}`],
  ['a megabyte and a byte', `{"a":"${'x'.repeat(1024 * 1024)}"}`],
  ['ten megabytes', `{"a":"${'x'.repeat(10 * 1024 * 1024)}"}`],
  ['an operator', '{"$where":"1"}'],
  ['an operator deep inside', '{"a":{"b":{"$gt":""}}}'],
  ['a name of the server’s', '{"_secret":1}'],
  ['another document’s _id', `{"_id":"${missingId}"}`],
  ['an _id that is none', '{"_id":{"$ne":null}}'],
];

describe('bodies', () => {
  it.each(brokenBodies)('%s: refused by every route, nothing stored', async (name, body) => {
    const before = await takeStock();
    for (const [method, path] of bodyRoutes())
      await expectRefusal(await send(method, path, body), `${method} ${path} with ${name}`);
    expect(await takeStock()).toEqual(before);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(api.accidents).toEqual([]);
  });

  it('of other types or encodings are refused by every route', async () => {
    const before = await takeStock();
    for (const [method, path] of bodyRoutes()) {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/json; charset=utf-16',
      ]) {
        await expectRefusal(
          await send(method, path, '{"a":1}', { 'content-type': type }),
          `${method} ${path} as ${type}`,
        );
      }
      await expectRefusal(
        await send(method, path, '{"a":1}', { 'content-encoding': 'gzip' }),
        `${method} ${path} gzip`,
      );
    }
    expect(await takeStock()).toEqual(before);
  });

  it('of random JSON are stored as they are or refused, and never break anything', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.object({
          maxDepth: 4,
          withNullPrototype: false,
          values: [fc.string({ unit: 'binary' }), fc.double(), fc.boolean(), fc.constant(null)],
        }),
        async (fields) => {
          const text = JSON.stringify(fields);
          const response = await send('POST', '/rest/random', text);
          if (response.status !== 201) return expectRefusal(response, text);
          const { _id } = (await response.json()) as { _id: string };
          const read = (await (await send('GET', `/rest/random/${_id}`)).json()) as object;
          expect(read).toEqual({ _id, ...(JSON.parse(text) as object) });
        },
      ),
      { numRuns: 200 },
    );
    expect(api.accidents).toEqual([]);
  });
});

describe('values of the wrong type in the fields of the admin API', () => {
  const values: unknown[] = [
    null,
    1,
    true,
    '',
    [],
    {},
    { $gt: '' },
    ['x y'],
    [{}],
    'x'.repeat(5_000),
    '\r\nSet-Cookie: a=b',
    "'; DROP TABLE admins; --",
  ];
  const fields: [string, string, string[]][] = [
    ['POST', '/api/setup', ['token', 'email', 'password']],
    ['POST', '/api/session', ['email']],
    ['PATCH', '/api/databases/default/settings', ['realtime', 'collections']],
    ['POST', '/api/databases/default/keys', ['rest', 'listen', 'publish', 'origins']],
  ];

  it.each(fields)('%s %s: refused with the place, nothing stored', async (method, path, names) => {
    const good: Record<string, Record<string, unknown>> = {
      '/api/setup': { token: 'x', ...admin },
      '/api/session': { ...admin, password: 'wrong' },
      '/api/databases/default/keys': { name: 'x' },
    };
    for (const name of names) {
      for (const value of values) {
        const isGood =
          Array.isArray(value) && value.length === 0
            ? path.endsWith('/keys')
            : path.endsWith('/settings') && JSON.stringify(value) === '{}';
        if (isGood) continue;
        await api.connections.prisma.loginThrottle.deleteMany();
        const before = await takeStock();
        await expectRefusal(
          await send(method, path, JSON.stringify({ ...good[path], [name]: value })),
          `${method} ${path} ${name}=${JSON.stringify(value)}`,
        );
        expect(await takeStock()).toEqual(before);
      }
    }
    expect(api.accidents).toEqual([]);
  });
});

describe('paths, queries and headers', () => {
  const ids = [
    '%00',
    '..%2f..',
    '%ff',
    '%',
    "'",
    '"',
    '*x',
    '$ne',
    '[]',
    '{}',
    'null',
    'undefined',
    'NaN',
    '-1',
    '１'.repeat(24),
    'x'.repeat(5_000),
    `${missingId}0`,
    missingId.toUpperCase(),
    '%0d%0aSet-Cookie:%20a=b',
  ];

  it('with bad ids are refused by every route', async () => {
    const before = await takeStock();
    for (const id of ids) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const body = method === 'PUT' || method === 'PATCH' ? '{"a":2}' : undefined;
        await expectRefusal(await send(method, `/rest/target/${id}`, body), `${method} /rest/target/${id}`);
      }
      await expectRefusal(await send('GET', `/api/databases/${id}`), `database ${id}`);
      await expectRefusal(await send('GET', `/api/databases/${id}/events`), `events of ${id}`);
      await expectRefusal(await send('DELETE', `/api/databases/default/keys/${id}`), `key ${id}`);
      await expectRefusal(await send('PATCH', `/api/databases/default/keys/${id}`, '{"name":"x"}'), `key ${id}`);
    }
    for (const name of [...ids.filter((id) => !/^[a-z]+$/i.test(id)), '_jsapi', '1a', 'a.b', 'a%2fb', 'x'.repeat(64)]) {
      await expectRefusal(await send('GET', `/rest/${name}`), `GET /rest/${name}`);
      await expectRefusal(await send('POST', `/rest/${name}`, '{}'), `POST /rest/${name}`);
      await expectRefusal(
        await send('GET', `/api/databases/default/collections/${name}/documents`),
        `documents of ${name}`,
      );
    }
    expect(await takeStock()).toEqual(before);
    expect(api.accidents).toEqual([]);
  });

  it('with bad parameters are refused by every list', async () => {
    const lists = [
      '/rest/target',
      '/api/databases/default/collections/target/documents',
      '/api/databases/default/events',
    ];
    const queries = [
      'max=',
      'max=-1',
      'max=NaN',
      'max=1e9',
      'max=9999999999',
      'max=1&max=2',
      'max[]=1',
      'skip=-1',
      "max=1';--",
      'max=%00',
      '__proto__=1',
      'constructor=1',
      'q={"$where":"1"}',
      'unknown=1',
      `${'x'.repeat(5_000)}=1`,
    ];
    for (const list of lists)
      for (const query of queries)
        await expectRefusal(await send('GET', `${list}?${query}`), `${list}?${query.slice(0, 50)}`);
    expect(api.accidents).toEqual([]);
  });

  it('with keys that are none are refused, whatever they are', async () => {
    const good = key;
    for (const text of [
      '',
      'x',
      good.slice(0, -1),
      `${good} `.trimEnd().toLowerCase(),
      '{"$ne":null}',
      'null',
      '__proto__',
      "' OR 1=1 --",
      'x'.repeat(8_000),
    ]) {
      await expectRefusal(
        await send('GET', '/rest/target', undefined, { 'x-apikey': text }),
        `key ${text.slice(0, 40)}`,
      );
    }
    for (const query of ['apikey[]=x', 'apikey=x&apikey=y', 'apikey=%00', 'token={}']) {
      await expectRefusal(await fetch(`${api.url}/rest/target?${query}`), query);
    }
    expect(api.accidents).toEqual([]);
  });

  it.each([
    [
      'a bare line feed in a header',
      'GET /rest/target HTTP/1.1\r\nHost: x\r\nx-request-id: a\nb: c\r\nConnection: close\r\n\r\n',
    ],
    [
      'two lengths',
      'POST /rest/target HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}',
    ],
    [
      'a length and chunks',
      'POST /rest/target HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ],
    [
      'a length that is none',
      'POST /rest/target HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\nConnection: close\r\n\r\n',
    ],
    [
      'headers of 100 KB',
      `GET /rest/target HTTP/1.1\r\nHost: x\r\nx: ${'x'.repeat(100_000)}\r\nConnection: close\r\n\r\n`,
    ],
    ['no host', 'GET /rest/target HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['an unknown method', 'BREW /rest/target HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['an absolute URL', 'GET http://evil.example/rest/target HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ])('with %s get a 4xx', async (_name, request) => {
    const socket = connect(api.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(request);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(api.accidents).toEqual([]);
  });

  it('echo nothing of a request id that could break a line', async () => {
    const response = await send('GET', '/rest/target', undefined, { 'x-request-id': 'abcdefgh x' });
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
    await response.text();
  });
});

describe('fifty clients that break off', () => {
  it('leave a server that answers as before', async () => {
    const head = `POST /rest/target HTTP/1.1\r\nHost: x\r\nx-apikey: ${key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a":`;
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const socket = connect(api.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(head.slice(0, head.length - (n % 5) * 20));
        await new Promise((resolve) => setTimeout(resolve, n));
        socket.destroy();
      }),
    );
    const response = await send('GET', `/rest/target/${documentId}`);
    expect(await response.json()).toEqual({ _id: documentId, a: 1 });
    expect(api.accidents).toEqual([]);
  });
});
