/** What MUDBASE's page on server-sent events shows (pages/mudbase.html has its code): `GET /realtime/events` by query, by bearer token and by cookie. */
import { expect, type Page } from '@playwright/test';
import { admin, test } from './fixtures.js';
import { pageText, startSite } from './pages.js';
import type { RunningServer } from './server.js';

/** Servers and a browser start here; on a machine that is busy that takes its time. */
test.describe.configure({ timeout: 180_000 });

const progress = { type: 'backup.progress', payload: { percent: 50, id: 'backup_abc' } };
const notification = { type: 'notification', payload: { message: 'Task completed' } };

const lines = (page: Page, list: string) => page.locator(`#${list} li`).allTextContents();

async function publish(server: RunningServer, key: string, { type, payload }: typeof progress | typeof notification) {
  const answer = await fetch(`${server.url}/realtime`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify({ event: type, data: payload }),
  });
  expect(answer.status).toBe(200);
}

test('a page of MUDBASE gets its messages with the key in the query and as a bearer token', async ({
  page,
  server,
}) => {
  const site = await startSite();
  const { key } = await server.createKey({
    rest: ['*:task'],
    listen: ['*:task', 'PUBLISH:*'],
    publish: ['*'],
    origin: [site.origin],
  });
  site.change({ 'https://cloud.mudbase.dev': server.url, YOUR_API_KEY: key });
  await page.goto(`${site.origin}/mudbase.html`);
  await expect(page.locator('#bearer li').first()).toHaveText('200 text/event-stream; charset=utf-8');
  await expect.poll(() => page.evaluate('es.readyState')).toBe(1);

  await publish(server, key, progress);
  await publish(server, key, notification);
  const created = await fetch(`${server.url}/rest/task`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Write' }),
  });
  const task = await created.json();

  await expect(page.locator('#console li')).toHaveCount(3);
  await expect(page.locator('#bearer li')).toHaveCount(4);
  const shown = (await lines(page, 'console')).map((line) => /^Event: (\S+) (.*)$/.exec(line)?.slice(1) ?? [line]);
  expect(shown.map(([type]) => type)).toEqual(['backup.progress', 'notification', 'task.post']);
  expect(JSON.parse(shown[0]?.[1] ?? '')).toEqual(progress);
  const [, ...byBearer] = await lines(page, 'bearer');
  expect(byBearer.slice(0, 2)).toEqual([JSON.stringify(progress), JSON.stringify(notification)]);
  expect(JSON.parse(byBearer[2] ?? '')).toMatchObject({
    type: 'task.post',
    payload: { _id: task._id, title: 'Write' },
  });
  await expect(page.locator('#backup')).toHaveJSProperty('value', 50);
  await expect(page.locator('#notice')).toHaveText('Task completed');
  await page.screenshot({ path: test.info().outputPath('mudbase.png') });
  site.close();
});

test('a wrong key calls onerror, and the browser does not come back', async ({ page, server }) => {
  const site = await startSite();
  site.change({ 'https://cloud.mudbase.dev': server.url });
  await page.goto(`${site.origin}/mudbase.html`);
  await expect(page.locator('#console li')).toHaveText(['SSE error: error']);
  expect(await page.evaluate('es.readyState')).toBe(2);
  await expect(page.locator('#bearer li').first()).toHaveText(/^401 /);
  site.close();
});

test('a page of the own host gets them with the cookie of a session, until the session ends', async ({
  context,
  server,
}) => {
  const headers = { origin: server.url };
  const signedIn = await context.request.post(`${server.url}/api/session`, { data: admin, headers });
  expect(signedIn.status()).toBe(200);
  const { key } = await server.createKey({ publish: ['*'] });
  const address = `${server.url}/mudbase-session.html`;
  const body = await pageText('mudbase-session.html', { 'https://cloud.mudbase.dev': server.url });
  await context.route(address, (route) => route.fulfill({ contentType: 'text/html', body }));
  const page = await context.newPage();
  await page.goto(address);
  await expect.poll(() => page.evaluate('es.readyState')).toBe(1);
  await publish(server, key, progress);
  await publish(server, key, notification);
  const items = page.locator('#events li');
  await expect(items).toHaveText([progress, notification].map((message) => JSON.stringify(message)));

  expect((await context.request.delete(`${server.url}/api/session`, { headers })).status()).toBe(204);
  await expect.poll(() => page.evaluate('es.readyState'), { timeout: 20_000 }).toBe(2);
  expect((await items.allTextContents()).slice(2).map((text) => JSON.parse(text).type)).toEqual(['expired']);
});
