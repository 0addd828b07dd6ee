import { test as base, type Locator, type Page } from '@playwright/test';
import { type RunningServer, startServer } from './server.js';

/** The admin of the test server. */
export const admin = { email: 'admin@example.org', password: 'correct horse battery' };

type Fixtures = { dashboard: Page };

/** `server`: one for all tests of a worker, with an admin. `dashboard`: a page on which that admin is signed in. */
export const test = base.extend<Fixtures, { server: RunningServer }>({
  server: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of the fixtures from this pattern.
    async ({}, use) => {
      const server = await startServer({ ADMIN_EMAIL: admin.email, ADMIN_PASSWORD: admin.password });
      await use(server);
      await server.dispose();
    },
    { scope: 'worker' },
  ],
  dashboard: async ({ page, server }, use) => {
    await page.goto(`${server.url}/`);
    await page.getByLabel('Email').fill(admin.email);
    await page.getByLabel('Password').fill(admin.password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).or(page.getByRole('navigation').first()).first().waitFor();
    await use(page);
  },
});

/** A page's link in the main navigation; other links of a page may have words in common with it. */
export function room(page: Page, name: string): Locator {
  return page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name, exact: true });
}
