// The hostile suites in their long form: npm run hostile -w apps/api -- --filters 50000 --documents 100000 --seed 7
// Every text that attacks SQL goes to every place then; npm test sends a third of them to each. Exit code 1 unless all of it passes.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    filters: { type: 'string', default: '50000' },
    documents: { type: 'string', default: '100000' },
    seed: { type: 'string', default: '7' },
  },
});
for (const [name, value] of Object.entries(values)) {
  if (/^[1-9][0-9]{0,8}$/.test(value)) continue;
  console.error(`--${name} wants a whole number, not "${value}".`);
  process.exit(2);
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const { env } = process;
const settings = { FILTERS: values.filters, DOCUMENTS: values.documents, SEED: values.seed, STEP: '1' };
const command = [vitest, 'run', '--project', 'int', 'apps/api/src/hostile', '--disable-console-intercept'];
const child = spawn(process.execPath, command, { cwd: root, env: { ...env, ...settings }, stdio: 'inherit' });
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
