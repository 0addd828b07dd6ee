/** What restdb.io's page on realtime messaging shows: EventSource (pages/restdb-eventsource.html), the JavaScript API (pages/restdb-client.html), and its HTTP session. */
import { request } from 'node:http';
import { expect, type Page } from '@playwright/test';
import { test } from './fixtures.js';
import { type Site, startSite } from './pages.js';
import { type RunningServer, startServer } from './server.js';

/** Servers and a browser start here; on a machine that is busy that takes its time. */
test.describe.configure({ timeout: 180_000 });

const lines = (page: Page, list: string) => page.locator(`#${list} li`).allTextContents();

function caller(server: RunningServer, key: string) {
  return async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(server.url + path, {
      method,
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.ok).toBe(true);
    return answer.json();
  };
}

function changeWords(site: Site, server: RunningServer, key: string): void {
  site.change({
    'https://your-database.restdb.io': server.url,
    'your-api-key-here': key,
    'your-CORS-apikey-here': key,
  });
}

test('realtime is off by default, a key hears its channels, and the global flag opens all', async ({
  page,
  server,
}) => {
  const site = await startSite();
  const off = await server.createKey({ rest: ['*:*'], origin: [site.origin] });
  changeWords(site, server, off.key);
  await page.goto(`${site.origin}/restdb-eventsource.html`);
  await expect(page.locator('#stream li')).toHaveText(['closed']);

  const { key } = await server.createKey({
    rest: ['*:*'],
    publish: ['*'],
    listen: ['POST:company'],
    origin: [site.origin],
  });
  const call = caller(server, key);
  changeWords(site, server, key);
  await page.goto(`${site.origin}/restdb-eventsource.html`);
  await expect(page.locator('#stream li').first()).toHaveText('message {"channel":"init","data":{}}');
  await expect(page.locator('#stream li').nth(1)).toHaveText(/^ping \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const company = await call('POST', '/rest/company', { name: 'ACME' });
  await call('PUT', `/rest/company/${company._id}`, { name: 'ACME Ltd' });
  await call('POST', '/rest/customer', { name: 'Ada' });
  await call('POST', '/rest/company', { name: 'Globex' });
  const types = async () => (await lines(page, 'events')).map((line) => line.split(' ')[0]);
  await expect.poll(types).toEqual(['post', 'post']);

  await server.tidewire('settings', 'set', 'realtime.global', 'true');
  const isOpen = async () => {
    await call('POST', '/realtime', { event: 'IS_OPEN', data: {} });
    return (await lines(page, 'events')).some((line) => line.includes('IS_OPEN'));
  };
  await expect.poll(isOpen).toBe(true);
  await call('PATCH', `/rest/company/${company._id}`, { name: 'ACME Inc' });
  const gone = await call('DELETE', `/rest/company/${company._id}`);
  await call('POST', '/realtime', { event: 'boing', data: { name: 'value' } });
  await expect.poll(async () => (await lines(page, 'events')).at(-1)).toContain('boing');
  await server.tidewire('settings', 'set', 'realtime.global', 'false');
  const events = (await lines(page, 'events')).filter((line) => !line.includes('IS_OPEN'));
  const parsed = events.map((line) => {
    const [type = '', id = '', ...data] = line.split(' ');
    return { type, id: Number(id), data: JSON.parse(data.join(' ')) };
  });
  expect(gone).toEqual({ result: [company._id] });
  expect(parsed.slice(2).map(({ type, data }) => ({ type, data }))).toEqual([
    { type: 'put', data: { event: 'put', collection: 'company', data: company._id } },
    { type: 'delete', data: { event: 'delete', collection: 'company', data: [company._id] } },
    { type: 'publish', data: { event: 'boing', data: { name: 'value' } } },
  ]);
  expect(parsed[0]?.data).toMatchObject({
    event: 'post',
    collection: 'company',
    data: { _id: company._id, name: 'ACME' },
  });
  const ids = parsed.map(({ id }) => id);
  expect(ids).toEqual([...ids].sort((a, b) => a - b));
  await page.screenshot({ path: test.info().outputPath('restdb-eventsource.png') });
  site.close();
});

test('the JavaScript API of a restdb.io page hears changes and custom events, publishes, and misses nothing while its server is away', async ({
  page,
}) => {
  const server = await startServer();
  const site = await startSite();
  const { key } = await server.createKey({
    rest: ['*:customer'],
    listen: ['*:customer', 'PUBLISH:GOAL'],
    publish: ['GOAL'],
    origin: ['*'],
  });
  const call = caller(server, key);
  changeWords(site, server, key);
  await page.goto(`${site.origin}/restdb-client.html`);
  const states = page.locator('#states li');
  await expect(states).toHaveText(['CONNECT']);
  const ada = await call('POST', '/rest/customer', { name: 'Ada' });
  await call('PUT', `/rest/customer/${ada._id}`, { name: 'Ada L.' });
  await page.getByRole('button', { name: 'Goal!' }).click();
  const events = page.locator('#events li');
  await expect(events).toHaveCount(2);
  const custom = page.locator('#custom li');
  await expect(custom).toHaveCount(2);
  expect((await lines(page, 'custom')).sort()).toEqual([
    'heard null {"event":"GOAL","data":{"match":223,"value":"3-0"}}',
    'published null {"message":"OK"}',
  ]);

  await server.kill();
  await expect(states).toHaveText(['CONNECT', 'DISCONNECT']);
  await server.start();
  await call('PATCH', `/rest/customer/${ada._id}`, { name: 'Countess' });
  await call('DELETE', `/rest/customer/${ada._id}`);
  await expect(events).toHaveCount(4, { timeout: 30_000 });
  await expect(states).toHaveText(['CONNECT', 'DISCONNECT', 'RECONNECT']);
  const heard = (await lines(page, 'events')).map((line) => JSON.parse(line.replace(/^null /, '')));
  const put = { event: 'put', collection: 'customer', data: ada._id };
  expect(heard).toMatchObject([
    { event: 'post', collection: 'customer', data: { _id: ada._id, name: 'Ada' } },
    put,
    put,
    { event: 'delete', collection: 'customer', data: [ada._id] },
  ]);
  await page.screenshot({ path: test.info().outputPath('restdb-client.png') });
  site.close();
  await server.dispose();
});

test('the session over HTTP has the headers, the first blocks and the fields that the page prints', async ({
  server,
}) => {
  const { key } = await server.createKey({
    rest: ['*:customer'],
    listen: ['*:customer', 'PUBLISH:boing'],
    publish: ['boing'],
  });
  const headers = { 'Content-Type': 'application/json', 'x-apikey': key };
  let text = '';
  const stream = request(`${server.url}/realtime`, { method: 'GET', headers }, (response) => {
    text += `${response.statusCode} ${response.headers['content-type']}\n`;
    response.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
  });
  stream.on('error', () => undefined).end();
  await expect.poll(() => text).toContain('event: ping');
  const call = caller(server, key);
  const { _id } = await call('POST', '/rest/customer', { name: 'Ada' });
  await call('PUT', `/rest/customer/${_id}`, { name: 'Ada L.' });
  expect(await call('POST', '/realtime', { event: 'boing', data: { name: 'value' } })).toEqual({ message: 'OK' });
  await expect.poll(() => text).toContain('boing');
  stream.destroy();
  expect(text).toMatch(
    /^200 text\/event-stream; charset=utf-8\nretry: 2000\n\ndata: \{"channel":"init","data":\{\}\}\n\n/,
  );
  expect(text).toMatch(/event: ping\ndata: \d{4}-\d\d-\d\dT[\d:.]+Z\n\n/);
  expect(text).toMatch(
    new RegExp(`id: \\d+\\nevent: put\\ndata: \\{"event":"put","collection":"customer","data":"${_id}"\\}\\n\\n`),
  );
  expect(text).toMatch(/id: \d+\nevent: publish\ndata: \{"event":"boing","data":\{"name":"value"\}\}\n\n/);
});
