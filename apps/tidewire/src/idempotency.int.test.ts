import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type SourceProcess, spawnSource } from '@tidewire/testing/spawn-source';
import { expect, test } from 'vitest';

const main = fileURLToPath(new URL('./main.ts', import.meta.url));

async function start(dataDir: string): Promise<{ process: SourceProcess; url: string; welcome: string }> {
  const env = { DATA_DIR: dataDir, LOG_LEVEL: 'silent', NO_COLOR: '1', DATABASE_URL: '' };
  const process = spawnSource(main, ['start', '--port', '0'], env);
  let welcome = '';
  while (!welcome.includes('Ctrl-C')) welcome += `${await process.line()}\n`;
  return { process, url: /ready on (\S+)/.exec(welcome)?.[1] ?? '', welcome };
}

test('writes with idempotency keys happen once although the server is killed under them and they are sent again', {
  timeout: 60_000,
}, async () => {
  const dataDir = realpathSync(mkdtempSync(join(tmpdir(), 'tw-once-')));
  const first = await start(dataDir);
  const key = /x-apikey: (\w+)/.exec(first.welcome)?.[1] ?? '';
  const send = async (url: string, n: number): Promise<string> => {
    const answer = await fetch(`${url}/rest/company`, {
      method: 'POST',
      headers: { 'x-apikey': key, 'content-type': 'application/json', 'idempotency-key': `write-${n}` },
      body: JSON.stringify({ n }),
    });
    expect(answer.status).toBe(201);
    return `${answer.headers.get('x-event-id')} ${await answer.text()}`;
  };
  const numbers = Array.from({ length: 400 }, (_, n) => n);
  let answered = 0;
  const kill = () => {
    answered += 1;
    if (answered === 40) first.process.kill('SIGKILL');
  };
  const before = await Promise.allSettled(
    numbers.map(async (n) => {
      // Not all at once, so that the server dies between commits and not before or after all of them.
      await new Promise((resolve) => setTimeout(resolve, n));
      const text = await send(first.url, n);
      kill();
      return text;
    }),
  );
  await first.process.ended;
  const acknowledged = before.filter(({ status }) => status === 'fulfilled').length;
  expect(acknowledged).toBeGreaterThanOrEqual(40);
  expect(acknowledged).toBeLessThan(400);

  const second = await start(dataDir);
  const after = await Promise.all(numbers.map((n) => send(second.url, n)));
  for (const [n, outcome] of before.entries()) if (outcome.status === 'fulfilled') expect(after[n]).toBe(outcome.value);
  const events = new Set(after.map((text) => text.split(' ')[0]));
  expect(events.size).toBe(400);
  const totals = await fetch(`${second.url}/rest/company?max=0&totals=true`, { headers: { 'x-apikey': key } });
  expect(await totals.json()).toMatchObject({ totals: { total: 400 } });
  second.process.kill('SIGTERM');
  expect(await second.process.ended).toBe(0);
  rmSync(dataDir, { recursive: true });
});
