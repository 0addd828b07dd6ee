// The differential test in its long form, for each mode: npm run differential -w packages/query -- --pairs 1000000 --seed 7
// Some modes only: --modes filters,sort,aggregation. Ends with what was compared; exit code 1 unless all of it agrees.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '7' },
    modes: { type: 'string', default: 'filters,sort,aggregation' },
  },
});
for (const name of ['pairs', 'seed']) {
  if (/^[0-9]{1,15}$/.test(values[name])) continue;
  console.error(`--${name} wants a whole number, not "${values[name]}".`);
  process.exit(2);
}
const modes = values.modes.split(',');
if (!modes.every((mode) => ['filters', 'sort', 'aggregation'].includes(mode))) {
  console.error(`--modes wants some of filters,sort,aggregation, not "${values.modes}".`);
  process.exit(2);
}

const root = fileURLToPath(new URL('../../../', import.meta.url));
const vitest = join(root, 'node_modules/vitest/vitest.mjs');
const file = 'packages/query/src/differential.int.test.ts';
const folder = mkdtempSync(join(tmpdir(), 'tidewire-differential-'));
const report = join(folder, 'report');
console.info(`${values.pairs} pairs of each of ${values.modes}, seed ${values.seed}`);

const { env } = process;
const settings = { PAIRS: values.pairs, SEED: values.seed, MODES: values.modes, DIFFERENTIAL_REPORT: report };
const command = [vitest, 'run', '--project', 'int', file, '-t', 'random pairs', '--disable-console-intercept'];
const child = spawn(process.execPath, command, { cwd: root, env: { ...env, ...settings }, stdio: 'inherit' });
child.on('exit', (code) => {
  process.exitCode = tellResult() ? (code ?? 1) : 1;
  rmSync(folder, { recursive: true });
});

/** Whether all modes were compared and agree. */
function tellResult() {
  const lines = existsSync(report) ? readFileSync(report, 'utf8').trim().split('\n') : [];
  const tallies = lines.map((line) => JSON.parse(line));
  for (const { mode, seed, pairs, disagreements } of tallies) {
    console.info(`${mode}: ${pairs} pairs compared, ${disagreements} disagreements (seed ${seed})`);
  }
  const missing = modes.filter((mode) => !tallies.some((tally) => tally.mode === mode));
  for (const mode of missing) console.error(`${mode}: did not get to its end`);
  return missing.length === 0 && tallies.every(({ disagreements }) => disagreements === 0);
}
