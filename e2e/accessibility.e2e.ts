import type { Page } from '@playwright/test';
import { expectAccessible } from './accessibility.js';
import { test } from './fixtures.js';

/** Each page is looked through four times; on a machine that is busy that takes its time. Pictures of what axe does would double it. */
test.describe.configure({ timeout: 240_000 });
test.use({ trace: 'off' });

/** Something small in every list: two documents, keys of both kinds, a role, a user, an invitation and a second database. */
const fill = `(async () => {
  const call = async (method, path, body) => {
    const answer = await fetch('/api/' + path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(path + ': ' + await answer.text());
  };
  await call('POST', 'databases', { name: 'shop' });
  await call('POST', 'invites', { email: 'vera@example.org', role: 'viewer' });
  await call('POST', 'databases/default/keys', { name: 'page', rest: ['GET:quays'], listen: ['*:quays'], origins: ['https://app.example'] });
  await call('POST', 'databases/default/roles', { name: 'member', rest: ['*:quays'], rules: { quays: { q: { owner: '$user.sub' } } } });
  await call('POST', 'databases/default/users', { email: 'ada@example.org', role: 'member', password: 'a long password' });
})()`;

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
}

/** What is opened, with the table that has to stand there first, if it has one. */
async function lookThrough(page: Page, base: string, rooms: Record<string, string | null>): Promise<void> {
  for (const [path, table] of Object.entries(rooms)) {
    await test.step(path, async () => {
      await open(page, `${base}/${path}`);
      if (table !== null) await page.getByRole('table', { name: table }).getByRole('row').nth(1).waitFor();
      await expectAccessible(page);
    });
  }
}

const faults = 'free of serious accessibility faults and of sideways scrolling';

test(`the pages of a database are ${faults}`, async ({ dashboard: page, server }) => {
  await page.evaluate(fill);
  const data = { '': null, collections: 'Collections', events: 'Events' };
  const access = { keys: 'Keys', roles: 'Roles', users: 'Users' };
  await lookThrough(page, `${server.url}/db/default`, { ...data, ...access, settings: null, nowhere: null });
});

test(`the pages of the server are ${faults}`, async ({ dashboard: page, server }) => {
  const rooms = { databases: 'Databases', people: 'People', audit: 'Audit log', account: 'Sessions' };
  await lookThrough(page, `${server.url}/db/default`, rooms);
});

test(`the pages before signing in are ${faults}`, async ({ page, server }) => {
  await lookThrough(page, server.url, { 'sign-in': null, 'invite?token=x': null });
});

test(`the pages of a collection are ${faults}`, async ({ dashboard: page, server }) => {
  const { key } = await server.createKey({ rest: ['*:*'] });
  const answer = await fetch(`${server.url}/rest/quays`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify([{ kind: 'a' }, { kind: 'b' }]),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  for (const path of ['', '/schema', '/indexes', '/settings']) {
    await test.step(path, async () => {
      await open(page, `${server.url}/db/default/collections/quays${path}`);
      if (path === '/schema') {
        const schema = { type: 'object', properties: { kind: { type: 'number' } } };
        await page.getByRole('textbox', { name: 'JSON Schema' }).fill(JSON.stringify(schema));
        await page.getByRole('button', { name: 'Check' }).click();
        await page.getByRole('table', { name: 'Documents that fail the schema' }).waitFor();
      }
      await expectAccessible(page);
    });
  }
});
