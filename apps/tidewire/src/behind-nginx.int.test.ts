import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { realtimePathPattern } from '@tidewire/protocol/stream-paths';
import { createLifecycle } from '@tidewire/server-kit/lifecycle';
import { createLogger } from '@tidewire/server-kit/logger';
import { eventually } from '@tidewire/testing/eventually';
import { addressUrl, createTestDatabase } from '@tidewire/testing/test-database';
import { startTestNginx, type TestNginx } from '@tidewire/testing/test-nginx';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { start } from './commands/start.js';
import { loadConfig } from './config.js';

const logger = createLogger({ level: 'silent', write: () => undefined, forPeople: false, colours: false });
const lifecycle = createLifecycle(logger);
const dataDir = mkdtempSync(join(tmpdir(), 'tidewire-behind-nginx-'));
let nginx: TestNginx;
let url: string;
let key: string;

beforeAll(async () => {
  const { address } = await createTestDatabase();
  let welcome = '';
  await start({
    config: loadConfig({}, { DATABASE_URL: addressUrl(address), DATA_DIR: dataDir, PORT: '0' }),
    logger,
    lifecycle,
    print: (text) => {
      welcome += text;
    },
    colours: false,
    forkRealtime: () => {
      throw new Error('not asked for');
    },
  });
  url = (/ready on (\S+)/.exec(welcome)?.[1] ?? '').replace('localhost', '127.0.0.1');
  key = /Demo key\s+(\S+)/.exec(welcome)?.[1] ?? '';
  const stock = `location / { proxy_pass ${url}; }`;
  const zipped = `gzip on; gzip_types *; gzip_proxied any; gzip_min_length 1; ${stock}`;
  nginx = await startTestNginx([stock, zipped]);
}, 60_000);

afterAll(async () => {
  await nginx?.stop();
  await lifecycle.stop('the test is over');
  rmSync(dataDir, { recursive: true, force: true });
});

/** A stream through a proxy: its text as it comes. */
async function listen(through: string, headers: Record<string, string>) {
  const request = http.get(`${through}/realtime`, { headers: { 'x-apikey': key, ...headers }, agent: false });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  const encoding = response.headers['content-encoding'];
  const state = { text: '', encoding };
  const readable = encoding === 'gzip' ? response.pipe(createGunzip()) : response;
  readable.setEncoding('utf8');
  readable.on('data', (text: string) => {
    state.text += text;
  });
  readable.on('error', () => undefined);
  return { state, close: () => request.destroy() };
}

async function publish(number: number): Promise<void> {
  const answer = await fetch(`${url}/realtime`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'step', data: { number } }),
  });
  expect(answer.status).toBe(200);
  await answer.arrayBuffer();
}

it('behind nginx as it comes, with and without gzip, the stream begins at once and each of 100 events is there before the next is made', {
  timeout: 90_000,
}, async () => {
  const [stock = '', zipped = ''] = nginx.urls;
  const gzip = { 'accept-encoding': 'gzip' };
  const streams = await Promise.all([listen(stock, {}), listen(stock, gzip), listen(zipped, {}), listen(zipped, gzip)]);
  // nginx did compress the last one: a compressor that holds back would be seen.
  expect(streams.map(({ state }) => state.encoding)).toEqual([undefined, undefined, undefined, 'gzip']);
  const all = (part: string) =>
    eventually(() => {
      for (const { state } of streams) expect(state.text).toContain(part);
    });
  await all('"channel":"init"');
  for (let number = 1; number <= 100; number += 1) {
    await publish(number);
    await all(`{"number":${number}}`);
    await delay(100);
  }
  for (const { close } of streams) close();
});

it('deploy/nginx.conf sends exactly the paths of the realtime service there', () => {
  const text = readFileSync(fileURLToPath(new URL('../../../deploy/nginx.conf', import.meta.url)), 'utf8');
  const pattern = realtimePathPattern.source.replaceAll('\\/', '/');
  expect(text).toContain(`location ~ "${pattern}" {`);
});
