import { defineConfig } from 'vitest/config';

/** Tests run on the sources of all workspaces; nothing has to be built for them. */
const conditions = ['tidewire-source', 'node'];
const onSources = { resolve: { conditions }, ssr: { resolve: { conditions } } };

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
          pool: 'threads',
          include: ['{packages,apps}/*/src/**/*.test.ts'],
          exclude: ['**/*.int.test.ts', '**/*.long.test.ts', '**/node_modules/**', '**/dist/**'],
        },
      },
      {
        ...onSources,
        test: {
          name: 'int',
          include: ['{packages,apps}/*/src/**/*.int.test.ts'],
          maxWorkers: 2,
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
