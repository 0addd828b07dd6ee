// The differential test in its long form: npm run differential -w packages/query -- --pairs 1000000 --seed 7
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { pairs: { type: 'string', default: '1000000' }, seed: { type: 'string' }, rounds: { type: 'string' } },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[0-9]+$/.test(value)) continue;
  console.error(`--${name} wants a whole number, not "${value}".`);
  process.exit(2);
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const vitest = fileURLToPath(new URL('../../../node_modules/vitest/vitest.mjs', import.meta.url));
const { env } = process;
const settings = Object.entries(values).map(([name, value]) => [name.toUpperCase(), value]);
const files = ['differential', 'order', 'pattern'].map((name) => `packages/query/src/${name}.int.test.ts`);
const child = spawn(process.execPath, [vitest, 'run', '--project', 'int', ...files], {
  cwd: root,
  env: { ...env, ...Object.fromEntries(settings) },
  stdio: 'inherit',
});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
