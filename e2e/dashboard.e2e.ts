import { expect } from '@playwright/test';
import { admin, room, test } from './fixtures.js';

const markup = '<img src=x onerror="window.__x=1"><script>window.__x=1</script>';

test('an admin browses documents and watches events come in, and data is never taken for markup', async ({
  dashboard,
  server,
}) => {
  const { key } = await server.createKey({ rest: ['*:*'] });
  const write = (body: unknown) =>
    fetch(`${server.url}/rest/harbours`, {
      method: 'POST',
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const violations: string[] = [];
  dashboard.on('console', (message) => {
    if (/content security policy/i.test(message.text())) violations.push(message.text());
  });
  await write(
    Array.from({ length: 80 }, (_, n) => ({ name: `Harbour ${n}`, depth: n, [markup]: markup, berths: { free: n } })),
  );

  await room(dashboard, 'Collections').click();
  await dashboard.getByRole('link', { name: 'harbours' }).click();
  await expect(dashboard.getByRole('table', { name: 'Documents of harbours' })).toContainText('Harbour 0');
  await dashboard.getByRole('button', { name: 'Next' }).click();
  await expect(dashboard.getByRole('table', { name: 'Documents of harbours' })).toContainText('Harbour 79');
  await dashboard.reload();
  await expect(dashboard.getByRole('table', { name: 'Documents of harbours' })).toContainText('Harbour 79');
  await dashboard
    .getByRole('button', { name: /^Open document/ })
    .last()
    .click();
  await expect(dashboard.getByRole('dialog')).toContainText('"free": 79');
  await expect(dashboard.getByRole('dialog')).toContainText('onerror');
  await dashboard.keyboard.press('Escape');
  await write({ name: 'One more' });
  await expect(dashboard.getByText('1 change since this was loaded')).toBeVisible();

  await room(dashboard, 'Events').click();
  const events = dashboard.getByRole('table', { name: 'Events' });
  await expect(events).toContainText('harbours');
  await write({ name: 'Seen live' });
  await expect(events).toContainText('Seen live');
  await dashboard.getByRole('button', { name: 'Pause' }).click();
  await write({ name: 'Held back' });
  await expect(dashboard.getByText('1 event held back')).toBeVisible();
  await expect(events).not.toContainText('Held back');
  await dashboard.getByRole('button', { name: 'Resume' }).click();
  await expect(events).toContainText('Held back');

  expect(await dashboard.evaluate('window.__x')).toBeUndefined();
  expect(violations).toEqual([]);
});

test('signing out ends the session, and a wrong password is refused in plain words', async ({ dashboard, server }) => {
  await dashboard.getByRole('button', { name: /^Account/ }).click();
  await dashboard.getByRole('menuitem', { name: 'Sign out' }).click();
  await dashboard.getByLabel('Email').fill(admin.email);
  await dashboard.getByLabel('Password').fill('not the password');
  await dashboard.getByRole('button', { name: 'Sign in' }).click();
  await expect(dashboard.getByRole('alert')).toBeVisible();
  const answer = await dashboard.request.get(`${server.url}/api/databases`);
  expect(answer.status()).toBe(401);
});
