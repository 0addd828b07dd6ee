import { expect } from '@playwright/test';
import { room, test } from './fixtures.js';

test('a key is made with an expiry and a limit, watched, rotated, switched off and on, and all of it is seen at the API', async ({
  dashboard,
  server,
}) => {
  const dialog = (name: string | RegExp) =>
    dashboard.getByRole('dialog', { name }).or(dashboard.getByRole('alertdialog', { name }));
  const read = async (key: string) =>
    (await fetch(`${server.url}/rest/harbours`, { headers: { 'x-apikey': key } })).status;

  await room(dashboard, 'Keys').click();
  await dashboard.getByRole('button', { name: 'Create key' }).first().click();
  const creating = dialog('Create key');
  await expect(creating.getByText('Without any it is a server key.')).toBeVisible();
  await creating.getByLabel('Name', { exact: true }).fill('harbour master');
  await creating.getByLabel('Add a REST grant').fill('*:harbours');
  await creating.getByLabel('Add a REST grant').press('Enter');
  await creating.getByLabel('Add a channel').fill('*:*');
  await creating.getByLabel('Add a channel').press('Enter');
  await creating.getByLabel('Expires').fill('2040-01-31T12:00');
  await creating.getByLabel('Requests a minute').fill('many');
  await creating.getByRole('button', { name: 'Create key' }).click();
  await expect(
    creating.getByText('Enter a whole number from 1 to 1,000,000, or nothing for any number.'),
  ).toBeVisible();
  await creating.getByLabel('Requests a minute').fill('50');
  await creating.getByRole('button', { name: 'Create key' }).click();
  const first = await dialog('Key created').getByLabel('Your new key').inputValue();
  await dialog('Key created').getByRole('button', { name: 'Done' }).click();

  const row = dashboard.getByRole('row', { name: /harbour master/ });
  await expect(row).toContainText('server key');
  await expect(row).toContainText(/expires in 1\d yr/);
  await expect(row).toContainText('50 a minute');
  const answer = await fetch(`${server.url}/rest/harbours`, { headers: { 'x-apikey': first } });
  expect([answer.status, answer.headers.get('ratelimit-policy')]).toEqual([200, '"key";q=50;w=60']);

  const stream = new AbortController();
  await fetch(`${server.url}/realtime?apikey=${first}`, { signal: stream.signal });
  await expect(row.getByRole('cell').nth(3)).toHaveText('1');

  await row.getByRole('button', { name: 'More for harbour master' }).click();
  await dashboard.getByRole('menuitem', { name: 'Rotate' }).click();
  await dialog('Rotate harbour master').getByRole('button', { name: 'Rotate' }).click();
  const second = await dialog('Key rotated').getByLabel('Your new key').inputValue();
  await dialog('Key rotated').getByRole('button', { name: 'Done' }).click();
  expect(second.slice(0, 16)).toBe(first.slice(0, 16));
  expect([await read(first), await read(second)]).toEqual([200, 200]);
  await expect(row).toContainText(/old text ends (in 24 hr|tomorrow)/);
  await expect(row.getByRole('cell').nth(3)).toHaveText('1');

  await row.getByRole('button', { name: 'More for harbour master' }).click();
  await dashboard.getByRole('menuitem', { name: 'Switch off' }).click();
  await dialog('Switch off harbour master?').getByRole('button', { name: 'Switch off' }).click();
  await expect(row).toContainText('Switched off');
  expect([await read(first), await read(second)]).toEqual([401, 401]);
  await expect(row.getByRole('cell').nth(3)).toHaveText('0');
  await row.getByRole('button', { name: 'More for harbour master' }).click();
  await dashboard.getByRole('menuitem', { name: 'Switch on' }).click();
  await expect(row).toContainText('Active');
  expect(await read(second)).toBe(200);

  await row.getByRole('button', { name: /edit/i }).click();
  const editing = dialog('Edit key');
  await expect(editing.getByLabel('Expires')).toHaveValue('2040-01-31T12:00');
  await editing.getByLabel('Expires').fill('');
  await editing.getByLabel('Add an origin').fill('https://app.example');
  await editing.getByRole('button', { name: 'Save' }).click();
  await expect(editing).toBeHidden();
  await expect(row).toContainText('web key');
  await expect(row).not.toContainText('expires');
  stream.abort();
});
