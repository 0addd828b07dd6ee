import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startLeakCheck } from './leak-check.js';
import { openSse } from './sse-probe.js';

let server: Server;
let url: string;
let streams: ServerResponse[];
let cursors: (string | undefined)[];
const leaks = { check: startLeakCheck() };

beforeEach(async () => {
  leaks.check = startLeakCheck();
  streams = [];
  cursors = [];
  server = createServer((request, response) => {
    cursors.push(
      request.headers['last-event-id']?.toString() ??
        new URL(request.url ?? '/', 'http://x').searchParams.get('since') ??
        undefined,
    );
    if (request.url?.startsWith('/no'))
      return response.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"no"}');
    streams.push(response.writeHead(200, { 'content-type': 'text/event-stream' }));
    response.flushHeaders();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  for (const stream of streams) stream.destroy();
  await new Promise((resolve) => server.close(resolve));
  await leaks.check.assertClean();
});

test('a message is recorded with its event, id and data, however the bytes are cut', async () => {
  const probe = await openSse(url);
  for (const byte of 'retry: 2000\r\n\r\nevent: put\r\nid: 7\r\ndata: {"a":\r\ndata: 1}\r\n\r\n')
    streams[0]?.write(byte);
  const message = await probe.waitFor('put');
  expect(message).toMatchObject({ event: 'put', id: '7', data: '{"a":\n1}', connection: 1 });
  expect(probe.json('put')).toEqual([{ a: 1 }]);
  expect(probe.retryMs).toBe(2000);
  probe.close();
});

test('a block that holds only an id moves the cursor, and one that is not finished does not', async () => {
  const probe = await openSse(url);
  streams[0]?.write('id: 8\n\nid: 9\ndata: unfinished\n');
  streams[0]?.end();
  await probe.waitForEnd();
  expect(probe.lastEventId).toBe('8');
  expect(probe.messages).toEqual([]);
});

test.each([
  ['the header', {}],
  ['a query parameter', { cursorParameter: 'since' }],
])('after a cut it comes back with the last id in %s', async (_where, options) => {
  const probe = await openSse(url, { ...options, lastEventId: '3' });
  streams[0]?.write('id: 4\ndata: x\n\n');
  await probe.waitFor('message');
  await probe.reconnect();
  streams[1]?.write('id: 5\ndata: y\n\n');
  await probe.waitFor(({ data }) => data === 'y');
  expect(cursors).toEqual(['3', '4']);
  expect(probe.messages.map(({ connection }) => connection)).toEqual([1, 2]);
  probe.close();
});

test('a refusal shows its status and its body, and waiting for a message says what came instead', async () => {
  const probe = await openSse(`${url}/no`);
  await probe.waitForEnd();
  expect(probe.status).toBe(401);
  expect(JSON.parse(probe.body)).toEqual({ code: 'no' });
  await expect(probe.waitFor('put', { timeoutMs: 50 })).rejects.toThrow(/Status 401.*"code":"no"/);
});

test('the leak check names a socket that was left open', async () => {
  const check = startLeakCheck();
  const socket = new Socket().connect((server.address() as AddressInfo).port, '127.0.0.1');
  await new Promise((resolve) => socket.once('connect', resolve));
  await expect(check.assertClean({ timeoutMs: 50 })).rejects.toThrow(/TCP/i);
  socket.destroy();
});
