import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import { createLifecycle, type Lifecycle } from '@tidewire/server-kit/lifecycle';
import { createLogger } from '@tidewire/server-kit/logger';
import { eventually } from '@tidewire/testing/eventually';
import { forkSource } from '@tidewire/testing/spawn-source';
import { openSse, type SseProbe } from '@tidewire/testing/sse-probe';
import { addressUrl, createTestDatabase } from '@tidewire/testing/test-database';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { start } from '../commands/start.js';
import { loadConfig } from '../config.js';
import { openCore } from '../open-core.js';
import { createRealtimeProcesses } from './realtime-processes.js';

const unbounded = { perKey: 0, perAddress: 0, total: 0, maxAgeSeconds: 0 };
const unboundedAll = { streamLimits: unbounded, requestBounds: { redisUrl: null, attemptsPerAddress: 0 } };
const program = fileURLToPath(new URL('../realtime-main.ts', import.meta.url));
const logged: Record<string, unknown>[] = [];
const logger = createLogger({
  level: 'debug',
  write: (line) => logged.push(JSON.parse(line)),
  forPeople: false,
  colours: false,
});
const dataDir = mkdtempSync(join(tmpdir(), 'tidewire-processes-'));
const children: ChildProcess[] = [];
const probes: SseProbe[] = [];
let lifecycle: Lifecycle;
let address: PostgresAddress;
let url: string;
let port: number;
let key: string;

beforeAll(async () => {
  ({ address } = await createTestDatabase());
  lifecycle = createLifecycle(logger);
  const env = {
    DATABASE_URL: addressUrl(address),
    DATA_DIR: dataDir,
    REALTIME_PROCESSES: '2',
    LOG_LEVEL: 'debug',
    PORT: '0',
  };
  let welcome = '';
  await start({
    config: loadConfig({}, env),
    logger,
    lifecycle,
    print: (text) => {
      welcome += text;
    },
    colours: false,
    forkRealtime: fork,
  });
  url = (/ready on (\S+)/.exec(welcome)?.[1] ?? '').replace('localhost', '127.0.0.1');
  port = Number(new URL(url).port);
  key = /Demo key\s+(\S+)/.exec(welcome)?.[1] ?? '';
}, 60_000);

afterEach(() => {
  for (const probe of probes.splice(0)) probe.close();
});

afterAll(async () => {
  await lifecycle.stop('the test is over');
  rmSync(dataDir, { recursive: true, force: true });
});

function fork(): ChildProcess {
  const child = forkSource(program);
  children.push(child);
  return child;
}

const living = () => children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);

async function open(query = ''): Promise<SseProbe> {
  const probe = await openSse(`${url}/realtime?apikey=${key}${query}`);
  probes.push(probe);
  return probe;
}

async function post(path: string, body: unknown): Promise<number> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([200, 201]).toContain(answer.status);
  await answer.arrayBuffer();
  return Number(answer.headers.get('x-event-id'));
}

type Facts = { realtimeProcesses: { wanted: number; ready: number; streams: number } };
const health = async () => (await (await fetch(`${url}/health`)).json()) as Facts;
const bothReady = () =>
  eventually(async () => expect((await health()).realtimeProcesses.ready).toBe(2), { timeoutMs: 40_000 });

/** Bytes over a connection of our own, and all that came back so far. */
function connect(to = port) {
  const socket = net.connect(to, '127.0.0.1');
  const state = { text: '', isClosed: false };
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    state.text += text;
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    state.isClosed = true;
  });
  return { socket, state, until: (part: string | RegExp) => eventually(() => expect(state.text).toMatch(part)) };
}

const streamHead = (version = '1.1', more = '') =>
  `GET /realtime?apikey=${key} HTTP/${version}\r\nHost: x\r\nAccept: text/event-stream\r\n${more}\r\n`;

describe('a server with realtime processes', () => {
  it('has its streams in them, spread evenly, and says how many', { timeout: 60_000 }, async () => {
    await bothReady();
    const opened = await Promise.all(Array.from({ length: 10 }, () => open()));
    expect(opened.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const id = await post('/rest/company', { name: 'ACME' });
    for (const probe of opened) expect(await probe.waitFor('post')).toMatchObject({ id: String(id) });
    await eventually(async () =>
      expect((await health()).realtimeProcesses).toEqual({ wanted: 2, ready: 2, streams: 10 }),
    );
    living()[0]?.kill('SIGKILL');
    await eventually(() => expect(opened.filter(({ isOpen }) => isOpen)).toHaveLength(5));
    await bothReady();
  });

  it('loses and doubles nothing while its processes are killed under load', { timeout: 600_000 }, async () => {
    let isOver = false;
    const follow = async () => {
      const probe = await open('&since=0');
      while (!isOver) {
        if (!probe.isOpen) await probe.reconnect().catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      return probe;
    };
    const subscribers = Array.from({ length: 8 }, follow);
    let last = 0;
    const writer = async () => {
      while (!isOver) last = Math.max(last, await post('/realtime', { event: 'x', data: last }));
    };
    const writers = Array.from({ length: 4 }, writer);
    for (let kill = 0; kill < 5; kill += 1) {
      await eventually(
        () => {
          const events = probes.map(({ messages }) => messages.length);
          expect(Math.min(...events)).toBeGreaterThan(20 * (kill + 1));
          expect(probes.filter(({ isOpen }) => isOpen)).toHaveLength(8);
        },
        { timeoutMs: 90_000, intervalMs: 50 },
      );
      living()
        .at(kill % 2 === 0 ? 0 : -1)
        ?.kill('SIGKILL');
    }
    await bothReady();
    const reached = last;
    for (const probe of probes)
      await eventually(() => expect(Number(probe.lastEventId)).toBeGreaterThanOrEqual(reached), { timeoutMs: 20_000 });
    isOver = true;
    await Promise.all([...subscribers, ...writers]);
    for (const probe of probes) {
      const ids = probe.messages
        .filter(({ event }) => event === 'publish' || event === 'post')
        .map(({ id }) => Number(id));
      expect(ids).toEqual(ids.map((_, index) => index + 1));
      expect(ids.length).toBeGreaterThanOrEqual(reached);
    }
    expect(logged.some(({ msg }) => String(msg).startsWith('A realtime process ended'))).toBe(true);
  });

  it('refuses a stream with the answer of the server, and then closes the connection', async () => {
    const answer = await fetch(`${url}/realtime?apikey=${key.slice(0, -1)}x`);
    expect([answer.status, answer.headers.get('connection')]).toEqual([401, 'close']);
    expect(await answer.json()).toMatchObject({ status: 401 });
  });

  it('ends the streams of a key that somebody else revokes', { timeout: 40_000 }, async () => {
    const core = openCore(address, logger);
    const database = await core.databases.ensure('default');
    const grants = { rest: [], listen: ['*:*'], publish: [], origins: [] };
    const { id, key: other } = await core.apiKeys.create(database.id, { name: 'other', ...grants });
    const opened = await Promise.all([1, 2, 3, 4].map(() => openSse(`${url}/realtime?apikey=${other}`)));
    probes.push(...opened);
    await core.apiKeys.revoke(database.id, id);
    for (const probe of opened) await probe.waitFor('revoked', { timeoutMs: 15_000 });
    for (const probe of opened) await probe.waitForEnd();
    await core.close();
  });

  it('closes a stream behind which garbage comes, or goes on with it as if there were none', async () => {
    const connections = await Promise.all(
      Array.from({ length: 60 }, async (_, index) => {
        const one = connect();
        one.socket.write(streamHead());
        await new Promise((resolve) => setTimeout(resolve, index % 6));
        one.socket.write('garbage');
        await eventually(() => expect(one.state.text !== '' || one.state.isClosed).toBe(true));
        return one;
      }),
    );
    await post('/realtime', { event: 'afterwards', data: 1 });
    for (const { state } of connections)
      await eventually(() => expect(state.isClosed || state.text.includes('"event":"afterwards"')).toBe(true));
    for (const { socket } of connections) socket.destroy();
  });

  it('gives a stream away that is asked for on a connection with requests before it', async () => {
    const { socket, until } = connect();
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(/"status":"ok"/);
    socket.write(streamHead());
    await until(/text\/event-stream/);
    const id = await post('/realtime', { event: 'kept', data: 1 });
    await until(new RegExp(`id: ?${id}\n`));
    await eventually(async () => expect((await health()).realtimeProcesses.streams).toBe(1));
    socket.destroy();
    await eventually(async () => expect((await health()).realtimeProcesses.streams).toBe(0));
  });

  it('answers requests that came in one piece in their order, the stream last', async () => {
    const { socket, state, until } = connect();
    socket.write(`GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(/404 Not Found/);
    expect(state.text.indexOf('"status":"ok"')).toBeLessThan(state.text.indexOf('404 Not Found'));
    socket.destroy();
    const second = connect();
    second.socket.write(`${streamHead()}GET /health HTTP/1.1\r\nHost: x\r\n\r\n`);
    await second.until(/text\/event-stream/);
    await post('/realtime', { event: 'behind', data: 1 });
    await second.until(/"event":"behind"/);
    expect(second.state.text).not.toContain('"status":"ok"');
    second.socket.destroy();
  });

  it('takes a head that comes byte by byte, with more behind it', async () => {
    const { socket, until } = connect();
    socket.setNoDelay(true);
    for (const byte of streamHead('1.1', 'X-Long: ä\r\n')) {
      socket.write(byte, 'latin1');
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(/text\/event-stream/);
    socket.write('nonsense that nobody reads');
    await post('/realtime', { event: 'slowly', data: 1 });
    await until(/"event":"slowly"/);
    socket.destroy();
  });

  it('speaks HTTP/1.0 without chunks', async () => {
    const { socket, state, until } = connect();
    socket.write(streamHead('1.0'));
    await until(/text\/event-stream/);
    await post('/realtime', { event: 'old', data: 1 });
    await until(/"event":"old"/);
    expect(state.text.toLowerCase()).not.toContain('transfer-encoding');
    socket.destroy();
  });

  it('answers HEAD, a stream with a body, and a stream behind another request itself', async () => {
    const head = await fetch(`${url}/realtime?apikey=${key}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8']);
    const { socket, state, until } = connect();
    socket.write(`${streamHead('1.1', 'Content-Length: 2\r\n')}{}`);
    await until(/text\/event-stream/);
    await post('/realtime', { event: 'bodied', data: 1 });
    await until(/"event":"bodied"/);
    // What is given away is told that the connection is its own.
    expect(state.text).toMatch(/^connection: keep-alive/im);
    socket.destroy();
  });

  it('is open to a client that goes away while its connection is given away', async () => {
    for (let round = 0; round < 50; round += 1) {
      const { socket } = connect();
      socket.write(streamHead());
      setTimeout(() => socket.destroy(), round % 5);
      await once(socket, 'close');
    }
    await eventually(
      async () => expect((await health()).realtimeProcesses).toEqual({ wanted: 2, ready: 2, streams: 0 }),
      { timeoutMs: 10_000 },
    );
  });

  it('ends its streams with a time to come back, and its processes, when it stops', async () => {
    const opened = await Promise.all([open(), open(), open()]);
    await Promise.all(opened.map((probe) => probe.waitFor('message').catch(() => undefined)));
    expect(await lifecycle.stop('test')).toEqual({ clean: true });
    for (const probe of opened) await probe.waitForEnd();
    expect(opened.map(({ retryMs }) => retryMs !== undefined)).toEqual([true, true, true]);
    expect(living()).toEqual([]);
  });
});

it('a realtime process whose server is gone ends by itself', { timeout: 60_000 }, async () => {
  const child = forkSource(program);
  const gone = once(child, 'exit');
  child.send({
    kind: 'begin',
    address,
    serverSecret: 'x',
    role: 'all',
    trustProxy: 0,
    logLevel: 'silent',
    ...unboundedAll,
  });
  await once(child, 'message');
  child.disconnect();
  expect(await gone).toEqual([0, null]);
});

it('streams for which no process can be had are answered by the server itself', async () => {
  const processes = createRealtimeProcesses({
    count: 1,
    fork: () => spawn(process.execPath, ['-e', 'process.exit(3)'], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] }),
    begin: {
      address,
      serverSecret: 'x',
      role: 'all',
      trustProxy: 0,
      trustedIssuerHosts: [],
      logLevel: 'silent',
      ...unboundedAll,
    },
    bus: createMemoryChangeBus({
      onError: (error) => {
        throw error;
      },
    }),
    logger,
    patienceMs: 200,
  });
  const server = createServer((request, response) => processes.take(request, response, () => response.end('here')));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/realtime`);
  expect(await answer.text()).toBe('here');
  expect(processes.status()).toMatchObject({ wanted: 1, ready: 0 });
  await processes.drain(0);
  server.close();
});
