import { expect } from '@playwright/test';
import { room, test } from './fixtures.js';

const rules = JSON.stringify({ note: { q: { owner: '$user.sub' }, readFields: ['title'] } }, null, 2);

test('a role is made with rules that are checked, changed and deleted', async ({ dashboard, server }) => {
  // A database that no other test has given roles to.
  const made = await dashboard.request.post(`${server.url}/api/databases`, { data: { name: 'without-roles' } });
  expect(made.status()).toBe(201);
  await dashboard.goto(`${server.url}/db/without-roles`);
  await room(dashboard, 'Roles').click();
  await expect(dashboard.getByText('No role yet')).toBeVisible();
  await dashboard.getByRole('button', { name: 'Create role' }).first().click();
  const creating = dashboard.getByRole('dialog', { name: 'Create role' });
  await creating.getByLabel('Name', { exact: true }).fill('author');
  await creating.getByLabel('REST access').fill('*:note GET');
  await creating.getByLabel('Rules').fill(rules.replace('$user.sub', '$user.name'));
  await creating.getByRole('button', { name: 'Create role' }).click();
  await expect(creating.getByText('GET does not fit', { exact: false })).toBeVisible();
  await creating.getByLabel('REST access').fill('*:note GET:city');
  await creating.getByRole('button', { name: 'Create role' }).click();
  await expect(
    creating.getByText('/note/q/owner: There is no value "$user.name".', { exact: false }).first(),
  ).toBeVisible();
  await creating.getByLabel('Rules').fill(rules);
  await creating.getByRole('button', { name: 'Create role' }).click();
  await expect(creating).toBeHidden();

  const row = dashboard.getByRole('row', { name: /author/ });
  await expect(row.getByText('GET:city')).toBeVisible();
  await expect(row.getByText('note', { exact: true })).toBeVisible();
  await row.getByRole('button', { name: 'Edit author' }).click();
  const editing = dashboard.getByRole('dialog', { name: 'Edit author' });
  await expect(editing.getByLabel('Rules')).toHaveValue(rules);
  await editing.getByLabel('Channels').fill('PATCH:note');
  await editing.getByRole('button', { name: 'Save' }).click();
  await expect(row.getByText('PUT:note')).toBeVisible();

  await dashboard.getByRole('button', { name: 'Create role' }).first().click();
  await expect(creating.getByLabel('Name', { exact: true })).toHaveValue('');
  await creating.getByRole('button', { name: 'Cancel' }).click();
  await expect(creating).toBeHidden();
  await row.getByRole('button', { name: 'Delete author' }).click();
  await dashboard.getByRole('alertdialog').getByRole('button', { name: 'Delete' }).click();
  await expect(dashboard.getByText('No role yet')).toBeVisible();
});

test('the console explains why a key is shown an event or not', async ({ dashboard, server }) => {
  const hears = await server.createKey({ rest: ['*:*'], listen: ['*:note'] });
  await server.createKey({ listen: ['*:other'] });
  const body = JSON.stringify({ title: 'x' });
  const headers = { 'x-apikey': hears.key, 'content-type': 'application/json' };
  await fetch(`${server.url}/rest/note`, { method: 'POST', headers, body });
  await room(dashboard, 'Events').click();
  await dashboard
    .getByRole('button', { name: /^Event \d+$/ })
    .first()
    .click();
  const choice = dashboard.getByRole('combobox', { name: 'Key to explain' });
  await choice.click();
  // The first is none; the keys come all at once.
  await expect.poll(() => dashboard.getByRole('option').count()).toBeGreaterThan(2);
  const options = await dashboard.getByRole('option').count();
  await dashboard.keyboard.press('Escape');
  const tried: string[] = [];
  for (let at = 1; at < options; at += 1) {
    await choice.click();
    await dashboard.getByRole('option').nth(at).click();
    const told = dashboard.getByRole('status').filter({ hasText: /shown/i });
    tried.push((await told.first().textContent()) ?? '');
  }
  expect(tried.some((text) => text.includes('It is shown.'))).toBe(true);
  expect(tried.some((text) => text.includes('no channel for this event'))).toBe(true);
});
