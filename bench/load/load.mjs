/**
 * `npm run load -w bench -- NAME`: what many streams do to a server, and what they get while it goes on. One program for each row of the
 * reliability table that counts streams; the header of each file says what is done. Exit code 1 when an event was lost, doubled or misplaced, a stream was refused, or a bound of
 * memory, time or connections was passed. A delay or a share of a processor above its target is shown, but is no failure: it is the machine's as well.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../kit/machine.mjs';
import { hasProc } from '../kit/proc.mjs';
import { stopAll, stopOnSignals } from '../kit/processes.mjs';
import { drain } from './drain.mjs';
import { reconnectStorm } from './reconnect-storm.mjs';
import { slowReaders } from './slow-readers.mjs';
import { steadyStreams } from './steady-streams.mjs';

/**
 * What a program is given, and what it gives: a figure above `atMost` has missed its target, and with `isFault` failed.
 * @typedef {{
 *   streams: number, stalled: number, rate: number, seconds: number, bytes: number, seed: number, processes: number,
 *   say: (line: string) => void, onCleanup: (clean: () => unknown) => void
 * }} Context
 * @typedef {{ what: string, value: number, atMost?: number, isFault?: boolean }} Figure
 */

const programs = [slowReaders, reconnectStorm, drain, steadyStreams];
const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));
const optionNames = /** @type {const} */ (['streams', 'stalled', 'rate', 'seconds', 'bytes', 'seed', 'processes']);
const defaultsOf = (program) => Object.entries(program.defaults).map(([name, value]) => `--${name} ${value}`);

const help = `npm run load -w bench -- NAME [options]
${programs.map((one) => `  ${one.name.padEnd(16)} ${one.title}\n  ${''.padEnd(16)} ${defaultsOf(one).join(' ')}`).join('\n')}

  --streams N     open streams
  --stalled N     those that stop reading (slow-readers)
  --rate N        events per second
  --seconds N     how long; of the drain: over how long the server ends its streams
  --bytes N       data of an event
  --seed N        decides the random numbers (default 7)
  --processes N   that hold the streams (default 2)`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { ...Object.fromEntries(optionNames.map((name) => [name, { type: 'string' }])), help: { type: 'boolean' } },
});

const began = performance.now();
const say = (line) =>
  process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
/** @type {(() => unknown)[]} */
const cleanups = [];

async function main() {
  const program = programs.find(({ name }) => name === positionals[0]);
  if (values.help || program === undefined || positionals.length !== 1) {
    process.stderr.write(`${help}\n`);
    process.exitCode = values.help ? 0 : 2;
    return;
  }
  if (!hasProc) throw new Error('This reads memory and CPU time from /proc, so it needs Linux.');
  stopOnSignals(cleanUp);
  const machine = describeMachine();
  const options = settings(program);
  say(
    `${program.title}; seed ${options.seed}; load average ${machine.loadAverageBefore.map((one) => one.toFixed(1)).join(' ')}`,
  );
  const { figures, faults } = await program.run({ ...options, say, onCleanup: (clean) => void cleanups.push(clean) });
  const verdicts = figures.map((figure) => ({ ...figure, verdict: verdictOf(figure) }));
  const all = [
    ...faults,
    ...verdicts.filter(({ verdict }) => verdict === 'FAILED').map(({ what }) => `${what}: above its bound`),
  ];
  mkdirSync(resultsFolder, { recursive: true });
  const file = join(resultsFolder, `load-${program.name}-${machine.at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, options, figures: verdicts, faults: all }, null, 2)}\n`);
  print(verdicts, all, file);
  process.exitCode = all.length === 0 ? 0 : 1;
}

function settings(program) {
  const given = optionNames.flatMap((name) => {
    const text = values[name];
    if (text === undefined) return [];
    if (!/^\d{1,9}$/.test(String(text))) throw new Error(`--${name} takes a whole number, not ${text}`);
    return [[name, Number(text)]];
  });
  return { stalled: 0, seed: 7, processes: 2, ...program.defaults, ...Object.fromEntries(given) };
}

/** @param {Figure} figure */
function verdictOf({ value, atMost, isFault }) {
  if (atMost === undefined) return '';
  if (value <= atMost) return 'ok';
  return isFault ? 'FAILED' : 'missed';
}

function print(figures, faults, file) {
  const width = Math.max(...figures.map(({ what }) => what.length));
  for (const { what, value, atMost, verdict } of figures) {
    const bound = atMost === undefined ? '' : `at most ${shown(atMost)}: ${verdict}`;
    process.stdout.write(`${what.padEnd(width)}  ${shown(value).padStart(12)}  ${bound}\n`.replace(/ +\n$/, '\n'));
  }
  for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`);
  if (faults.length === 0) process.stdout.write('checked: every stream had every event once and in order\n');
  process.stdout.write(`${file}\n`);
}

const shown = (value) => (Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(value < 10 ? 2 : 1));

async function cleanUp() {
  for (const clean of cleanups.splice(0).reverse()) await clean();
  await stopAll();
}

try {
  await main();
} catch (error) {
  say(error.stack ?? String(error));
  process.exitCode = 1;
} finally {
  await cleanUp();
}
