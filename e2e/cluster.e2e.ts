/** `npm run cluster`: several processes behind nginx, as deploy/nginx.conf has it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@playwright/test';
import { isListening } from './server.js';

const script = fileURLToPath(new URL('../scripts/cluster.mjs', import.meta.url));

type Cluster = { child: ChildProcess; url: string; key: string; members: Map<string, string>; said(): string };
let dataDir: string;
let cluster: Cluster;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  dataDir = await mkdtemp(join(tmpdir(), 'tidewire-e2e-cluster-'));
  cluster = await startCluster();
});

test.afterAll(async () => {
  if (cluster?.child.exitCode === null && cluster.child.kill('SIGTERM')) await once(cluster.child, 'exit');
  await rm(dataDir, { recursive: true, force: true });
});

async function startCluster(): Promise<Cluster> {
  const port = await freePort();
  const child = spawn(process.execPath, [script, '--port', String(port), '--data-dir', dataDir], {
    env: { ...process.env, DATABASE_URL: '', REDIS_URL: '', NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let errors = '';
  child.stdout.on('data', (part) => {
    output += part;
  });
  child.stderr.on('data', (part) => {
    errors += part;
  });
  await expect
    .poll(
      () => {
        if (child.exitCode !== null) throw new Error(`The cluster did not start: ${errors}`);
        return output;
      },
      { timeout: 150_000 },
    )
    .toContain('Ctrl-C');
  const members = new Map(
    [...output.matchAll(/^ {2}((?:api|realtime|worker) \d) +(http:\S+)$/gm)].map(([, name = '', at = '']) => [
      name,
      at,
    ]),
  );
  const key = /Demo key +(\S+)/.exec(output)?.[1] ?? '';
  return { child, url: `http://127.0.0.1:${port}`, key, members, said: () => output + errors };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** The text of a stream as it comes. */
async function listen(url: string): Promise<{ text(): string; close(): void }> {
  const abort = new AbortController();
  const response = await fetch(`${url}/realtime`, { headers: { 'x-apikey': cluster.key }, signal: abort.signal });
  expect(response.status).toBe(200);
  let text = '';
  const read = async () => {
    const decoder = new TextDecoder();
    for await (const part of response.body ?? []) text += decoder.decode(part, { stream: true });
  };
  read().catch(() => undefined);
  return { text: () => text, close: () => abort.abort() };
}

async function post(url: string, path: string, body: unknown): Promise<string> {
  const answer = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'x-apikey': cluster.key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect([200, 201], await answer.clone().text()).toContain(answer.status);
  return answer.headers.get('x-event-id') ?? '';
}

const member = (name: string) => cluster.members.get(name) ?? '';

test('what is written on one api is heard on both realtime processes, and through the proxy', async () => {
  expect([...cluster.members.keys()].sort()).toEqual(['api 1', 'api 2', 'realtime 1', 'realtime 2', 'worker 1']);
  const streams = await Promise.all([member('realtime 1'), member('realtime 2'), cluster.url].map(listen));
  for (const { text } of streams) await expect.poll(text).toContain('"channel":"init"');
  for (const [from, name] of [
    [member('api 1'), 'one'],
    [member('api 2'), 'two'],
    [cluster.url, 'proxied'],
  ] as const) {
    const id = await post(from, '/rest/company', { name });
    for (const { text } of streams) await expect.poll(text).toMatch(new RegExp(`id: ?${id}\n[^]*"name":"${name}"`));
  }
  for (const { close } of streams) close();
});

test('through deploy/nginx.conf each of 100 events is there before the next is made', async () => {
  test.setTimeout(90_000);
  const { text, close } = await listen(cluster.url);
  await expect.poll(text).toContain('"channel":"init"');
  for (let number = 1; number <= 100; number += 1) {
    await post(cluster.url, '/realtime', { event: 'step', data: { number } });
    await expect.poll(text, { intervals: [5] }).toContain(`{"number":${number}}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  close();
});

test('Ctrl-C ends all of its processes with 0, and nothing else', async () => {
  test.setTimeout(90_000);
  const urls = [cluster.url, ...cluster.members.values()];
  expect(await Promise.all(urls.map(isListening))).toEqual(urls.map(() => true));
  const gone = once(cluster.child, 'exit');
  cluster.child.kill('SIGINT');
  expect(await gone, cluster.said()).toEqual([0, null]);
  expect(await Promise.all(urls.map(isListening))).toEqual(urls.map(() => false));
});
