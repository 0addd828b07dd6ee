import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, type Page } from '@playwright/test';
import { test } from './fixtures.js';
import { type RunningServer, servePage, startServer } from './server.js';

/** What a callback was called with. */
type Outcome<T = Record<string, unknown>> = {
  error: { message: string; name: string; status: number; code: string; list: { field: string }[] } | null;
  result: T;
  pagination: unknown;
};
type Heard = { on: string; event: string; collection?: string; data: unknown };

/**
 * A page as a user of restdb.io writes it, with the script of our server and callbacks. `outcome` waits for what a callback gets, `heard` keeps the events.
 */
function clientPage(script: string, key: string, options: object): string {
  return `<!doctype html><meta charset="utf-8"><title>Client</title>
<script src="${script}"></script>
<script>
const db = new restdb(${JSON.stringify(key)}, ${JSON.stringify(options)});
const heard = [], states = [], failures = [];
const hear = (on) => (error, event) => error ? failures.push({ on, code: error.code, status: error.status }) : heard.push({ on, ...event });
const outcome = (work) => new Promise((resolve) => work((error, result, pagination) =>
  resolve({ error: error && { ...error, message: error.message, name: error.name }, result, pagination })));
for (const state of ['CONNECT', 'DISCONNECT', 'RECONNECT']) db.on(state, (error) => error || states.push(state));
</script>`;
}

async function openClient(page: Page, server: RunningServer, key: string, options: object = { realtime: true }) {
  const site = await servePage(clientPage(`${server.url}/rest/_jsapi.js?plainjs=true&apikey=${key}`, key, options));
  const refused: string[] = [];
  page.on('pageerror', (error) => refused.push(error.message));
  await page.goto(site.url);
  return {
    site,
    errors: refused,
    /** Runs the text in the page, where `done` is a callback, and gives what it was called with. */
    outcome: <T>(text: string) => page.evaluate(`outcome((done) => { ${text}; })`) as Promise<Outcome<T>>,
    heard: () => page.evaluate('heard') as Promise<Heard[]>,
    states: () => page.evaluate('states') as Promise<string[]>,
    failures: () => page.evaluate('failures') as Promise<{ on: string; code: string; status: number }[]>,
  };
}

test('a page of another origin finds, creates, changes, reloads and deletes documents with the generated client', async ({
  page,
  server,
}) => {
  const { key } = await server.createKey({ rest: ['*:people', '*:work-items'], origin: ['*'] });
  const client = await openClient(page, server, key, {});
  const created = await client.outcome<{ _id: string; _version: number }>(
    `window.ada = new db.people({ name: 'Ada', age: 36 }); ada.save(done)`,
  );
  expect(created).toMatchObject({ error: null, result: { name: 'Ada', age: 36, _version: 0 } });
  const { _id } = created.result;
  await client.outcome(`new db.people({ name: 'Grace', age: 85 }).save(done)`);

  const found = await client.outcome(`db.people.find({ age: { $gt: 30 } }, { $orderby: { age: -1 }, $max: 5 }, done)`);
  expect(found).toMatchObject({
    error: null,
    result: [{ name: 'Grace' }, { name: 'Ada' }],
    pagination: { total: 2, count: 2, skip: 0, max: 5 },
  });
  expect(await page.evaluate('db.people.find().then(([first]) => first instanceof db.people)')).toBe(true);
  expect(await client.outcome(`db.people.find({}, { $aggregate: ['COUNT:'] }, done)`)).toMatchObject({
    result: { 'COUNT ': 2 },
  });

  expect(await client.outcome('ada.age = 37; ada.save(done)')).toMatchObject({ result: { _id, age: 37, _version: 1 } });
  expect(await client.outcome(`db.people.getById('${_id}', done)`)).toMatchObject({ result: { _id, age: 37 } });
  const reloaded = await client.outcome(`ada.age = 1; ada.scribble = true; ada.reload(done)`);
  expect(reloaded.result).toEqual({ _id, name: 'Ada', age: 37 });
  expect(await client.outcome('ada.delete(done)')).toEqual({ error: null, result: _id, pagination: undefined });

  const missing = await client.outcome(`db.people.getById('${_id}', done)`);
  expect(missing.error).toMatchObject({ status: 404, code: 'not_found', message: expect.any(String) });
  const refused = await client.outcome(`new db.people({ _nonsense: 1 }).save(done)`);
  expect(refused.error).toMatchObject({ status: 422, name: 'ValidationError', list: [{ field: '_nonsense' }] });
  const unreachable = await client.outcome(
    `new restdb('${key}', { url: 'http://127.0.0.1:1' }).people.find({}, {}, done)`,
  );
  expect(unreachable.error).toMatchObject({ status: 0, code: 'no_connection' });
  expect(await client.outcome(`new db.workitems({ n: 1 }).save(done)`)).toMatchObject({
    error: null,
    result: { n: 1 },
  });
  expect(await client.outcome(`db.collection('work-items').find(done)`)).toMatchObject({ result: [{ n: 1 }] });
  expect(await page.evaluate('typeof db.secrets')).toBe('undefined');
  expect(client.errors).toEqual([]);
  client.site.close();
});

test('a page of another origin hears POST, PUT and DELETE of the database, a collection and a document, and custom events', async ({
  page,
  server,
}) => {
  const { key } = await server.createKey({
    rest: ['*:people', '*:pets'],
    listen: ['*:people', '*:pets', 'PUBLISH:GOAL'],
    publish: ['GOAL'],
    origin: ['*'],
  });
  const client = await openClient(page, server, key);
  await page.evaluate(`
    for (const word of ['POST', 'PUT', 'DELETE', 'GOAL']) db.on(word, hear('db'));
    db.pets.on('POST', hear('pets'));
  `);
  await expect.poll(client.states).toEqual(['CONNECT']);
  const { result: ada } = await client.outcome<{ _id: string }>(
    `window.ada = new db.people({ name: 'Ada' }); ada.save(done)`,
  );
  await page.evaluate(`ada.on('PUT', hear('ada')); ada.on('DELETE', hear('ada'));`);
  const { result: cat } = await client.outcome<{ _id: string }>(
    `window.cat = new db.pets({ name: 'Tom' }); cat.save(done)`,
  );
  await client.outcome('cat.age = 3; cat.save(done)');
  await client.outcome('ada.age = 36; ada.save(done)');
  await client.outcome('cat.delete(done)');
  await client.outcome('ada.delete(done)');
  expect(await client.outcome(`db.publish('GOAL', { by: 'Ada' }, done)`)).toMatchObject({
    error: null,
    result: { message: 'OK' },
  });
  expect((await client.outcome(`db.publish('OTHER', {}, done)`)).error).toMatchObject({
    status: 403,
    code: 'forbidden',
  });

  const put = (collection: string, data: string) => ({ event: 'put', collection, data });
  const gone = (collection: string, id: string) => ({ event: 'delete', collection, data: [id] });
  await expect.poll(async () => (await client.heard()).length).toBe(10);
  const heard = await client.heard();
  const on = (name: string) => heard.filter((event) => event.on === name).map(({ on: _on, ...event }) => event);
  expect(on('db')).toEqual([
    { event: 'post', collection: 'people', data: expect.objectContaining({ _id: ada._id, name: 'Ada' }) },
    { event: 'post', collection: 'pets', data: expect.objectContaining({ _id: cat._id, name: 'Tom' }) },
    put('pets', cat._id),
    put('people', ada._id),
    gone('pets', cat._id),
    gone('people', ada._id),
    { event: 'GOAL', data: { by: 'Ada' } },
  ]);
  expect(on('pets')).toEqual([{ event: 'post', collection: 'pets', data: expect.objectContaining({ _id: cat._id }) }]);
  expect(on('ada')).toEqual([put('people', ada._id), gone('people', ada._id)]);
  expect(client.errors).toEqual([]);
  client.site.close();
});

test('the generated client misses nothing while its server is killed and started again', async ({ page }) => {
  test.slow();
  const server = await startServer();
  const { key } = await server.createKey({ rest: ['*:company'], listen: ['*:company'], origin: ['*'] });
  const write = (n: number) =>
    fetch(`${server.url}/rest/company`, {
      method: 'POST',
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      body: JSON.stringify({ n }),
    });
  const client = await openClient(page, server, key);
  await page.evaluate(`db.company.on('POST', hear('company'))`);
  await expect.poll(client.states).toEqual(['CONNECT']);
  const numbers = async () => (await client.heard()).map(({ data }) => (data as { n: number }).n);
  await write(1);
  await expect.poll(numbers).toEqual([1]);
  await server.kill();
  await expect.poll(client.states).toEqual(['CONNECT', 'DISCONNECT']);
  await server.start();
  for (const n of [2, 3, 4]) expect((await write(n)).status).toBe(201);
  await expect.poll(numbers, { timeout: 30_000 }).toEqual([1, 2, 3, 4]);
  expect(await client.states()).toEqual(['CONNECT', 'DISCONNECT', 'RECONNECT']);
  client.site.close();
  await server.dispose();
});

test('a key that may not listen is told so in each callback, and the client stops asking', async ({ page, server }) => {
  const { key } = await server.createKey({ rest: ['*:people'], origin: ['*'] });
  let streams = 0;
  page.on('request', (request) => {
    if (request.url().includes('/realtime')) streams += 1;
  });
  const client = await openClient(page, server, key, { realtime: true, reconnectdelay: 50 });
  await page.evaluate(`db.on('POST', hear('db')); db.people.on('PUT', hear('people'));`);
  await expect.poll(client.failures).toEqual([
    { on: 'db', code: 'realtime_off', status: 403 },
    { on: 'people', code: 'realtime_off', status: 403 },
  ]);
  const asked = streams;
  await page.waitForTimeout(500);
  expect(streams).toBe(asked);
  expect(await page.evaluate('db.people.find().then((found) => found.length)')).toBeGreaterThanOrEqual(0);
  client.site.close();
});

test('a stream that has gone silent is opened again with its cursor', async ({ page, server }) => {
  const asked: string[] = [];
  const silent = createServer((request, response: ServerResponse) => {
    asked.push(request.url ?? '');
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Access-Control-Allow-Origin': '*' });
    response.write(`id: 41\nevent: publish\ndata: {"event":"GOAL","data":${asked.length}}\n\n`);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  await page.clock.install();
  const { key } = await server.createKey({ rest: ['GET:people'], origin: ['*'] });
  const client = await openClient(page, server, key, { url, realtime: true });
  await page.evaluate(`db.on('GOAL', hear('db'))`);
  await expect.poll(client.states).toEqual(['CONNECT']);
  await page.clock.runFor(50_000);
  await expect.poll(client.states).toEqual(['CONNECT', 'DISCONNECT', 'RECONNECT']);
  // The first may have come before there was anybody to hear it.
  await expect.poll(async () => (await client.heard()).at(-1)).toMatchObject({ event: 'GOAL', data: 2 });
  expect(asked.map((path) => new URL(path, url).searchParams.get('lastEventId'))).toEqual([null, '41']);
  client.site.close();
  silent.closeAllConnections();
  silent.close();
});

test('the script without a key takes any property for a collection, and its page shows and runs nothing', async ({
  page,
  server,
}) => {
  const { key } = await server.createKey({ rest: ['*:anything'], origin: ['*'] });
  const site = await servePage(clientPage(`${server.url}/rest/_jsapi.js`, key, { realtime: false }));
  await page.goto(site.url);
  expect(await page.evaluate(`new db.anything({ a: 1 }).save().then(({ a, _version }) => [a, _version])`)).toEqual([
    1, 0,
  ]);
  expect(await page.evaluate('Promise.resolve(db).then((same) => same === db)')).toBe(true);
  site.close();

  const violations: string[] = [];
  page.on('console', (message) => violations.push(message.text()));
  await page.goto(`${server.url}/rest/_jsapi.doc?apikey=${key}`);
  await expect(page.getByRole('heading', { name: 'anything' })).toBeVisible();
  await expect(page.locator('body')).toHaveCSS('max-width', '736px');
  expect(violations).toEqual([]);
});
