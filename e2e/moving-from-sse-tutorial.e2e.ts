/** What a tutorial on server-sent events shows (pages/sse-tutorial.html, pages/live-chat.html): plain EventSource code, reconnection, event types, and a chat. */
import { expect, type Page } from '@playwright/test';
import { test } from './fixtures.js';
import { startSite } from './pages.js';
import { type RunningServer, startServer } from './server.js';

/** Servers and a browser start here; on a machine that is busy that takes its time. */
test.describe.configure({ timeout: 180_000 });

const lines = (page: Page, list: string) => page.locator(`#${list} li`).allTextContents();

function poster(server: RunningServer, key: string) {
  return async (channel: string, data: unknown, event?: string) => {
    const answer = await fetch(`${server.url}/channels/${channel}`, {
      method: 'POST',
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      body: JSON.stringify({ data, event }),
    });
    expect(answer.status).toBe(200);
  };
}

test('messages and typed events arrive, the browser comes back by itself when the server was killed, and nothing is lost', async ({
  page,
}) => {
  const server = await startServer();
  const site = await startSite();
  const { key } = await server.createKey({
    listen: ['PUBLISH:news', 'PUBLISH:page', 'PUBLISH:page.*'],
    publish: ['*'],
    origin: ['*'],
  });
  const post = poster(server, key);
  site.change({
    "'/events'": `'${server.url}/channels/news/stream?apikey=${key}'`,
    "'/stream'": `'${server.url}/channels/page/stream?apikey=${key}'`,
  });
  await page.goto(`${site.origin}/sse-tutorial.html`);
  const logged = () => lines(page, 'console');
  await expect.poll(logged).toContain('Connection opened');
  await expect.poll(() => page.evaluate('first.readyState')).toBe(1);
  await post('news', { n: 1 });
  await post('page', { message: 'Hello World', timestamp: '2024-01-01T12:00:00Z' });
  await post('page', { type: 'info', message: 'New user joined' }, 'notification');
  await post('page', { content: 'Page content updated' }, 'update');
  await expect(page.locator('#messages')).toHaveText('{"n":1}');
  await expect.poll(logged).toContain('New message: {"n":1}');
  await expect(page.locator('#shown li')).toHaveText(['Hello World 2024-01-01T12:00:00Z']);
  await expect(page.locator('#notification')).toHaveText('New user joined');
  await expect(page.locator('#content')).toHaveText('Page content updated');
  await expect.poll(logged).toContain('Server is alive');

  await server.kill();
  await expect.poll(logged).toContain('Reconnecting...');
  await expect.poll(logged).toContain('Error occurred: error');
  await server.start();
  await post('news', { n: 2 });
  await post('news', { n: 3 });
  await post('page', { message: 'Another update', timestamp: '2024-01-01T12:01:00Z' });
  await expect(page.locator('#messages')).toHaveText('{"n":1}{"n":2}{"n":3}', { timeout: 30_000 });
  await expect(page.locator('#shown li')).toHaveText(
    ['Hello World 2024-01-01T12:00:00Z', 'Another update 2024-01-01T12:01:00Z'],
    { timeout: 30_000 },
  );

  await page.getByRole('button', { name: 'Close' }).click();
  expect(await page.evaluate('eventSource.readyState')).toBe(2);
  await post('page', { message: 'Too late', timestamp: '' });
  await post('news', { n: 4 });
  await expect(page.locator('#messages')).toHaveText('{"n":1}{"n":2}{"n":3}{"n":4}');
  await expect(page.locator('#shown li')).toHaveCount(2);
  await page.screenshot({ path: test.info().outputPath('sse-tutorial.png') });
  site.close();
  await server.dispose();
});

test('two pages of the live chat see what each of them sends, and who comes later sees it, too', async ({
  context,
  server,
}) => {
  const site = await startSite();
  const { key } = await server.createKey({ listen: ['PUBLISH:chat'], publish: ['chat'], origin: [site.origin] });
  site.change({
    "'/chat-stream'": `'${server.url}/channels/chat/stream?apikey=${key}'`,
    "'/chat-messages'": `'${server.url}/channels/chat?apikey=${key}'`,
  });
  const join = async (user: string) => {
    const page = await context.newPage();
    await page.goto(`${site.origin}/live-chat.html#${user}`);
    await expect.poll(() => page.evaluate('eventSource.readyState')).toBe(1);
    const say = async (text: string) => {
      await page.getByPlaceholder('Type a message...').fill(text);
      await page.getByRole('button', { name: 'Send' }).click();
      await expect(page.getByPlaceholder('Type a message...')).toHaveValue('');
    };
    return { page, say, messages: page.locator('#messages .message') };
  };
  const ada = await join('Ada');
  const grace = await join('Grace');
  await ada.say('Hello, Grace');
  await expect(grace.messages).toHaveText([/Ada: Hello, Grace/]);
  await grace.say('Hello, Ada');
  const both = [/Ada: Hello, Grace/, /Grace: Hello, Ada/];
  await expect(ada.messages).toHaveText(both);
  await expect(grace.messages).toHaveText(both);
  const late = await join('Late');
  await expect(late.messages).toHaveText(both);
  await ada.page.screenshot({ path: test.info().outputPath('live-chat.png') });
  site.close();
});
