import { expect } from '@playwright/test';
import { room, test } from './fixtures.js';
import { type Heard, listenerPage } from './listener-page.js';
import { servePage } from './server.js';

test('grants, the global flag and a revocation reach an open page of a browser', async ({
  dashboard,
  context,
  server,
}) => {
  const writer = await server.createKey({ rest: ['*:*'] });
  const call = (method: string, path: string, body: unknown) =>
    fetch(`${server.url}/rest/${path}`, {
      method,
      headers: { 'x-apikey': writer.key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).then(async (answer) => ({ status: answer.status, body: await answer.json() }));

  await room(dashboard, 'Keys').click();
  await dashboard.getByRole('button', { name: 'Create key' }).first().click();
  const dialog = (name: string | RegExp) =>
    dashboard.getByRole('dialog', { name }).or(dashboard.getByRole('alertdialog', { name }));
  const creating = dialog('Create key');
  const editing = dialog('Edit key');
  await creating.getByLabel('Name', { exact: true }).fill('browser');
  await creating.getByLabel('Add a channel').fill('POST:company');
  await creating.getByLabel('Add a channel').press('Enter');
  await creating.getByLabel('Add an origin').fill('*');
  await creating.getByLabel('Add an origin').press('Enter');
  await creating.getByRole('button', { name: 'Create key' }).click();
  const key = await dialog('Key created').getByLabel('Your new key').inputValue();
  await dialog('Key created').getByRole('button', { name: 'Done' }).click();

  const site = await servePage(listenerPage(`${server.url}/realtime?apikey=${key}`));
  const page = await context.newPage();
  await page.goto(site.url);
  await expect(page.locator('#state')).toHaveText('ready');
  const heard = () => page.evaluate('heard') as Promise<Heard[]>;
  const types = async () => (await heard()).map(({ type }) => type);

  const { body: company } = await call('POST', 'company', { name: 'ACME' });
  await expect.poll(types).toEqual(['post']);
  expect((await heard())[0]?.data).toMatchObject({
    event: 'post',
    collection: 'company',
    data: { _id: company._id, name: 'ACME' },
  });

  await call('PUT', `company/${company._id}`, { name: 'ACME Ltd' });
  await call('POST', 'company', { name: 'Second' });
  await expect.poll(types).toEqual(['post', 'post']);

  await dashboard.bringToFront();
  const row = dashboard.getByRole('row', { name: /browser/ });
  await row.getByRole('button', { name: /edit/i }).click();
  await editing.getByLabel('Add a channel').fill('PUT:company');
  await editing.getByLabel('Add a channel').press('Enter');
  await editing.getByRole('button', { name: 'Save' }).click();
  await expect(editing).toBeHidden();
  await page.waitForTimeout(1_000);
  await call('PUT', `company/${company._id}`, { name: 'ACME Inc' });
  await expect.poll(types).toEqual(['post', 'post', 'put']);
  expect((await heard()).at(-1)?.data).toEqual({ event: 'put', collection: 'company', data: company._id });

  await room(dashboard, 'Settings').click();
  await dashboard.getByRole('switch', { name: 'Realtime for every key' }).click();
  await dashboard
    .getByRole('alertdialog')
    .getByRole('button', { name: /turn on|turn it on|open/i })
    .click();
  await expect(dashboard.getByRole('switch', { name: 'Realtime for every key' })).toBeChecked();
  await page.waitForTimeout(1_000);
  const { body: other } = await call('POST', 'elsewhere', { n: 1 });
  await call('DELETE', `elsewhere/${other._id}`, undefined);
  await expect.poll(types).toEqual(['post', 'post', 'put', 'post', 'delete']);

  await dashboard.getByRole('switch', { name: 'Realtime for every key' }).click();
  await expect(dashboard.getByRole('switch', { name: 'Realtime for every key' })).not.toBeChecked();
  await page.waitForTimeout(1_000);
  await call('POST', 'elsewhere', { n: 2 });
  await call('POST', 'company', { name: 'Third' });
  await expect.poll(types).toEqual(['post', 'post', 'put', 'post', 'delete', 'post']);

  await room(dashboard, 'Keys').click();
  await row.getByRole('button', { name: /revoke/i }).click();
  const confirmed = Date.now();
  await dashboard.getByRole('alertdialog').getByRole('button', { name: 'Revoke' }).click();
  await expect.poll(types).toEqual(['post', 'post', 'put', 'post', 'delete', 'post', 'revoked']);
  expect(((await heard()).at(-1)?.at ?? 0) - confirmed).toBeLessThan(2_000);
  await expect(page.locator('#state')).toHaveText('closed', { timeout: 15_000 });
  await call('POST', 'company', { name: 'Fourth' });
  await page.waitForTimeout(500);
  expect(await heard()).toHaveLength(7);
  site.close();
});

test('a key without a channel gets nothing while realtime is off', async ({ page, server }) => {
  const { key } = await server.createKey({ rest: ['*:*'], origin: ['*'] });
  const site = await servePage(listenerPage(`${server.url}/realtime?apikey=${key}`));
  await page.goto(site.url);
  await expect(page.locator('#state')).toHaveText('closed');
  site.close();
});
