#!/usr/bin/env node
// The command. Its code is built from TypeScript; without the build it says how to get it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write('Tidewire is not built yet. Run "npm start", which builds and starts it, or "npm run build".\n');
  process.exitCode = 1;
}
