/**
 * `npm run chaos`: faults of every kind while 16 writers and 62 subscribers are at work, then the check of everything. The last line is
 * `N passed, N failed`; with a failure the exit code is 1. The summary, and with a failure the history, are kept below bench/results/.
 */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from '../kit/machine.mjs';
import { stopAll, stopOnSignals } from '../kit/processes.mjs';
import { abandonRun, runChaos } from './run-chaos.mjs';

const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));
const help = `npm run chaos -- [options]
  --cuts N             network faults: lines cut, silenced, slowed or lossy (default 200)
  --kills N            kill -9 of nodes (default 40)
  --postgres-kills N   ends of PostgreSQL: kill -9, immediate or fast stop (default 8)
  --terminates N       pg_terminate_backend of random connections (default 200)
  --redis N            FLUSHALL, kill, pause, stop, restart empty or with an old RDB, old messages (default 12)
  --stops N            SIGSTOP of nodes, and SIGCONT after 1 to 60 s (default 8)
  --seconds N          over which all this is spread (default: as long as it takes)
  --at-most-seconds N  what is not done by then is left (default: four times as long as that)
  --seed N             decides everything that is random (default: a new one, printed)
  --alone              one process on its built-in PostgreSQL, in place of 2 + 2 over one PostgreSQL and one Redis
  --nodes N            so many processes of each role: api and realtime (default 2)
  --writers N          (default 16)
  --subscribers N      (default 50)
  --query-subscribers N  streams of queries, which begin again and again (default 12)
  --pause-ms N         mean pause of a writer between two operations (default 80)
  --patience N         the limits of times (writes back, subscribers behind) are so many times as long, on a crowded machine (default 1)
  --short              both topologies with few faults: about a minute
  --command PATH       the server's command (default apps/tidewire/bin/tidewire.js)`;

const numbers = {
  ...{ cuts: 200, kills: 40, 'postgres-kills': 8, terminates: 200, redis: 12, stops: 8 },
  ...{
    seconds: 0,
    'at-most-seconds': 0,
    patience: 1,
    seed: 0,
    nodes: 2,
    writers: 16,
    subscribers: 50,
    'query-subscribers': 12,
    'pause-ms': 80,
  },
};
const { values } = parseArgs({
  options: {
    ...Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: /** @type {const} */ ('string') }])),
    alone: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    command: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
/** How long a deed takes on two cores that others use, too: so close they may come. */
const secondsPerDeed = { cuts: 0.3, kills: 2.7, postgresKills: 8, terminates: 0.3, redis: 5, stops: 7 };

const say = (line) => process.stderr.write(`${line}\n`);

function optionsOf() {
  const number = (name) => {
    const value = Number(values[name] ?? numbers[name]);
    if (Number.isInteger(value) && value >= 0) return value;
    throw new Error(`--${name} is ${values[name]}, and must be a whole number from 0 up.`);
  };
  const deeds = {
    ...{ cuts: number('cuts'), kills: number('kills'), postgresKills: number('postgres-kills') },
    ...{ terminates: number('terminates'), redis: number('redis'), stops: number('stops') },
  };
  const isAlone = values.alone;
  if (isAlone)
    Object.assign(deeds, { terminates: values.terminates === undefined ? 0 : deeds.terminates, redis: 0, stops: 0 });
  return {
    ...{ deeds, isAlone, isShort: false, command: values.command, say },
    seconds: number('seconds') || secondsFor(deeds),
    atMostSeconds: number('at-most-seconds') || 4 * (number('seconds') || secondsFor(deeds)),
    patience: number('patience'),
    seed: number('seed') || 1 + Math.floor(Math.random() * 1e9),
    nodesOfEach: number('nodes'),
    writers: number('writers'),
    subscribers: number('subscribers'),
    querySubscribers: number('query-subscribers'),
    pauseMs: number('pause-ms'),
  };
}

function secondsFor(deeds) {
  return Math.ceil(Math.max(...Object.entries(deeds).map(([name, times]) => times * secondsPerDeed[name])));
}

/** The two topologies one after the other, with some of everything. */
function shortRuns(options) {
  const few = { ...options, isShort: true, patience: 6, subscribers: 12, querySubscribers: 6, pauseMs: 60 };
  const together = { cuts: 25, kills: 3, postgresKills: 2, terminates: 25, redis: 6, stops: 2 };
  const alone = { cuts: 8, kills: 1, postgresKills: 1, terminates: 0, redis: 0, stops: 0 };
  return [
    { ...few, deeds: together, seconds: 10, atMostSeconds: 40 },
    { ...few, deeds: alone, isAlone: true, seconds: 4, atMostSeconds: 30 },
  ];
}

async function main() {
  if (values.help) return say(help);
  stopOnSignals(() => abandonRun());
  const runs = values.short ? shortRuns(optionsOf()) : [optionsOf()];
  let passed = 0;
  let failed = 0;
  for (const options of runs) {
    say(
      `seed ${options.seed}: ${JSON.stringify(options.deeds)} in ${options.seconds} s${options.isAlone ? ', alone' : ''}`,
    );
    const result = await runChaos(options);
    const wrong = report(options, result);
    passed += result.verdicts.length - wrong;
    failed += wrong;
  }
  // A line that was silenced may still hold a socket that nobody will hear of again.
  process.stdout.write(`${passed} passed, ${failed} failed\n`, () => process.exit(failed === 0 ? 0 : 1));
}

/** Returns the number of checks that found something. */
function report({ seed, deeds, seconds, isAlone }, { verdicts, summary, history, truth }) {
  say(JSON.stringify(summary, null, 2));
  for (const { name, examined, found } of verdicts) {
    say(`${found.length === 0 ? 'ok    ' : 'FAILED'} ${name} (${examined} examined)`);
    for (const fault of found.slice(0, 10)) say(`         ${fault}`);
    if (found.length > 10) say(`         … and ${found.length - 10} more`);
  }
  mkdirSync(resultsFolder, { recursive: true });
  const stem = join(resultsFolder, `chaos-${seed}-${Date.now()}`);
  const machine = describeMachine();
  writeFileSync(
    `${stem}.json`,
    `${JSON.stringify({ machine, seed, deeds, seconds, isAlone, summary, verdicts }, null, 2)}\n`,
  );
  const failed = verdicts.filter(({ found }) => found.length > 0).length;
  if (failed > 0) say(`seed ${seed}; the history is in ${keep(`${stem}.ndjson`, history, truth)}`);
  return failed;
}

/** One JSON object a line: operations, then what the subscribers got, then the log. */
function keep(file, { operations, subscribers, checkpoints, faults }, truth) {
  const handle = openSync(file, 'w');
  const records = [
    ...operations.map((operation) => ({ operation })),
    ...subscribers.map(({ name, runs }) => ({ subscriber: name, runs })),
    ...checkpoints.map((checkpoint) => ({ checkpoint })),
    ...faults.map((fault) => ({ fault })),
    ...truth.events.map((event) => ({ event })),
  ];
  for (const record of records) writeSync(handle, `${JSON.stringify(record)}\n`);
  closeSync(handle);
  return file;
}

try {
  await main();
} catch (error) {
  say(error.stack ?? String(error));
  await stopAll();
  process.stdout.write('0 passed, 1 failed\n');
  // What else was under way goes no further.
  process.exit(1);
}
