/** What an introduction to EventSource shows (pages/event-source-basics.html): streams by name, events by name, the default event, a heartbeat, and the end. */
import { expect, type Page } from '@playwright/test';
import { test } from './fixtures.js';
import { startSite } from './pages.js';
import type { RunningServer } from './server.js';

/** Servers and a browser start here; on a machine that is busy that takes its time. */
test.describe.configure({ timeout: 180_000 });

const lines = (page: Page, list: string) => page.locator(`#${list} li`).allTextContents();

async function open(page: Page, server: RunningServer) {
  const site = await startSite();
  const { key } = await server.createKey({
    listen: ['PUBLISH:my-events', 'PUBLISH:my-events.*', 'PUBLISH:heartbeat'],
    publish: ['my-events', 'my-events.*'],
    origin: [site.origin],
  });
  site.change({
    'api/my-events': `${server.url}/channels/my-events/stream?recent=0&apikey=${key}`,
    'api/heartbeat': `${server.url}/channels/heartbeat/stream?apikey=${key}`,
  });
  await page.goto(`${site.origin}/event-source-basics.html`);
  for (const name of ['evtSource', 'named', 'eventSource'])
    await expect.poll(() => page.evaluate(`${name}.readyState`)).toBe(1);
  const emit = async (data: unknown, event?: string) => {
    const answer = await fetch(`${server.url}/channels/my-events`, {
      method: 'POST',
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      body: JSON.stringify({ data, event }),
    });
    expect(answer.status).toBe(200);
  };
  return { site, emit };
}

test('a listener gets the events of its name, onmessage those without, and the heartbeat says OK', async ({
  page,
  server,
}) => {
  const { site, emit } = await open(page, server);
  await emit({ text: 'one' });
  await emit({ order: 7 }, 'order-paid');
  await emit({ order: 7 }, 'order-shipped');
  await emit({ order: 8 }, 'order-paid');
  await emit({ order: 8 }, 'order-shipped');
  await emit({ text: 'two' });
  await expect.poll(() => lines(page, 'messages')).toEqual(['{"text":"one"}', '{"text":"two"}']);
  // order-paid was registered with the option { once: true }.
  await expect
    .poll(() => lines(page, 'named'))
    .toEqual(['order-paid {"order":7}', 'order-shipped {"order":7}', 'order-shipped {"order":8}']);
  await expect(page.locator('#heartbeats li').first()).toHaveText('the server is alive');
  await expect.poll(async () => (await lines(page, 'heartbeats')).length, { timeout: 30_000 }).toBeGreaterThan(1);
  await page.screenshot({ path: test.info().outputPath('event-source-basics.png') });
  site.close();
});

test('after close() nothing comes any more, and a second close() does nothing', async ({ page, server }) => {
  const { site, emit } = await open(page, server);
  await emit({ text: 'before' });
  await expect.poll(() => lines(page, 'messages')).toEqual(['{"text":"before"}']);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await expect(page.locator('#state')).toHaveText('closed: 2');
  await emit({ text: 'after' });
  await emit({ order: 9 }, 'order-shipped');
  // The other stream of the page has what came later, so the closed one had its time.
  await expect.poll(() => lines(page, 'named')).toEqual(['order-shipped {"order":9}']);
  expect(await lines(page, 'messages')).toEqual(['{"text":"before"}']);
  await page.getByRole('button', { name: 'Close again' }).click();
  await expect(page.locator('#state')).toHaveText('closed again: 2');
  site.close();
});
