/** What admins do to a whole collection, on the pages of the dashboard and with what the collections API says to it. */
import { expect, type Page } from '@playwright/test';
import { test } from './fixtures.js';
import type { RunningServer } from './server.js';

const tab = (page: Page, name: string) =>
  page.getByRole('navigation', { name: 'Collection' }).getByRole('link', { name, exact: true });

/** Requests to the collections API with a key that may do everything. */
async function restOf(server: RunningServer) {
  const { key } = await server.createKey({ rest: ['*:*'] });
  return async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${server.url}/rest/${path}`, {
      method,
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
}

/** Makes a collection on the list's page and ends on its schema. */
async function createCollection(page: Page, server: RunningServer, name: string): Promise<void> {
  await page.goto(`${server.url}/db/default/collections`);
  await page.getByRole('button', { name: 'New collection' }).click();
  await page.getByRole('dialog', { name: 'New collection' }).getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Create collection' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText(name);
}

const berth = {
  type: 'object',
  required: ['name'],
  properties: {
    no: { fieldType: 'number', autoIncrement: { start: 100, step: 10 } },
    name: { fieldType: 'text', unique: true },
    depth: { type: 'number', minimum: 0, default: 3 },
    harbour: { fieldType: 'relation', collection: 'harbours' },
    label: { computed: 'name + "!"' },
  },
};

test('a schema is refused with the documents that fail it, is saved when they are mended, and then holds for every write', async ({
  dashboard: page,
  server,
}) => {
  const rest = await restOf(server);
  await createCollection(page, server, 'berths');
  await expect(page.getByText('The collection takes any JSON object.')).toBeVisible();
  const { body: wrong } = await rest('POST', 'berths', { name: 'East', depth: -2 });
  await rest('POST', 'berths', { name: 'West', depth: 4 });

  const editor = page.getByRole('textbox', { name: 'JSON Schema' });
  const save = page.getByRole('button', { name: 'Save', exact: true });
  await editor.fill('{\n  "type": "object",\n}');
  await save.click();
  await expect(page.getByRole('alert')).toContainText('The mistake is in line 3');
  await editor.fill(JSON.stringify({ type: 'object', properties: { a: { fieldType: 'txt' } } }, null, 2));
  await save.click();
  const mistakes = page.getByRole('alert', { name: 'Mistakes in the schema' });
  await expect(mistakes).toContainText('/properties/a/fieldType');
  await mistakes.getByRole('button', { name: 'Line 5' }).click();
  await expect(editor).toBeFocused();

  await editor.fill(JSON.stringify(berth, null, 2));
  const fields = page.getByRole('table', { name: 'Fields' });
  await expect(fields.getByRole('row', { name: /^no / })).toContainText('from 100, in steps of 10');
  await expect(fields.getByRole('row', { name: /^name / })).toContainText(/required.*unique/);
  await expect(fields.getByRole('row', { name: /^harbour / })).toContainText('harbours');
  await page.getByRole('button', { name: 'Check' }).click();
  await expect(page.getByRole('status').filter({ hasText: '1 of 2 documents would fail' })).toBeVisible();
  await save.click();
  await expect(page.getByRole('alert').filter({ hasText: 'Not saved: 1 of 2 documents' })).toBeVisible();
  const failing = page.getByRole('table', { name: 'Documents that fail the schema' });
  await expect(failing.getByRole('row', { name: new RegExp(wrong._id) })).toContainText('/depth');
  expect((await rest('POST', 'berths', { depth: -1 })).status).toBe(201);

  await rest('DELETE', 'berths/*?q={"name":{"$exists":false}}');
  expect((await rest('PATCH', `berths/${wrong._id}`, { depth: 2 })).status).toBe(200);
  await save.click();
  await expect(page.getByText('Saved. 2 documents checked: all of them fit.')).toBeVisible();
  await page.reload();
  await expect(fields.getByRole('row', { name: /^label / })).toContainText('name + "!"');
  const refused = await rest('POST', 'berths', { name: 'North', depth: -1 });
  expect(refused).toMatchObject({ status: 422, body: { errors: [{ field: '/depth' }] } });
  const made = await rest('POST', 'berths', { name: 'North' });
  expect(made).toMatchObject({ status: 201, body: { depth: 3, label: 'North!' } });
});

test('failing documents can be accepted, changes are not lost by a wrong click, and a schema can be removed', async ({
  dashboard: page,
  server,
}) => {
  const rest = await restOf(server);
  await rest('POST', 'jetties', { length: 'long' });
  await page.goto(`${server.url}/db/default/collections/jetties/schema`);
  const editor = page.getByRole('textbox', { name: 'JSON Schema' });
  await editor.fill(JSON.stringify({ type: 'object', properties: { length: { type: 'number' } } }));
  await tab(page, 'Indexes').click();
  await page
    .getByRole('alertdialog', { name: 'Leave without saving?' })
    .getByRole('button', { name: 'Cancel' })
    .click();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByRole('button', { name: 'Save anyway' }).click();
  await expect(page.getByText('Saved. 1 of 1 document do not fit')).toBeVisible();
  expect((await rest('POST', 'jetties', { length: 'long' })).status).toBe(422);

  await page.getByRole('button', { name: 'Remove schema' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Remove schema' }).click();
  await expect(page.getByText('The collection takes any JSON object.')).toBeVisible();
  expect((await rest('POST', 'jetties', { length: 'long' })).status).toBe(201);
});

test('an index is built while one looks on, holds uniqueness, tells why it failed, and is dropped', async ({
  dashboard: page,
  server,
}) => {
  const rest = await restOf(server);
  await rest('POST', 'boats', [
    { sign: 'A', kind: 'sail' },
    { sign: 'B', kind: 'sail' },
  ]);
  await page.goto(`${server.url}/db/default/collections/boats/indexes`);
  const create = async (field: string, where?: string) => {
    await page.getByRole('button', { name: 'Create index' }).click();
    const dialog = page.getByRole('dialog', { name: 'Create index' });
    await dialog.getByLabel('Fields', { exact: true }).last().fill(field);
    await dialog.getByRole('switch', { name: 'Unique' }).click();
    if (where !== undefined) await dialog.getByLabel('Only documents that match').fill(where);
    await dialog.getByRole('button', { name: 'Create index' }).click();
    return dialog;
  };
  const row = (name: string) =>
    page.getByRole('table', { name: 'Indexes' }).getByRole('row', { name: new RegExp(`^${name} `) });

  await create('sign');
  await expect(row('sign_unique')).toContainText('Ready');
  expect((await rest('POST', 'boats', { sign: 'A' })).status).toBe(409);
  const again = await create('sign');
  await expect(again.getByRole('alert')).toContainText('sign_unique');
  await again.getByRole('button', { name: 'Cancel' }).click();
  await expect(again).toBeHidden();

  const partial = await create('kind', '{"kind": {"$nothing": 1}}');
  await expect(partial.getByRole('alert').first()).toBeVisible();
  await partial.getByLabel('Only documents that match').fill('{"kind": "sail"}');
  await partial.getByRole('button', { name: 'Create index' }).click();
  await expect(row('kind_unique_where')).toContainText('Failed');
  await expect(row('kind_unique_where')).toContainText('Documents share a value');
  await page.getByRole('button', { name: 'Show the documents of kind_unique_where' }).click();
  await expect(page.getByRole('dialog', { name: /^Shared values/ })).toContainText('2 documents with one value');
  await page.keyboard.press('Escape');

  await page.getByRole('button', { name: 'Drop kind_unique_where' }).click();
  await page.getByRole('alertdialog').getByRole('button', { name: 'Drop index' }).click();
  await expect(row('kind_unique_where')).toHaveCount(0);
  await expect(row('sign_unique')).toContainText('Ready');
});

test('a collection is renamed with what names it told, truncated with its progress seen, and dropped', async ({
  dashboard: page,
  server,
}) => {
  // Twelve thousand documents come and go.
  test.slow();
  const atLength = { timeout: 60_000 };
  const rest = await restOf(server);
  const total = 12_000;
  for (let n = 0; n < total; n += 4_000)
    await rest(
      'POST',
      'tides',
      Array.from({ length: 4_000 }, (_, at) => ({ n: n + at })),
    );
  await server.createKey({ rest: ['GET:tides'] });
  await page.goto(`${server.url}/db/default/collections/tides/settings`);
  const name = page.getByLabel('Name of the collection');
  await name.fill('1 tides');
  await page.getByRole('button', { name: 'Rename' }).click();
  await expect(name).toBeFocused();
  await expect(page.getByRole('alert')).toBeVisible();
  await name.fill('currents');
  await name.press('Enter');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('currents');
  await expect(page.getByRole('status').filter({ hasText: 'tides is called currents now' })).toContainText('test');
  expect((await rest('GET', 'currents?totals=true&max=1')).body.totals.total).toBe(total);

  await page.evaluate(`
    window.seen = new Set();
    setInterval(() => {
      const bar = document.querySelector('[role=progressbar]');
      if (bar) window.seen.add(Number(bar.getAttribute('aria-valuenow')));
    }, 5);
  `);
  await page.getByRole('button', { name: 'Truncate…' }).click();
  const dialog = page.getByRole('alertdialog');
  const confirm = dialog.getByRole('button', { name: 'Delete all documents' });
  await expect(confirm).toBeDisabled();
  await dialog.getByLabel('Type currents to confirm').fill('tides');
  await expect(confirm).toBeDisabled();
  await dialog.getByLabel('Type currents to confirm').fill('currents');
  await confirm.click();
  await expect(page.getByRole('alertdialog', { name: 'currents is truncated' })).toContainText(
    '12,000 of 12,000',
    atLength,
  );
  const seen = await page.evaluate<number[]>('[...window.seen]');
  expect(seen.filter((value) => value > 0 && value < total)).not.toEqual([]);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  expect((await rest('GET', 'currents')).body).toEqual([]);

  await page.getByRole('button', { name: 'Drop…' }).click();
  await dialog.getByLabel('Type currents to confirm').fill('currents');
  await dialog.getByLabel('Type currents to confirm').press('Enter');
  await expect(page.getByRole('alertdialog', { name: 'currents is dropped' })).toBeVisible(atLength);
  await dialog.getByRole('button', { name: 'Close' }).last().click();
  await expect(page.getByRole('heading', { level: 1, name: 'Collections' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'currents' })).toHaveCount(0);
  await page.goto(`${server.url}/db/default/collections/currents/settings`);
  await expect(page.getByText('There is no collection currents')).toBeVisible();
});
