// `npm test`: everything, from a fresh clone, in one command. Its last line is `N passed, N failed`; it fails when anything
// failed, crashed, or ran no test at all. Some stages only: npm test -- unit int
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { findChromium } from './chromium.mjs';
import { findNginx } from './nginx.mjs';
import { findRedis } from './redis.mjs';
import { build, checkNode, install, npm, PlainError, readJson, root, run, say } from './workspace.mjs';

const workFolder = mkdtempSync(join(tmpdir(), 'tidewire-run-'));
const bin = (...path) => [process.execPath, join(root, 'node_modules', ...path)];

/**
 * `needs` names what has to be found first (see `providers`); a stage without it counts as one failure. `wants` is the same,
 * but the stage runs without it, too: the tests that need it then fail by themselves and say so.
 * `count` reads the results, with a text for each failure; without one the stage counts as a single test.
 */
const stages = [
  { name: 'lint', command: [...bin('@biomejs', 'biome', 'bin', 'biome'), 'check', '.'] },
  {
    name: 'types',
    command: [...bin('turbo', 'bin', 'turbo'), 'run', 'check', '--output-logs=errors-only', '--ui=stream'],
  },
  vitest('unit'),
  { ...vitest('int'), wants: ['redis', 'nginx'] },
  {
    name: 'e2e',
    needs: ['chromium'],
    wants: ['redis', 'nginx'],
    command: npm(['run', 'test', '-w', 'e2e', '--', '--reporter=list,json']),
    env: { PLAYWRIGHT_JSON_OUTPUT_FILE: join(workFolder, 'e2e.json') },
    count: () => countPlaywright(join(workFolder, 'e2e.json')),
  },
  { name: 'instruments', command: npm(['run', 'test', '-w', 'bench']) },
  { name: 'chaos', needs: ['redis'], command: npm(['run', 'chaos', '-w', 'bench', '--', '--short']) },
  { name: 'resumes', needs: ['redis'], command: npm(['run', 'resumes', '-w', 'bench', '--', '--short']) },
];

/** Each finds something, says plainly what it could not get, and answers with environment variables for the stages, or null. */
const providers = {
  async chromium() {
    const path = await findChromium();
    if (path !== null) return { CHROMIUM_PATH: path };
    say('No Chromium was found, and none could be got: set CHROMIUM_PATH to one. The browser tests cannot run.');
    return null;
  },
  async redis() {
    const path = await findRedis();
    if (path !== null) return { REDIS_SERVER_PATH: path };
    say(
      'No redis-server or valkey-server was found, and none could be got: install one or set REDIS_SERVER_PATH. Its tests will fail.',
    );
    return null;
  },
  async nginx() {
    const path = await findNginx({ install: true });
    if (path !== null) return { NGINX_PATH: path };
    say('No nginx was found, and none could be got: install one or set NGINX_PATH. The tests behind it will fail.');
    return null;
  },
};

function vitest(project) {
  const file = join(workFolder, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  return {
    name: project,
    command: [...bin('vitest', 'vitest.mjs'), 'run', '--project', project, ...reporters],
    count: () => countVitest(file),
  };
}

/** A file that could not even be loaded has no tests to count: it is one failure. */
function countVitest(file) {
  const report = readJson(file);
  if (report === null) return null;
  const broken = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.every((one) => one.status !== 'failed'),
  );
  const failures = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => failure(name, fullName, failureMessages[0])),
  );
  for (const { name, message } of broken) failures.push(failure(name, 'the file itself', message));
  return { passed: report.numPassedTests, failed: failures.length, failures };
}

/** A flaky test failed before it passed: it counts as failed. */
function countPlaywright(file) {
  const report = readJson(file);
  if (report === null) return null;
  const { expected, unexpected, flaky } = report.stats;
  const failures = specsOf(report)
    .filter(({ ok, tests }) => !ok || tests.some(({ status }) => status === 'flaky'))
    .map(({ file, title, tests }) => {
      const errors = tests.flatMap(({ results }) => results.flatMap((result) => result.errors ?? []));
      return failure(join(root, 'e2e', file), title, errors[0]?.message);
    });
  for (const { message } of report.errors) failures.push(failure(join(root, 'e2e'), 'the run itself', message));
  return { passed: expected, failed: unexpected + flaky + report.errors.length, failures };
}

/** The specs of a Playwright report, or of a suite in it, at any depth. */
function specsOf({ specs = [], suites = [] }) {
  return [...specs, ...suites.flatMap(specsOf)];
}

/** `file` is absolute. Of the message the first two lines that say something, without colours. */
function failure(file, title, message = '') {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .map((line) => line.trim());
  const said = lines.filter((line) => line !== '').slice(0, 2);
  return [`${relative(root, file)}: ${title}`, ...said].join('\n    ');
}

let running = null;

/** A stage gets a process group of its own, so that nothing of it can be left behind. */
async function runStage({ name, command, env, count, needs = [], wants = [] }, found) {
  const missing = needs.filter((need) => found[need] === null);
  if (missing.length > 0) return { name, passed: 0, failed: 1, note: `not run: no ${missing.join(', no ')}` };
  say(`\n── ${name}`);
  const given = Object.assign({}, ...[...needs, ...wants].map((name) => found[name]));
  const { code } = await run(command, {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      TURBO_TELEMETRY_DISABLED: '1',
      FORCE_COLOR: process.stdout.isTTY ? '1' : '0',
      ...given,
      ...env,
    },
    detached: process.platform !== 'win32',
    onSpawn: (child) => (running = child),
  });
  endGroup(running, 'SIGKILL');
  running = null;
  const counted = count === undefined ? { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1 } : count();
  if (counted === null) return { name, passed: 0, failed: 1, note: `crashed with code ${code}` };
  if (counted.passed + counted.failed === 0) return { name, passed: 0, failed: 1, note: 'ran no test' };
  if (code !== 0 && counted.failed === 0) return { name, ...counted, failed: 1, note: `ended with code ${code}` };
  return { name, ...counted, note: '' };
}

function endGroup(child, signal) {
  if (child?.pid === undefined || process.platform === 'win32') return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Nothing of the group is left.
  }
}

function report(results) {
  say('');
  for (const { name, failures = [] } of results) for (const text of failures) say(`✗ ${name}  ${text}`);
  for (const { name, passed, failed, minutes, note } of results) {
    const counts = `${String(passed).padStart(5)} passed ${String(failed).padStart(4)} failed`;
    say(`${name.padEnd(11)} ${counts} ${minutes?.toFixed(1).padStart(5) ?? '    –'} min ${note}`.trimEnd());
  }
  const sum = (field) => results.reduce((total, result) => total + result[field], 0);
  process.stdout.write(`${sum('passed')} passed, ${sum('failed')} failed\n`);
  return sum('failed') === 0 ? 0 : 1;
}

async function prepare() {
  checkNode();
  await install();
  await build();
}

async function main() {
  const asked = process.argv.slice(2);
  const unknown = asked.filter((name) => !stages.some((stage) => stage.name === name));
  if (unknown.length > 0)
    throw new PlainError(
      `There is no stage ${unknown.join(', ')}. There are: ${stages.map(({ name }) => name).join(', ')}.`,
    );
  const chosen = stages.filter(({ name }) => asked.length === 0 || asked.includes(name));
  try {
    await prepare();
  } catch (error) {
    if (!(error instanceof PlainError)) throw error;
    say(error.message);
    return report([{ name: 'build', passed: 0, failed: 1, note: '' }]);
  }
  const found = {};
  for (const need of new Set(chosen.flatMap(({ needs = [], wants = [] }) => [...needs, ...wants])))
    found[need] = await providers[need]();
  const results = [];
  for (const stage of chosen) {
    const start = performance.now();
    const result = await runStage(stage, found);
    results.push({ ...result, minutes: (performance.now() - start) / 60_000 });
  }
  return report(results);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    endGroup(running, 'SIGTERM');
    setTimeout(() => {
      endGroup(running, 'SIGKILL');
      process.exit(130);
    }, 3_000);
  });
}

try {
  process.exitCode = await main();
} catch (error) {
  say(error instanceof PlainError ? error.message : (error.stack ?? String(error)));
  process.stdout.write('0 passed, 1 failed\n');
  process.exitCode = 1;
} finally {
  rmSync(workFolder, { recursive: true, force: true });
}
