import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from '@playwright/test';
import { EventSource } from 'eventsource';
import { test } from './fixtures.js';
import { type Heard, listenerPage } from './listener-page.js';
import { servePage } from './server.js';

type Json = Record<string, unknown>;
const countries: Json[] = createRequire(import.meta.url)('world-countries');

test('the 250 countries are imported, changed and deleted while a browser and a Node client hear each event of each document', async ({
  page,
  server,
}) => {
  const { key } = await server.createKey({ rest: ['*:country'], listen: ['*:country'], origin: ['*'] });
  const stream = `${server.url}/realtime?apikey=${key}`;
  const call = (method: string, path: string, body?: unknown) =>
    fetch(`${server.url}/rest/country${path}`, {
      method,
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });

  const site = await servePage(listenerPage(stream));
  await page.goto(site.url);
  await expect(page.locator('#state')).toHaveText('ready');
  const inNode: Heard[] = [];
  const source = new EventSource(stream);
  for (const type of ['post', 'put', 'delete']) {
    source.addEventListener(type, (event) =>
      inNode.push({ type, id: event.lastEventId, at: 0, data: JSON.parse(event.data) }),
    );
  }
  await new Promise((resolve) => source.addEventListener('ping', resolve, { once: true }));

  const file = join(server.dataDir, 'countries.json');
  await writeFile(file, JSON.stringify(countries));
  await server.tidewire('import', 'country', file);
  const documents: Json[] = await (await call('GET', '?max=1000')).json();
  expect(documents).toHaveLength(250);
  for (const [index, { _id }] of documents.entries()) {
    if (index % 2 === 0) expect((await call('PATCH', `/${_id}`, { visited: index })).status).toBe(200);
    else expect((await call('PUT', `/${_id}`, { visited: index })).status).toBe(200);
  }
  const doomed = documents.slice(0, 100).map(({ _id }) => _id);
  expect(await (await call('DELETE', '/*', doomed)).json()).toEqual({ result: doomed });

  await expect.poll(() => inNode.length, { timeout: 30_000 }).toBe(600);
  await expect.poll(() => page.evaluate('heard.length'), { timeout: 30_000 }).toBe(600);
  const inPage = (await page.evaluate('heard')) as Heard[];
  source.close();
  site.close();
  expect(inPage.map(({ type, id, data }) => ({ type, id, data }))).toEqual(
    inNode.map(({ type, id, data }) => ({ type, id, data })),
  );

  const ids = inPage.map(({ id }) => Number(id));
  expect(ids).toEqual(ids.map((_, index) => Number(ids[0]) + index));
  const [posts, puts, deletes] = ['post', 'put', 'delete'].map((type) =>
    inPage.filter((event) => event.type === type).map(({ data }) => data),
  );
  for (const [index, event] of (posts ?? []).entries()) {
    const { _id, _created, _changed, _createdby, _changedby, _version, ...fields } = event.data as Json;
    expect(event).toMatchObject({ event: 'post', collection: 'country' });
    expect(fields).toEqual(countries[index]);
    expect(documents[index]).toEqual({ _id, ...fields });
    expect([_createdby, _changedby, _version, _created === _changed]).toEqual(['import', 'import', 0, true]);
  }
  expect(puts).toEqual(documents.map(({ _id }) => ({ event: 'put', collection: 'country', data: _id })));
  expect(deletes).toEqual(doomed.map((id) => ({ event: 'delete', collection: 'country', data: [id] })));

  const left: Json[] = await (await call('GET', '?max=1000')).json();
  expect(left).toEqual(documents.slice(100).map((document, index) => ({ ...document, visited: index + 100 })));
});
