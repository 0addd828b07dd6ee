import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from '@playwright/test';
import { room } from './fixtures.js';
import { isListening, startServer } from './server.js';

const execute = promisify(execFile);

/** The curl lines that the server printed. */
function curlLines(output: string): string[] {
  return output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('curl '));
}

test('a new server prints a way in, and its two curl lines work when pasted', async ({ page }) => {
  const server = await startServer();
  const [listen, write] = curlLines(server.output());
  const listener = spawn('sh', ['-c', `exec ${listen}`], { stdio: ['ignore', 'pipe', 'ignore'] });
  let heard = '';
  listener.stdout.on('data', (part) => {
    heard += part;
  });
  await expect.poll(() => heard).toContain('"channel":"init"');
  const { stdout } = await execute('sh', ['-c', `${write} -s`]);
  expect(JSON.parse(stdout)).toMatchObject({ name: 'ACME', _version: 0 });
  await expect.poll(() => heard).toContain('event: post');
  listener.kill();

  const link = /http:\S+\/setup\?token=\S+/.exec(server.output())?.[0] ?? '';
  await page.goto(link);
  await page.getByLabel('Email').fill('first@example.org');
  await page.getByLabel('Password', { exact: true }).fill('a long enough password');
  await page.getByRole('button', { name: /create|set up|continue/i }).click();
  await expect(room(page, 'Keys')).toBeVisible();
  await page.context().clearCookies();
  await page.goto(link);
  await page
    .getByRole('button', { name: 'Sign in' })
    .or(page.getByText(/already/i))
    .first()
    .waitFor();

  expect(await server.interrupt()).toBe(0);
  expect(await isListening(server.url)).toBe(false);
  await server.dispose();
});

test('kill -9 leaves nothing that keeps the next start from succeeding, and no data is lost', async () => {
  const server = await startServer();
  const { key } = await server.createKey({ rest: ['*:*'] });
  const headers = { 'x-apikey': key, 'content-type': 'application/json' };
  for (let round = 1; round <= 3; round += 1) {
    const answer = await fetch(`${server.url}/rest/company`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ round }),
    });
    expect(answer.headers.get('x-event-id')).toBe(String(round));
    await server.kill();
    await server.start();
  }
  const list = await (await fetch(`${server.url}/rest/company`, { headers })).json();
  // Ids of two processes within the same second have no order.
  expect(list.map(({ round }: { round: number }) => round).sort()).toEqual([1, 2, 3]);
  await server.dispose();
});

test('keys and settings are managed beside a running server and on a stopped one', async () => {
  const server = await startServer();
  const { id, key } = await server.createKey({ rest: ['GET:company'], listen: ['POST:company'] });
  const list = () => fetch(`${server.url}/rest/company`, { headers: { 'x-apikey': key } });
  expect((await list()).status).toBe(200);
  await server.tidewire('settings', 'set', 'realtime.global', 'true');
  expect(await server.tidewire('settings', 'get')).toContain('true');
  expect(await server.interrupt()).toBe(0);
  await server.tidewire('key', 'revoke', id);
  const second = await server.createKey({ rest: ['GET:company'] });
  expect(await server.tidewire('key', 'list')).toContain(second.id);
  await server.start();
  expect((await list()).status).toBe(401);
  await server.dispose();
});

test('a taken port and a taken folder are said plainly, and the running server is not disturbed', async () => {
  const server = await startServer();
  const { port } = new URL(server.url);
  const command = new URL('../apps/tidewire/bin/tidewire.js', import.meta.url).pathname;
  const start = (...args: string[]) =>
    execute(process.execPath, [command, 'start', ...args]).then(
      () => ({ code: 0, text: '' }),
      ({ code, stdout, stderr }) => ({ code, text: `${stdout}${stderr}` }),
    );
  const taken = await start('--port', port, '--data-dir', `${server.dataDir}-other`);
  expect(taken).toMatchObject({ code: 1, text: expect.stringContaining(port) });
  const folder = await start('--port', '0', '--data-dir', server.dataDir);
  expect(folder).toMatchObject({ code: 1, text: expect.stringContaining(server.dataDir) });
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
  await server.dispose();
});
