/**
 * `npm run chaos`: cuts and kills while 16 writers and a dozen subscribers are at work, then the check of everything. The last line is
 * `N passed, N failed`; with a failure the exit code is 1 and the history is kept below bench/results/.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stopAll, stopOnSignals } from '../kit/processes.mjs';
import { runChaos } from './run-chaos.mjs';

const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));
const help = `npm run chaos -- [options]
  --cuts N             lines of subscribers that are broken (default 200)
  --kills N            kill -9 of the server (default 20)
  --postgres-kills N   kill -9 of PostgreSQL's postmaster (default 5)
  --seed N             decides everything that is random (default: a new one, printed)
  --writers N          (default 16)
  --subscribers N      (default 12)
  --pause-ms N         mean pause of a writer between two operations (default 15)
  --short              20 cuts, 2 kills, 1 of PostgreSQL: under a minute
  --command PATH       the server's command (default apps/tidewire/bin/tidewire.js)`;

const { values } = parseArgs({
  options: {
    cuts: { type: 'string' },
    kills: { type: 'string' },
    'postgres-kills': { type: 'string' },
    seed: { type: 'string' },
    writers: { type: 'string' },
    subscribers: { type: 'string' },
    'pause-ms': { type: 'string' },
    short: { type: 'boolean', default: false },
    command: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const say = (line) => process.stderr.write(`${line}\n`);

function optionsOf() {
  const usual = values.short
    ? { cuts: 20, kills: 2, 'postgres-kills': 1 }
    : { cuts: 200, kills: 20, 'postgres-kills': 5 };
  const defaults = { ...usual, seed: Math.floor(Math.random() * 1e9), writers: 16, subscribers: 12, 'pause-ms': 15 };
  const number = (name) => {
    const value = Number(values[name] ?? defaults[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} is ${values[name]}, and must be a whole number from 0 up.`);
  };
  return {
    seed: number('seed'),
    cuts: number('cuts'),
    kills: number('kills'),
    postgresKills: number('postgres-kills'),
    writers: number('writers'),
    subscribers: number('subscribers'),
    pauseMs: number('pause-ms'),
    command: values.command,
    say,
  };
}

async function main() {
  if (values.help) return say(help);
  const options = optionsOf();
  say(
    `seed ${options.seed}: ${options.cuts} cuts, ${options.kills} kills of the server, ${options.postgresKills} of PostgreSQL`,
  );
  stopOnSignals();
  const { verdicts, summary, history, truth } = await runChaos(options);
  say(JSON.stringify(summary, null, 2));
  for (const { name, examined, found } of verdicts) {
    say(`${found.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${examined} examined)`);
    for (const fault of found.slice(0, 10)) say(`         ${fault}`);
    if (found.length > 10) say(`         … and ${found.length - 10} more`);
  }
  const failed = verdicts.filter(({ found }) => found.length > 0).length;
  if (failed > 0) say(`seed ${options.seed}; the history is in ${keep(options, history, truth)}`);
  process.stdout.write(`${verdicts.length - failed} passed, ${failed} failed\n`);
  process.exitCode = failed === 0 ? 0 : 1;
}

/** One JSON object a line: operations, then what the subscribers got, then the log. */
function keep({ seed }, { operations, subscribers, faults }, truth) {
  mkdirSync(resultsFolder, { recursive: true });
  const file = join(resultsFolder, `chaos-${seed}-${Date.now()}.ndjson`);
  const records = [
    ...operations.map((operation) => ({ operation })),
    ...subscribers.map(({ name, ids }) => ({ subscriber: name, ids })),
    ...faults.map((fault) => ({ fault })),
    ...truth.events.map((event) => ({ event })),
  ];
  writeFileSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return file;
}

try {
  await main();
} catch (error) {
  say(error.stack ?? String(error));
  await stopAll();
  process.stdout.write('0 passed, 1 failed\n');
  process.exitCode = 1;
}
