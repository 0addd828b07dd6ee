/** From an invitation to the notes of two people who do not see each other: who may what, through the pages that people use. */
import { type Browser, expect, type Page } from '@playwright/test';
import { room, test } from './fixtures.js';
import { startSite } from './pages.js';
import { codeOf } from './totp.js';

/** Six pages are opened one after the other; on a machine that is busy that takes its time. */
test.describe.configure({ timeout: 180_000 });

const editor = { email: 'edith@example.org', password: 'a password of her own' };
const rule = { notes: { q: { owner: '$user.sub' }, defaults: { owner: '$user.sub' } } };

async function openFresh(browser: Browser, url: string): Promise<Page> {
  const page = await (await browser.newContext()).newPage();
  await page.goto(url);
  return page;
}

/** As an owner; gives the link. */
async function invite(owner: Page): Promise<string> {
  await room(owner, 'People').click();
  await owner.getByRole('button', { name: 'Invite', exact: true }).click();
  await owner.getByLabel('Email').fill(editor.email);
  await owner.getByRole('button', { name: 'Make invitation' }).click();
  const link = await owner.getByLabel(`Link for ${editor.email}`).inputValue();
  await owner.getByRole('button', { name: 'Done' }).click();
  return link;
}

/** On the account's page; gives the secret, whose present code is used up. */
async function turnOnCodes(page: Page): Promise<string> {
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('menuitem', { name: 'Account' }).click();
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByLabel('Your password').fill(editor.password);
  await page.getByRole('button', { name: 'Go on' }).click();
  const secret = (await page.getByRole('alertdialog').locator('code').first().textContent()) ?? '';
  await page.getByLabel('Code', { exact: true }).fill(codeOf(secret));
  await page.getByRole('button', { name: 'Switch on' }).click();
  await page.getByRole('button', { name: 'I have kept them' }).click();
  await expect(page.getByRole('button', { name: 'Switch off' })).toBeVisible();
  return secret;
}

async function signInAgain(page: Page, secret: string): Promise<void> {
  await page.getByRole('button', { name: /^Account/ }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByLabel('Email').fill(editor.email);
  await page.getByLabel('Password').fill(editor.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByLabel('Code').fill(codeOf(secret, 'next'));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(room(page, 'Roles')).toBeVisible();
}

async function createRole(page: Page): Promise<void> {
  await room(page, 'Roles').click();
  await page.getByRole('button', { name: 'Create role' }).first().click();
  const dialog = page.getByRole('dialog', { name: 'Create role' });
  await dialog.getByLabel('Name', { exact: true }).fill('member');
  await dialog.getByLabel('REST access').fill('*:notes');
  await dialog.getByLabel('Channels').fill('*:notes');
  await dialog.getByLabel('Rules').fill(JSON.stringify(rule));
  await dialog.getByRole('button', { name: 'Create role' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('row', { name: /member/ })).toContainText('notes');
}

async function openSignUp(page: Page): Promise<void> {
  await room(page, 'Users').click();
  const form = page.getByRole('region', { name: 'Tokens of another service' });
  await form.getByLabel('Default role').fill('member');
  await form.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('The settings of users are saved')).toBeVisible();
  await page.getByRole('switch', { name: 'People may sign up' }).click();
  await expect(page.getByRole('switch', { name: 'People may sign up' })).toBeChecked();
}

/** Gives a web key for pages of this origin, which may nothing by itself. */
async function createWebKey(page: Page, origin: string): Promise<string> {
  await room(page, 'Keys').click();
  await page.getByRole('button', { name: 'Create key' }).first().click();
  const creating = page.getByRole('dialog', { name: 'Create key' });
  await creating.getByLabel('Name', { exact: true }).fill('notes page');
  await creating.getByLabel('Add an origin').fill(origin);
  await creating.getByLabel('Add an origin').press('Enter');
  await creating.getByRole('button', { name: 'Create key' }).click();
  const key = await page.getByLabel('Your new key').inputValue();
  await page.getByRole('button', { name: 'Done' }).click();
  await expect(page.getByRole('row', { name: /notes page/ })).toContainText('web key');
  return key;
}

async function signUp(page: Page, email: string): Promise<void> {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill('a long password');
  await page.getByRole('button', { name: 'Sign up' }).click();
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Note').fill(text);
  await page.getByRole('button', { name: 'Add' }).click();
  await expect(page.getByLabel('Note')).toHaveValue('');
}

type Note = { _id: string; text: string; owner: string };

const lines = (page: Page, place: string) => page.locator(`#${place} li`).allTextContents();

/** The texts of the documents that stand in lines `post {…}`; any other line stands as it is. */
async function named(page: Page, place: string): Promise<string[]> {
  return (await lines(page, place)).map((line) => (line.startsWith('post {') ? JSON.parse(line.slice(5)).text : line));
}

async function typed(page: Page): Promise<string[]> {
  const [, ...messages] = await lines(page, 'typed');
  return messages.map((line) => {
    const { type, payload } = JSON.parse(line);
    return `${type} ${payload.text ?? payload._id}`;
  });
}

test('somebody invited opens an application for sign-up, and two people who sign up on its page see their own notes and nothing of each other', async ({
  browser,
  dashboard,
}) => {
  const site = await startSite();
  const edith = await openFresh(browser, await invite(dashboard));
  await edith.getByLabel('Password').fill(editor.password);
  await edith.getByRole('button', { name: 'Accept invitation' }).click();
  await signInAgain(edith, await turnOnCodes(edith));
  const key = await createWebKey(edith, site.origin);
  site.change({ 'https://data.example': new URL(edith.url()).origin, WEB_KEY: key });

  const ada = await openFresh(browser, `${site.origin}/notes.html`);
  await signUp(ada, 'ada@example.org');
  await expect(ada.getByRole('status')).toHaveText(/^403 /);
  await createRole(edith);
  await openSignUp(edith);
  await signUp(ada, 'ada@example.org');
  const bob = await openFresh(browser, `${site.origin}/notes.html`);
  await signUp(bob, 'bob@example.org');
  for (const page of [ada, bob])
    for (const place of ['named', 'typed']) await expect(page.locator(`#${place} li`)).toHaveText(['open']);

  // In turns, so that what is foreign always lies between what is one's own.
  for (const n of [1, 2, 3]) {
    await write(ada, `Ada ${n}`);
    await write(bob, `Bob ${n}`);
  }
  const texts = (name: string) => [1, 2, 3].map((n) => `${name} ${n}`);
  const seen = async (page: Page) => ({
    asked: await lines(page, 'asked'),
    list: await lines(page, 'list'),
    named: await named(page, 'named'),
    typed: await typed(page),
    replay: await named(page, 'replay'),
  });
  for (const page of [ada, bob]) await page.evaluate('replay()');
  for (const [page, name] of [[ada, 'Ada'] as const, [bob, 'Bob'] as const])
    await expect
      .poll(() => seen(page))
      .toEqual({
        asked: texts(name),
        list: texts(name),
        named: ['open', ...texts(name)],
        typed: texts(name).map((text) => `notes.post ${text}`),
        replay: texts(name),
      });

  // Neither an id that is known nor an owner that is claimed leads to the other one's notes.
  const call = (page: Page, ...request: unknown[]) =>
    page.evaluate<{ status: number; body: Note }>(`call(...${JSON.stringify(request)})`);
  const [first] = (await lines(ada, 'named')).slice(1).map((line): Note => JSON.parse(line.slice(5)));
  if (first === undefined) throw new Error('no note was shown');
  expect((await call(bob, 'GET', `/rest/notes/${first._id}`)).status).toBe(404);
  expect((await call(bob, 'PATCH', `/rest/notes/${first._id}`, { text: 'mine' })).status).toBe(404);
  const claimed = await call(bob, 'POST', '/rest/notes', { text: 'Bob 4', owner: first.owner });
  expect(claimed).toMatchObject({ status: 201, body: { text: 'Bob 4' } });
  expect(claimed.body.owner).not.toBe(first.owner);
  expect((await call(ada, 'PATCH', `/rest/notes/${first._id}`, { text: 'Ada one' })).status).toBe(200);
  await expect.poll(() => named(ada, 'named')).toEqual(['open', ...texts('Ada'), `put "${first._id}"`]);
  await expect.poll(() => lines(ada, 'list')).toEqual(['Ada one', 'Ada 2', 'Ada 3']);
  await expect.poll(() => named(bob, 'named')).toEqual(['open', ...texts('Bob'), 'Bob 4']);
  await write(bob, 'Bob 5');
  await expect.poll(() => lines(bob, 'list')).toEqual([...texts('Bob'), 'Bob 4', 'Bob 5']);
  for (const page of [ada, bob]) await page.evaluate('replay()');
  await expect.poll(() => named(ada, 'replay')).toEqual([...texts('Ada'), `put "${first._id}"`]);
  await expect.poll(() => named(bob, 'replay')).toEqual([...texts('Bob'), 'Bob 4', 'Bob 5']);

  for (const page of [edith, ada, bob]) await page.context().close();
  site.close();
});
