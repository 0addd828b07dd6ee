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
      // Without a graphics card Chromium would compute one.
      args: ['--no-sandbox', '--disable-background-networking', '--disable-gpu'],
    },
    // The sign of a running stream moves for as long as a page is open: each of its pictures is drawn, and taken for the trace.
    contextOptions: { reducedMotion: 'reduce' },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
  },
});
