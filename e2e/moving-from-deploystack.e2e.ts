/**
 * What DeployStack's page on server-sent events shows (pages/deploystack has its card, bundled with Vite): a stream that takes the parameters of its REST
 * address, has its structure, filters and limits, and the composable `useSSE`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, type Page } from '@playwright/test';
import vue from '@vitejs/plugin-vue';
import { build } from 'vite';
import { test } from './fixtures.js';
import { pagesFolder, type Site, startSite } from './pages.js';
import { type RunningServer, startServer } from './server.js';

/** Servers and a browser start here; on a machine that is busy that takes its time. */
test.describe.configure({ timeout: 180_000 });

const root = join(pagesFolder, 'deploystack');
/** The document's own paths. */
const alias = {
  '@/composables/useSSE': join(root, 'composables/use-sse.ts'),
  '@/composables/useEventBus': join(root, 'composables/use-event-bus.ts'),
  '@/services/mcpClientActivityService': join(root, 'services/mcp-client-activity-service.ts'),
};

let folder: string;

test.beforeAll(async () => {
  test.setTimeout(180_000);
  folder = await mkdtemp(join(tmpdir(), 'tidewire-e2e-page-'));
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: [vue()],
    resolve: { alias },
    build: { outDir: folder, emptyOutDir: true, minify: false },
  });
});

test.afterAll(() => rm(folder, { recursive: true, force: true }));

type Activity = { team_id: string; client_name: string; last_active: string };

async function openCard(page: Page, server: RunningServer) {
  const site = await startSite(folder);
  // By its name: the composable asks with credentials, which `*` does not cover.
  const { id, key } = await server.createKey({
    rest: ['*:client_activity'],
    listen: ['*:client_activity'],
    origin: [site.origin],
  });
  site.change({ 'https://deploystack.example': server.url, YOUR_API_KEY: key });
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${server.url}/rest/client_activity${path}`, {
      method,
      headers: { 'x-apikey': key, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.ok).toBe(true);
    return answer.json();
  };
  const activity = (client_name: string, { team = '123', minutesAgo = 0 } = {}): Activity => ({
    team_id: team,
    client_name,
    last_active: new Date(Date.now() - minutesAgo * 60_000).toISOString(),
  });
  return { site, id, call, activity, items: page.getByRole('listitem') };
}

const show = (page: Page, site: Site) => page.goto(`${site.origin}/index.html`);

test('the card shows what REST answers, with its filters, order and limit, and each change of it', async ({
  page,
  server,
}) => {
  const { site, call, activity, items } = await openCard(page, server);
  await call('DELETE', '/*?q={}&confirm=true');
  const asked = page.waitForRequest((request) => request.url().includes('/stream?'));
  await show(page, site);
  await expect(page.locator('#connection')).toHaveText('connected');
  await expect(page.locator('#app')).toContainText('No active connections');

  const old = await call('POST', '', activity('Cursor', { minutesAgo: 5 }));
  await call('POST', '', activity('Long ago', { minutesAgo: 45 }));
  await call('POST', '', activity('Other team', { team: '456' }));
  await call('POST', '', activity('Claude', { minutesAgo: 1 }));
  await expect(items).toHaveText(['Claude', 'Cursor']);
  await call('PATCH', `/${old._id}`, { last_active: new Date().toISOString() });
  await expect(items).toHaveText(['Cursor', 'Claude']);
  await page.screenshot({ path: test.info().outputPath('deploystack.png') });
  await call('DELETE', `/${old._id}`);
  await expect(items).toHaveText(['Claude']);

  await call(
    'POST',
    '',
    Array.from({ length: 25 }, (_, n) => activity(`Client ${n}`, { minutesAgo: 2 + n / 10 })),
  );
  await expect(items).toHaveCount(20);
  const rest = await fetch((await asked).url().replace('/stream?', '?'));
  const documents: Activity[] = await rest.json();
  await expect(items).toHaveText(documents.map(({ client_name }) => client_name));
  expect(documents[0]?.client_name).toBe('Claude');
  expect(documents[19]?.client_name).toBe('Client 18');

  await page.getByRole('button', { name: 'Team 456' }).click();
  await expect(items).toHaveText(['Other team']);
  await page.getByRole('button', { name: 'No team' }).click();
  await expect(page.locator('#app')).toContainText('No active connections');
  await expect(page.locator('#connection')).toHaveText('not connected');
  site.close();
});

test('each message of the stream is the body of REST under one key, with the event name of the collection', async ({
  page,
  server,
}) => {
  const { site, call, activity } = await openCard(page, server);
  await call('POST', '', activity('Wire', { team: 'wire' }));
  const heard = page.waitForRequest((request) => request.url().includes('/stream?'));
  await show(page, site);
  const stream = (await heard).url().replace(/123/, 'wire');
  const body = await (await fetch(stream.replace('/stream?', '?'))).text();
  const message = (await page.evaluate(
    `new Promise((resolve) => new EventSource(${JSON.stringify(stream)}, { withCredentials: true }).addEventListener('client_activity', (event) => resolve(event.data)))`,
  )) as string;
  expect(message).toBe(`{"client_activity":${body}}`);
  expect(JSON.parse(body)).toMatchObject([{ client_name: 'Wire' }]);
  site.close();
});

test('the composable shows that the line broke, comes back, and ends with its component', async ({ page }) => {
  const server = await startServer();
  const { site, call, activity, items, id } = await openCard(page, server);
  await page.addInitScript(() => {
    const streams: EventSource[] = [];
    const Original = EventSource;
    Object.assign(window, {
      streams,
      EventSource: class extends Original {
        constructor(...given: ConstructorParameters<typeof Original>) {
          super(...given);
          streams.push(this);
        }
      },
    });
  });
  await call('POST', '', activity('Claude'));
  await show(page, site);
  await expect(items).toHaveText(['Claude']);
  await server.kill();
  await expect(page.locator('#connection')).toHaveText('not connected');
  await expect(page.locator('#app')).toContainText('Connection lost. Reconnecting...');
  await server.start();
  await call('POST', '', activity('Cursor'));
  await expect(page.locator('#connection')).toHaveText('connected', { timeout: 30_000 });
  await expect(items).toHaveText(['Cursor', 'Claude']);

  await page.getByRole('button', { name: 'Hide the card' }).click();
  await expect(items).toHaveCount(0);
  expect(await page.evaluate('streams.every(({ readyState }) => readyState === EventSource.CLOSED)')).toBe(true);
  await page.getByRole('button', { name: 'Show the card' }).click();
  await expect(items).toHaveText(['Cursor', 'Claude']);

  await server.tidewire('key', 'revoke', id);
  await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible({ timeout: 20_000 });
  site.close();
  await server.dispose();
});

test('REST is the fallback: the same address without /stream answers the same page in the same way', async ({
  page,
  server,
}) => {
  const { site, call, activity } = await openCard(page, server);
  await call('POST', '', activity('Polled', { team: '789' }));
  const heard = page.waitForRequest((request) => request.url().includes('/stream?'));
  await show(page, site);
  const url = (await heard).url().replace('/stream?', '?').replace(/123/, '789');
  const polled = await page.evaluate(`fetch(${JSON.stringify(url)}).then((response) => response.json())`);
  expect(polled).toMatchObject([{ team_id: '789', client_name: 'Polled' }]);
  site.close();
});
