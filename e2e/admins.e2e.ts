import { type Browser, expect, type Page } from '@playwright/test';
import { room, test } from './fixtures.js';
import type { RunningServer } from './server.js';
import { codeOf } from './totp.js';

async function go(page: Page, server: RunningServer, room: string): Promise<void> {
  await page.goto(`${server.url}/db/default/${room}`);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

async function openFresh(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  return page;
}

const password = 'a password of her own';

test('somebody is invited, sets up one-time codes, signs in with one, and sees what her role lets her see', async ({
  browser,
  dashboard,
  server,
}) => {
  await go(dashboard, server, 'people');
  await dashboard.getByRole('button', { name: 'Invite', exact: true }).click();
  await dashboard.getByLabel('Email').fill('vera@example.org');
  await dashboard.getByRole('button', { name: 'Make invitation' }).click();
  const link = await dashboard.getByLabel('Link for vera@example.org').inputValue();
  await dashboard.getByRole('button', { name: 'Done' }).click();
  await expect(dashboard.getByRole('table', { name: 'Invitations' })).toContainText('vera@example.org');

  const vera = await openFresh(browser, link);
  await vera.getByLabel('Password').fill(password);
  await vera.getByRole('button', { name: 'Accept invitation' }).click();
  await expect(room(vera, 'Keys')).toBeVisible();
  // The owner's list follows by itself.
  await expect(dashboard.getByRole('table', { name: 'People' })).toContainText('vera@example.org');
  await expect(dashboard.getByText('No invitation waits')).toBeVisible();

  await go(vera, server, 'account');
  await vera.getByRole('button', { name: 'Set up' }).click();
  await vera.getByLabel('Your password').fill(password);
  await vera.getByRole('button', { name: 'Go on' }).click();
  await expect(vera.getByRole('img', { name: 'QR code of the secret' })).toBeVisible();
  const secret =
    (await vera.getByRole('dialog').or(vera.getByRole('alertdialog')).locator('code').first().textContent()) ?? '';
  await vera.getByLabel('Code', { exact: true }).fill(codeOf(secret));
  await vera.getByRole('button', { name: 'Switch on' }).click();
  const codes = await vera.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem').allTextContents();
  expect(codes).toHaveLength(10);
  await vera.getByRole('button', { name: 'I have kept them' }).click();
  await expect(vera.getByRole('button', { name: 'Switch off' })).toBeVisible();

  await vera.getByRole('button', { name: /^Account/ }).click();
  await vera.getByRole('menuitem', { name: 'Sign out' }).click();
  await vera.getByLabel('Email').fill('vera@example.org');
  await vera.getByLabel('Password').fill(password);
  await vera.getByRole('button', { name: 'Sign in' }).click();
  await vera.getByLabel('Code').fill('000000');
  await vera.getByRole('button', { name: 'Sign in' }).click();
  await expect(vera.getByRole('alert')).toContainText('The code is wrong');
  await vera.getByLabel('Code').fill(codeOf(secret, 'next'));
  await vera.getByRole('button', { name: 'Sign in' }).click();
  await expect(room(vera, 'Keys')).toBeVisible();

  await go(vera, server, 'people');
  await expect(vera.getByText('You may not see this').first()).toBeVisible();
  await go(vera, server, 'databases');
  await expect(vera.getByRole('link', { name: 'default', exact: true }).first()).toBeVisible();
  await expect(vera.getByRole('button', { name: /^Delete/ })).toHaveCount(0);

  await go(dashboard, server, 'people');
  await dashboard.getByRole('button', { name: 'Remove vera@example.org' }).click();
  await dashboard.getByRole('button', { name: 'Remove', exact: true }).click();
  await expect(dashboard.getByRole('table', { name: 'People' })).not.toContainText('vera@example.org');
  await vera.reload();
  await expect(vera.getByRole('heading', { name: 'Sign in' })).toBeVisible();
  await vera.context().close();
});

test('a database is made, renamed and deleted with its name typed again, and the audit log tells it as it happens', async ({
  browser,
  dashboard,
  server,
}) => {
  const log = await (await browser.newContext({ storageState: await dashboard.context().storageState() })).newPage();
  await log.goto(`${server.url}/db/default/audit?what=database.*`);
  await expect(
    log
      .getByText('No entry')
      .or(log.getByRole('table', { name: 'Audit log' }))
      .first(),
  ).toBeVisible();

  await go(dashboard, server, 'databases');
  await dashboard.getByRole('button', { name: 'New database' }).click();
  await dashboard.getByLabel('Name', { exact: true }).fill('Shop');
  await dashboard.getByRole('button', { name: 'Create database' }).click();
  await expect(dashboard.getByRole('alert')).toBeVisible();
  await dashboard.getByLabel('Name', { exact: true }).fill('shop');
  await dashboard.getByRole('button', { name: 'Create database' }).click();
  const list = dashboard.getByRole('table', { name: 'Databases' });
  await expect(list.getByRole('link', { name: 'shop' })).toBeVisible();
  await expect(log.getByRole('button', { name: 'shop', exact: true })).toBeVisible();

  const { key } = JSON.parse(
    await server.tidewire('key', 'create', '--name', 'k', '--rest', '*:*', '--database', 'shop', '--json'),
  );
  const rest = () => fetch(`${server.url}/rest/item`, { headers: { 'x-apikey': key } });
  expect((await rest()).status).toBe(200);
  await list.getByRole('button', { name: 'Rename shop' }).click();
  await dashboard.getByLabel('Name', { exact: true }).fill('store');
  await dashboard.getByRole('button', { name: 'Rename', exact: true }).click();
  await expect(list.getByRole('link', { name: 'store' })).toBeVisible();
  expect((await rest()).status).toBe(200);

  await list.getByRole('button', { name: 'Delete store' }).click();
  const remove = dashboard.getByRole('button', { name: 'Delete database' });
  await expect(remove).toBeDisabled();
  await dashboard.getByLabel('Type store to confirm').fill('store');
  await remove.click();
  await expect(list).not.toContainText('store');
  expect((await rest()).status).toBe(401);
  await expect(log.getByRole('table', { name: 'Audit log' })).toContainText('database.deleted');
  await log.getByRole('button', { name: 'store / shop' }).click();
  await expect(log.getByRole('region', { name: 'After' })).toContainText('"store"');
  await log.context().close();
});

test('settings are edited as JSON, held to their schema', async ({ dashboard, server }) => {
  await go(dashboard, server, 'settings');
  const text = dashboard.getByLabel('Settings text');
  await text.fill('{"realtime": {"globl": true}}');
  await expect(dashboard.getByRole('alert')).toContainText('There is no setting realtime.globl');
  const save = dashboard.getByRole('button', { name: 'Save', exact: true }).last();
  await expect(save).toBeDisabled();
  for (const value of [false, true]) {
    await text.fill(`{"collections": {"createOnWrite": ${value}}}`);
    await save.click();
    // The whole text, as the server has it now.
    await expect(text).toHaveValue(new RegExp(`"createOnWrite": ${value}[^]*"signUp"`));
    await expect(save).toBeDisabled();
  }
});
