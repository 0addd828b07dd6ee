/**
 * `npm run bench`: measures Tidewire next to its peers and to the limits of what it stands on, in one run, and prints a table. Method in
 * the header of each case. Exit code 1 when an event was lost, doubled or out of order; a missed target is shown, but is no failure.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { burst } from './cases/burst.mjs';
import { commitLane } from './cases/commit-lane.mjs';
import { deliveryLatency } from './cases/delivery-latency.mjs';
import { durableWrites } from './cases/durable-writes.mjs';
import { endToEnd } from './cases/end-to-end.mjs';
import { fanOut } from './cases/fan-out.mjs';
import { idleStreams } from './cases/idle-streams.mjs';
import { interference } from './cases/interference.mjs';
import { matching } from './cases/matching.mjs';
import { reads } from './cases/reads.mjs';
import { realtimeProcesses } from './cases/realtime-processes.mjs';
import { reconnectStorm } from './cases/reconnect-storm.mjs';
import { replay } from './cases/replay.mjs';
import { slowReaders } from './cases/slow-readers.mjs';
import { twoNodes } from './cases/two-nodes.mjs';
import { describeMachine } from './kit/machine.mjs';
import { hasProc } from './kit/proc.mjs';
import { stopAll, stopOnSignals } from './kit/processes.mjs';
import { createKey, defaultCommand, freePort, makeFolder, startTidewire } from './kit/product.mjs';
import { ratioOf, table, verdictOf } from './kit/report.mjs';
import { durabilitySettings, startScratchPostgres } from './kit/scratch-postgres.mjs';
import { summarize } from './kit/statistics.mjs';

/**
 * What a case is given. `product` starts a fresh server and `scratch` a Postgres of the benchmark's own, shared by the cases.
 * @typedef {{
 *   runs: number, memoryRuns: number, seconds: number, subscribers: number, fanOutSubscribers: number[], latencySubscribers: number[],
 *   idleStreams: number, stormStreams: number, liveQueries: number, clientProcesses: number, isQuick: boolean,
 *   product: (env?: Record<string, string>) => Promise<{ url: string, port: number, pid: number, key: string, dataDir: string, stop: () => Promise<void> }>,
 *   scratch: () => ReturnType<typeof startScratchPostgres>, say: (line: string) => void
 * }} Context
 */

const cases = [
  ...[durableWrites, commitLane, reads, fanOut, burst, deliveryLatency, endToEnd, realtimeProcesses, interference],
  ...[idleStreams, replay, reconnectStorm, matching, slowReaders, twoNodes],
];
const resultsFolder = fileURLToPath(new URL('results/', import.meta.url));

const help = `npm run bench -- [options]
  --only NAMES              of: ${cases.map(({ name }) => name).join(', ')} (default: all)
  --runs N                  measured runs of each contender (default 5)
  --memory-runs N           the same for the memory of idle streams (default 3)
  --seconds N               length of a run (default 10)
  --subscribers N           of the streaming cases (default 1000)
  --fan-out-subscribers N,… also in fan-out, without most peers (default 100,5000)
  --latency-subscribers N,… in latency (default 1,10,100,1000)
  --idle-streams N          (default 10000)
  --storm-streams N         that come back at once (default 10000)
  --live-queries N          over HTTP in matching (default 5000)
  --client-processes N      that hold the subscribers (default 2)
  --quick                   one run of 3 seconds: to see that everything works, not for figures
  --command PATH            the server's command (default apps/tidewire/bin/tidewire.js)`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    runs: { type: 'string', default: '5' },
    'memory-runs': { type: 'string', default: '3' },
    seconds: { type: 'string', default: '10' },
    subscribers: { type: 'string', default: '1000' },
    'fan-out-subscribers': { type: 'string', default: '100,5000' },
    'latency-subscribers': { type: 'string', default: '1,10,100,1000' },
    'idle-streams': { type: 'string', default: '10000' },
    'storm-streams': { type: 'string', default: '10000' },
    'live-queries': { type: 'string', default: '5000' },
    'client-processes': { type: 'string', default: '2' },
    quick: { type: 'boolean', default: false },
    command: { type: 'string', default: defaultCommand },
    help: { type: 'boolean', default: false },
  },
});

const say = (line) => process.stderr.write(`${line}\n`);
const cleanups = [];

async function main() {
  if (values.help) return say(help);
  if (!hasProc) throw new Error('The benchmark reads CPU time and memory from /proc, so it needs Linux.');
  const names = values.only?.split(',') ?? cases.map(({ name }) => name);
  const unknown = names.filter((name) => !cases.some((one) => one.name === name));
  if (unknown.length > 0)
    throw new Error(`There is no case ${unknown.join(', ')}. There are: ${cases.map(({ name }) => name).join(', ')}.`);
  stopOnSignals(cleanUp);
  const machine = describeMachine();
  say(
    `${machine.cpu}, ${machine.cores} cores; load average ${machine.loadAverageBefore.map((one) => one.toFixed(2)).join(' ')}`,
  );
  const context = createContext();
  const results = [];
  for (const one of cases.filter(({ name }) => names.includes(name))) {
    say(`── ${one.title}`);
    const outcome = await one.run({ ...context, say: (line) => say(`   ${line}`) });
    const result = { name: one.name, title: one.title, skipped: [], ...outcome };
    results.push(result);
    say(table([result]));
  }
  const { pool } = await context.scratch();
  const file = save({
    machine: { ...machine, postgres: await durabilitySettings(pool) },
    settings: settings(),
    results: results.map(withSummaries),
  });
  process.stdout.write(`\n${table(results)}\n\nload: ${machine.loadGenerator}\n${file}\n`);
  if (results.some(({ faults }) => faults.length > 0)) process.exitCode = 1;
}

function settings() {
  const { quick: isQuick } = values;
  const number = (name) => Number(values[name]);
  const list = (name) => String(values[name]).split(',').filter(Boolean).map(Number);
  const numbers = { subscribers: number('subscribers'), clientProcesses: number('client-processes'), isQuick };
  if (isQuick)
    return {
      ...{ ...numbers, runs: 1, memoryRuns: 1, seconds: 3, fanOutSubscribers: [100], latencySubscribers: [10, 1_000] },
      ...{ idleStreams: 2_000, stormStreams: 2_000, liveQueries: 500 },
    };
  return {
    ...{ ...numbers, runs: number('runs'), memoryRuns: number('memory-runs'), seconds: number('seconds') },
    fanOutSubscribers: list('fan-out-subscribers'),
    latencySubscribers: list('latency-subscribers'),
    ...{ idleStreams: number('idle-streams'), stormStreams: number('storm-streams') },
    liveQueries: number('live-queries'),
  };
}

function createContext() {
  /** @type {ReturnType<typeof startScratchPostgres> | undefined} */
  let scratch;
  return {
    ...settings(),
    product: startProduct,
    scratch() {
      scratch ??= startScratchPostgres().then((postgres) => {
        cleanups.push(postgres.stop);
        return postgres;
      });
      return scratch;
    },
  };
}

async function startProduct(env = {}) {
  const folder = makeFolder('bench');
  cleanups.push(folder.remove);
  const { command } = values;
  const tidewire = await startTidewire({ command, dataDir: folder.path, port: await freePort(), env });
  const key = await createKey({ command, dataDir: folder.path, name: 'bench' });
  return {
    ...tidewire,
    key,
    async stop() {
      const how = await tidewire.stop({ graceMs: 30_000 });
      if (how !== 'code 0') throw new Error(`Tidewire did not end well (${how}):\n${tidewire.output()}`);
      folder.remove();
    },
  };
}

function withSummaries(result) {
  const rows = result.rows.map((row) => ({
    ...row,
    ours: summarize(row.ours),
    theirs: row.theirs && summarize(row.theirs),
    ratio: ratioOf(row),
    verdict: verdictOf(row),
  }));
  return { ...result, rows };
}

function save(record) {
  mkdirSync(resultsFolder, { recursive: true });
  const file = join(resultsFolder, `bench-${record.machine.at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify(record, null, 2)}\n`);
  return file;
}

async function cleanUp() {
  await stopAll();
  for (const clean of cleanups.splice(0).reverse()) await clean();
}

try {
  await main();
} catch (error) {
  say(error.stack ?? String(error));
  process.exitCode = 1;
} finally {
  await cleanUp();
}
