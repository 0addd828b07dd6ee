import { defineConfig } from '@playwright/test';

/** The real command, its own Postgres, and a real browser; one server for each worker. */
export default defineConfig({
  testMatch: '*.e2e.ts',
  outputDir: '../test-results/e2e',
  fullyParallel: false,
  // Every server takes ports and folders of its own.
  workers: 2,
  timeout: 90_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions: {
      ...(process.env.CHROMIUM_PATH ? { executablePath: process.env.CHROMIUM_PATH } : {}),
      args: ['--no-sandbox', '--disable-background-networking'],
    },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
});
