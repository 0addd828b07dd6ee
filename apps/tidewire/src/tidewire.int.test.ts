import { mkdtempSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clusterOf } from '@tidewire/db/embedded-postgres/cluster';
import { findPostgresProcesses } from '@tidewire/db/embedded-postgres/process-table';
import { type SourceProcess, spawnSource } from '@tidewire/testing/spawn-source';
import { openSse } from '@tidewire/testing/sse-probe';
import { afterEach, beforeEach, expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));
const running: SourceProcess[] = [];
let dataDir: string;

beforeEach(() => {
  dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'tw-app-')));
});

afterEach(async () => {
  for (const process of running.splice(0)) {
    process.kill('SIGTERM');
    await process.ended;
  }
  expect(postgresProcesses()).toEqual([]);
  rmSync(dataDir, { recursive: true });
});

function postgresProcesses(): number[] {
  const { folder, name } = clusterOf(dataDir);
  return findPostgresProcesses({ folder, name });
}

function spawn(...args: string[]): SourceProcess {
  const process = spawnSource(main, args, { DATA_DIR: dataDir, LOG_LEVEL: 'silent', NO_COLOR: '1', DATABASE_URL: '' });
  running.push(process);
  return process;
}

/** Runs a command to its end. */
async function run(...args: string[]): Promise<{ code: number | string; lines: string[] }> {
  const process = spawn(...args);
  const lines: string[] = [];
  for (;;) {
    const line = await process.line().catch(() => null);
    if (line === null) return { code: await process.ended, lines };
    lines.push(line);
  }
}

type Started = { process: SourceProcess; url: string; welcome: string };

async function start(): Promise<Started> {
  const process = spawn('start', '--port', '0');
  let welcome = '';
  while (!welcome.includes('Ctrl-C')) welcome += `${await process.line()}\n`;
  return { process, url: /ready on (\S+)/.exec(welcome)?.[1] ?? '', welcome };
}

test('the lines that start prints show a change as an event when they are pasted, and Ctrl-C ends all with 0', {
  timeout: 60_000,
}, async () => {
  const { process, url, welcome } = await start();
  const listen = /curl -N '([^']+)'/.exec(welcome)?.[1] ?? '';
  const [, writeUrl = '', key = '', body = ''] =
    /curl -X POST (\S+) -H 'x-apikey: (\w+)' .* -d '([^']+)'/.exec(welcome) ?? [];
  const stream = await openSse(listen);
  await stream.waitFor('message');
  const answer = await fetch(writeUrl, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body,
  });
  expect(answer.status).toBe(201);
  const { data } = await stream.waitFor('post');
  expect(JSON.parse(data)).toMatchObject({ event: 'post', collection: 'company', data: { name: 'ACME' } });
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  expect(welcome).toMatch(/\/setup\?token=\S+/);
  process.kill('SIGINT');
  process.kill('SIGINT');
  expect(await process.ended).toBe(0);
  await stream.waitForEnd();
  expect(postgresProcesses()).toEqual([]);
});

test('the demo key is shown again until it is revoked, and kept where only its owner reads it', {
  timeout: 240_000,
}, async () => {
  const first = await start();
  first.process.kill('SIGTERM');
  expect(await first.process.ended).toBe(0);
  const file = join(dataDir, 'demo-key');
  const key = readFileSync(file, 'utf8');
  expect([
    first.welcome.includes(key),
    statSync(file).mode & 0o777,
    statSync(join(dataDir, 'secret')).mode & 0o777,
  ]).toEqual([true, 0o600, 0o600]);
  const second = await start();
  expect(second.welcome).toContain(key);
  expect((await run('key', 'revoke', key.split('_')[1] ?? '')).code).toBe(0);
  second.process.kill('SIGTERM');
  await second.process.ended;
  const third = await start();
  expect(third.welcome).not.toContain(key);
  expect(third.welcome).toContain('key create');
});

test('commands work on a stopped server, and beside a running one without stopping its Postgres', {
  timeout: 240_000,
}, async () => {
  const made = await run('key', 'create', '--name', 'n', '--rest', '*:*', '--listen', 'POST:company', '--json');
  expect(made.code).toBe(0);
  const { id, key } = JSON.parse(made.lines[0] ?? '');
  expect(postgresProcesses()).toEqual([]);
  const { url } = await start();
  expect((await run('settings', 'set', 'realtime.global', 'true')).lines).toEqual(['realtime.global is true now.']);
  expect((await run('key', 'list', '--json')).lines[0]).toContain(id);
  const read = () => fetch(`${url}/rest/company`, { headers: { 'x-apikey': key } });
  expect((await read()).status).toBe(200);
  expect((await run('key', 'revoke', id)).code).toBe(0);
  await expect.poll(async () => (await read()).status, { timeout: 5_000 }).toBe(401);
});

test('a taken port is refused before anything is made in the data folder', { timeout: 120_000 }, async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as AddressInfo;
  expect((await run('start', '--port', String(port))).code).toBe(1);
  expect(statSync(join(dataDir, 'postgres'), { throwIfNoEntry: false })).toBeUndefined();
  other.close();
});

test('wrong usage ends with 2, a failure with 1', { timeout: 240_000 }, async () => {
  expect((await run('start', '--port', 'x')).code).toBe(2);
  expect((await run('key', 'create', '--name', 'n', '--rest', 'FETCH:all')).code).toBe(2);
  expect((await run('nonsense')).code).toBe(2);
  expect((await run('key', 'revoke', 'nobody')).code).toBe(1);
});
