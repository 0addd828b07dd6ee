#!/usr/bin/env node
// The command. Its code is built from TypeScript; without the build it says how to get it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

// V8 lets the heap grow to about four times of what lives in it before it collects all of it; an import then holds 100 MiB and more of what is dead. Twice
// is enough: bench/README.md has the figures.
setFlagsFromString('--heap-growing-percent=100');

const main = new URL('../dist/main.js', import.meta.url);
if (existsSync(fileURLToPath(main))) {
  await import(main.href);
} else {
  process.stderr.write('Tidewire is not built yet. Run "npm start", which builds and starts it, or "npm run build".\n');
  process.exitCode = 1;
}
