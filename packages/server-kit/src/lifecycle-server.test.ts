import { existsSync, readFileSync } from 'node:fs';
import { createServer, get, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { drainServer, listen } from './lifecycle-server.js';

const onLoopback = { host: '127.0.0.1', port: 0 };

test('a taken port is named with what to do', async () => {
  const first = createServer();
  const port = await listen(first, onLoopback);
  const refusal = listen(createServer(), { host: '127.0.0.1', port });
  await expect(refusal).rejects.toThrow(
    `Port ${port} on 127.0.0.1 is taken by another program. Stop that one, or choose another one`,
  );
  first.close();
});

test.skipIf(!existsSync('/proc/net/tcp'))(
  'a thousand connections that come in one moment all find a place in the queue',
  async () => {
    const server = createServer();
    const port = await listen(server, onLoopback);
    const sockets = Array.from({ length: 1_000 }, () =>
      connect({ host: '127.0.0.1', port }).on('error', () => undefined),
    );
    // By now every connection has been asked for, and the server could not accept one of them yet.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    const inHex = port.toString(16).toUpperCase().padStart(4, '0');
    const states = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote]) => remote === `0100007F:${inHex}`)
      .map(([, , , state]) => state);
    for (const socket of sockets) socket.destroy();
    server.close();
    // 01 is ESTABLISHED, 02 is SYN_SENT: dropped, to be asked again after a second (proc_pid_net(5), tcp_states.h).
    expect([states.length, states.filter((state) => state !== '01').length]).toEqual([1_000, 0]);
  },
);

test('an address of another machine is named', async () => {
  await expect(listen(createServer(), { host: '192.0.2.1', port: 0 })).rejects.toThrow(
    '192.0.2.1 is not an address of this machine',
  );
});

test('streams are ended, a running request finishes, and one that hangs is cut', async () => {
  const responses = new Map<string, ServerResponse>();
  const server = createServer((request, response) => {
    responses.set(request.url ?? '', response);
    response.write('begun ');
  });
  const port = await listen(server, onLoopback);
  const ask = (path: string) =>
    new Promise<string>((resolve) => {
      get({ ...onLoopback, port, path }, (response) => {
        let body = '';
        response
          .on('data', (chunk) => (body += chunk))
          .on('close', () => resolve(body + (response.complete ? '' : 'cut')));
      });
    });
  const answers = ['/stream', '/slow', '/hangs'].map(ask);
  while (responses.size < 3) await new Promise((resolve) => setTimeout(resolve, 5));
  setTimeout(() => responses.get('/slow')?.end('finished'), 50);
  await drainServer(server, { endStreams: () => responses.get('/stream')?.end('bye'), limitMs: 200 });
  expect(await Promise.all(answers)).toEqual(['begun bye', 'begun finished', 'begun cut']);
});
