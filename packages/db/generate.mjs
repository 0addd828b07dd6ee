// Generates the Prisma client. Prisma's command looks for a schema engine even where it needs none, and would download one;
// any existing file set as the engine keeps it offline (generation itself is WASM).
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const prisma = fileURLToPath(import.meta.resolve('prisma/build/index.js'));
const { status, stdout, stderr } = spawnSync(
  process.execPath,
  [prisma, 'generate', '--config', 'prisma/prisma.config.ts', '--no-hints'],
  {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      CHECKPOINT_DISABLE: '1',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
    },
  },
);
if (status !== 0) {
  process.stderr.write(stdout + stderr);
  process.exit(status ?? 1);
}
