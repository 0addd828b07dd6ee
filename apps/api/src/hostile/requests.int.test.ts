/** Requests that mean harm, or are broken, beside their bodies: paths, parameters, headers, bytes on the socket, clients that break off. */
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type Answer,
  adminCredentials as admin,
  expectRefusal,
  type HostileApi,
  missingId,
  startHostileApi,
} from './hostile.fixture.js';

let hostile: HostileApi;
let cookie: string;
let documentId: string;

beforeAll(async () => {
  hostile = await startHostileApi();
  cookie = await hostile.signIn();
  const made = await send('POST', '/rest/target', '{"a":1}');
  documentId = (JSON.parse(made.text) as { _id: string })._id;
});
afterEach(() => expect(hostile.api.accidents).toEqual([]));
afterAll(() => hostile.close());

function send(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  return hostile.send({ method, path, body, headers: path.startsWith('/api') ? { cookie, ...headers } : headers });
}

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
        await hostile.api.connections.prisma.loginThrottle.deleteMany();
        const before = await hostile.takeStock();
        expectRefusal(
          await send(method, path, JSON.stringify({ ...good[path], [name]: value })),
          `${method} ${path} ${name}=${JSON.stringify(value)}`,
        );
        expect(await hostile.takeStock()).toBe(before);
      }
    }
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
    '%EF%BC%91'.repeat(24),
    'x'.repeat(5_000),
    `${missingId}0`,
    missingId.toUpperCase(),
    '%0d%0aSet-Cookie:%20a=b',
  ];

  it('with bad ids are refused by every route', async () => {
    const before = await hostile.takeStock();
    for (const id of ids) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const body = method === 'PUT' || method === 'PATCH' ? '{"a":2}' : undefined;
        expectRefusal(await send(method, `/rest/target/${id}`, body), `${method} /rest/target/${id}`);
      }
      expectRefusal(await send('GET', `/api/databases/${id}`), `database ${id}`);
      expectRefusal(await send('GET', `/api/databases/${id}/events`), `events of ${id}`);
      expectRefusal(await send('DELETE', `/api/databases/default/keys/${id}`), `key ${id}`);
      expectRefusal(await send('PATCH', `/api/databases/default/keys/${id}`, '{"name":"x"}'), `key ${id}`);
    }
    for (const name of [...ids.filter((id) => !/^[a-z]+$/i.test(id)), '_jsapi', '1a', 'a.b', 'a%2fb', 'x'.repeat(64)]) {
      expectRefusal(await send('GET', `/rest/${name}`), `GET /rest/${name}`);
      expectRefusal(await send('POST', `/rest/${name}`, '{}'), `POST /rest/${name}`);
      expectRefusal(await send('GET', `/api/databases/default/collections/${name}/documents`), `documents of ${name}`);
    }
    expect(await hostile.takeStock()).toBe(before);
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
        expectRefusal(await send('GET', `${list}?${query}`), `${list}?${query.slice(0, 50)}`);
  });

  it('with keys that are none are refused, whatever they are', async () => {
    const good = hostile.key;
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
      expectRefusal(await send('GET', '/rest/target', undefined, { 'x-apikey': text }), `key ${text.slice(0, 40)}`);
    }
    for (const query of ['apikey[]=x', 'apikey=x&apikey=y', 'apikey=%00', 'token={}']) {
      expectRefusal(await hostile.sendBare({ path: `/rest/target?${query}` }), query);
    }
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
    const socket = connect(hostile.api.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(request);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  });

  it('echo nothing of a request id that could break a line', async () => {
    const response = await send('GET', '/rest/target', undefined, { 'x-request-id': 'abcdefgh x' });
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('fifty clients that break off', () => {
  it('leave a server that answers as before', async () => {
    const head = `POST /rest/target HTTP/1.1\r\nHost: x\r\nx-apikey: ${hostile.key}\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"a":`;
    await Promise.all(
      Array.from({ length: 50 }, async (_, n) => {
        const socket = connect(hostile.api.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(head.slice(0, head.length - (n % 5) * 20));
        await new Promise((resolve) => setTimeout(resolve, n));
        socket.destroy();
      }),
    );
    const response = await send('GET', `/rest/target/${documentId}`);
    expect(JSON.parse(response.text)).toEqual({ _id: documentId, a: 1 });
  });
});
