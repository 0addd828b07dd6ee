import { defineConfig } from 'vitest/config';

/** Tests run on the sources of all workspaces; nothing has to be built for them. */
const conditions = ['tidewire-source', 'node'];
const onSources = { resolve: { conditions }, ssr: { resolve: { conditions } } };
/** Modules are loaded once for all files of a worker: tests leave nothing behind, so files need no process of their own. */
const inSharedWorkers = { isolate: false };

/** On a real Postgres. */
const onPostgres = {
  globalSetup: ['packages/testing/src/global-setup.ts'],
  setupFiles: ['packages/testing/src/setup-file.ts'],
  pool: 'forks' as const,
  testTimeout: 20_000,
  hookTimeout: 30_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        ...onSources,
        test: {
          name: 'unit',
          ...inSharedWorkers,
          pool: 'threads',
          maxWorkers: 2,
          include: ['{packages,apps}/*/src/**/*.test.ts'],
          exclude: ['**/*.int.test.ts', '**/*.long.test.ts', '**/node_modules/**', '**/dist/**'],
        },
      },
      {
        ...onSources,
        test: {
          name: 'int',
          ...inSharedWorkers,
          include: ['{packages,apps}/*/src/**/*.int.test.ts'],
          // More than a small machine has processors: much of the time is waiting.
          maxWorkers: 3,
          ...onPostgres,
        },
      },
      {
        ...onSources,
        // Tests under load that need a machine for themselves; not part of `npm test`.
        test: { name: 'long', include: ['{packages,apps}/*/src/**/*.long.test.ts'], maxWorkers: 1, ...onPostgres },
      },
    ],
  },
});
