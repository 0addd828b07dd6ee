/** What the programs of trials have in common: options, progress, verdict, and an end that leaves nothing behind. */
import { parseArgs } from 'node:util';
import { stopAll, stopOnSignals } from '../kit/processes.mjs';

/**
 * @typedef {{ count: number, seed: number, concurrency: number, isOver: () => boolean, say: (line: string) => void, progress: (done: number, more?: string) => void, onCleanup: (clean: () => unknown) => void }} Context
 *   `isOver`: no further trial is to begin
 * @typedef {{ done: number, lines: string[], faults: string[] }} Outcome
 */

/**
 * Runs the program as a command: `--count`, `--short`, `--seed`, `--concurrency`, `--minutes`. Prints its lines and faults; with a fault, or when it could not be carried out, the exit code is 1.
 * @param {{ name: string, what: string, count: number, shortCount: number, concurrency: number, run: (context: Context) => Promise<Outcome> }} program
 */
export async function runTrials(program) {
  const { values } = parseArgs({
    options: {
      count: { type: 'string' },
      seed: { type: 'string' },
      concurrency: { type: 'string' },
      minutes: { type: 'string' },
      short: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const began = performance.now();
  const say = (line) =>
    process.stderr.write(`${((performance.now() - began) / 1000).toFixed(0).padStart(5)} s  ${line}\n`);
  if (values.help) {
    const defaults = `--count N (default ${program.count}) --short (${program.shortCount}) --seed N --concurrency N (default ${program.concurrency}) --minutes N (ends after so long, whatever was done by then)`;
    process.stderr.write(`npm run ${program.name} -w bench -- ${defaults}\n${program.what}\n`);
    return;
  }
  /** @type {(() => unknown)[]} */
  const cleanups = [];
  const cleanUp = async () => {
    for (const clean of cleanups.splice(0).reverse()) await clean();
    await stopAll();
  };
  stopOnSignals(cleanUp);
  const count = number(values.count, 'count') ?? (values.short ? program.shortCount : program.count);
  const seed = number(values.seed, 'seed') ?? (values.short ? 7 : Math.floor(Math.random() * 1e9));
  const minutes = number(values.minutes, 'minutes') ?? Number.POSITIVE_INFINITY;
  const concurrency = number(values.concurrency, 'concurrency') ?? program.concurrency;
  try {
    say(`${program.name}: ${count}, seed ${seed}, ${concurrency} at a time`);
    let shownAt = 0;
    const progress = (done, more = '') => {
      if (performance.now() - shownAt < 5_000 && done < count) return;
      shownAt = performance.now();
      say(`${done} of ${count} ${more}`.trimEnd());
    };
    const isOver = () => performance.now() - began > minutes * 60_000;
    const context = {
      count,
      seed,
      concurrency,
      isOver,
      say,
      progress,
      onCleanup: (clean) => void cleanups.push(clean),
    };
    const { done, lines, faults } = await program.run(context);
    for (const line of lines) process.stdout.write(`${line}\n`);
    for (const fault of faults.slice(0, 20)) process.stdout.write(`FAULT: ${fault}\n`);
    if (faults.length > 20) process.stdout.write(`… and ${faults.length - 20} more faults\n`);
    process.stdout.write(`${program.name}: ${done}, ${faults.length} faults, seed ${seed}\n`);
    process.exitCode = faults.length === 0 ? 0 : 1;
  } catch (error) {
    say(error.stack ?? String(error));
    process.stdout.write(`${program.name}: not carried out, seed ${seed}\n`);
    process.exitCode = 1;
  } finally {
    await cleanUp();
  }
  // Whatever was under way when it failed is of no use any more.
  process.exit();
}

function number(text, name) {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new Error(`--${name} takes a whole number, not ${text}`);
}

/**
 * Carries out numbers 0 … count - 1, so many at a time; the first rejection ends it, and none is begun when it is over.
 * @param {{ count: number, concurrency: number, isOver: () => boolean }} bounds @param {(number: number) => Promise<void>} carryOut
 */
export async function inParallel({ count, concurrency, isOver }, carryOut) {
  let next = 0;
  const work = async () => {
    while (next < count && !isOver()) {
      next += 1;
      await carryOut(next - 1);
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, work));
}
