/**
 * Live queries that ask for one value of a field each, all of them different; a write matches one. In process, through the code that the server uses, up
 * to 100,000 of them: CPU per write, which must not grow. The limit there is to parse the two documents of the event and look each value up in a Map.
 *
 * Then over HTTP, as many streams as fit, at 50 writes a second: from the time at which the write was due until the one stream has read it.
 *
 * Checked: the stream that is concerned is sent the step, with the document, in order and once, and no other stream is sent anything.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startOpenLoop } from '../kit/open-loop.mjs';
import { runToEnd, startProcess } from '../kit/processes.mjs';
import { percentile } from '../kit/statistics.mjs';
import { ask } from '../streams/fleet.mjs';

const allSizes = [100, 1_000, 10_000, 100_000];
const writesInProcess = 5_000;
const writesPerSecond = 50;
const matchingScript = fileURLToPath(new URL('../peers/matching.mjs', import.meta.url));
const clientScript = fileURLToPath(new URL('../streams/query-client.mjs', import.meta.url));
const codeOf = (index) => `code-${String(index).padStart(6, '0')}`;

export const matching = {
  name: 'matching',
  title: 'Live queries `field = value`, all different, one write matches one',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, memoryRuns, seconds, liveQueries, isQuick, product, say }) {
    const sizes = isQuick ? allSizes.slice(0, 3) : allSizes;
    const faults = [];
    const bySize = Object.fromEntries(sizes.map((size) => [size, []]));
    for (let run = 1; run <= runs; run += 1) {
      for (const size of sizes) {
        say(`run ${run} of ${runs}: ${size} in process`);
        const argument = JSON.stringify({ queries: size, writes: writesInProcess });
        const env = { ...process.env, NODE_ENV: 'production' };
        const result = JSON.parse(await runToEnd(process.execPath, ['--expose-gc', matchingScript, argument], { env }));
        faults.push(...result.faults.map((fault) => `${size} in process: ${fault}`));
        bySize[size].push(result);
      }
    }
    const overHttp = { few: [], many: [] };
    for (let run = 1; run <= memoryRuns; run += 1) {
      for (const [name, count] of [
        ['few', Math.min(100, liveQueries)],
        ['many', liveQueries],
      ]) {
        say(`run ${run} of ${memoryRuns}: ${count} over HTTP`);
        const result = await measureHttp(product, count, seconds);
        faults.push(...result.faults.map((fault) => `${count} over HTTP: ${fault}`));
        overHttp[name].push(result);
      }
    }
    const checked = 'each step went to the one stream that it concerns, once and in order';
    return { rows: rowsOf(sizes, bySize, overHttp, liveQueries), faults, checked, details: { ...bySize, ...overHttp } };
  },
};

async function measureHttp(product, count, seconds) {
  const tidewire = await product();
  const headers = { 'x-apikey': tidewire.key };
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
  const client = await startProcess('query client', process.execPath, [clientScript], { stdio });
  try {
    const codes = Array.from({ length: count }, (_, index) => codeOf(index));
    const url = `${tidewire.url}/rest/bench`;
    const documents = { ...headers, 'Content-Type': 'application/json' };
    const first = await fetch(url, { method: 'POST', headers: documents, body: '{"code":"none"}' });
    if (first.status !== 201) throw new Error(`POST ${url} answered ${first.status}: ${await first.text()}`);
    const { milliseconds } = await ask(client, 'open', { port: tidewire.port, headers, collection: 'bench', codes });
    const bodyOf = (number, due) =>
      `{"n":"${String(number).padStart(9, '0')}","code":"${codeOf((number * 7_919) % count)}","t":${Math.round(due)},"text":"${'x'.repeat(150)}"}`;
    const options = { url, headers: documents, perSecond: writesPerSecond, bodyOf };
    const warmUp = startOpenLoop({ ...options, firstNumber: 1 });
    await delay(2_000);
    const before = await warmUp.stop();
    const faults = check(await settle(client, before), 1, before, count);
    const loop = startOpenLoop({ ...options, firstNumber: before + 1 });
    await delay(seconds * 1_000);
    const last = await loop.stop();
    const { received, faults: broken } = await settle(client, last - before);
    faults.push(...broken, ...check({ received }, before + 1, last, count));
    const sorted = received.map((one) => one.milliseconds).sort((a, b) => a - b);
    const [p50Ms, p99Ms] = [percentile(sorted, 50), percentile(sorted, 99)];
    return { p50Ms, p99Ms, opensPerSecond: (count * 1_000) / milliseconds, faults };
  } finally {
    await client.stop();
    await tidewire.stop();
  }
}

/** What came, when nothing more comes: as much as was written, and half a second for what is too much. */
async function settle(client, wanted) {
  const received = [];
  const faults = new Set();
  for (let turn = 0; turn < 200 && received.length < wanted; turn += 1) {
    await delay(50);
    const more = await ask(client, 'take', {});
    received.push(...more.received);
    for (const fault of more.faults) faults.add(fault);
  }
  await delay(500);
  received.push(...(await ask(client, 'take', {})).received);
  return { received, faults: [...faults] };
}

/** Faults of what the streams were sent, against what was written: the numbers from `first` to `last`. */
export function check({ received }, first, last, count) {
  const faults = [];
  const seen = new Set();
  const newest = new Map();
  for (const { code, event, number } of received) {
    const due = codeOf((number * 7_919) % count);
    if (event !== 'enter') faults.push(`${code} was sent ${event}`);
    if (code !== due) faults.push(`${number} came to ${code}, but is of ${due}`);
    if (seen.has(number)) faults.push(`${number} came twice`);
    if ((newest.get(code) ?? 0) > number) faults.push(`${number} came to ${code} after ${newest.get(code)}`);
    seen.add(number);
    newest.set(code, number);
  }
  for (let number = first; number <= last; number += 1) if (!seen.has(number)) faults.push(`${number} did not come`);
  return faults.slice(0, 5);
}

function rowsOf(sizes, bySize, overHttp, liveQueries) {
  const of = (size, kind, field) => bySize[size].map((result) => result[kind][field]);
  const inProcess = sizes.map((size) => ({
    what: `CPU µs per write, ${size.toLocaleString('en-US')} live queries`,
    ...{ ours: of(size, 'microseconds', 'median'), better: 'less' },
    ...{ other: 'limit: parse and one lookup in a Map', theirs: of(size, 'lookup', 'median'), targetAtMost: 100 },
  }));
  const most = sizes.at(-1);
  const flat = {
    ...{ what: 'the same: most live queries', ours: of(most, 'microseconds', 'median'), better: 'less' },
    ...{ other: '100 live queries', theirs: of(sizes[0], 'microseconds', 'median'), targetRatio: 0.5 },
  };
  const withGarbage = {
    ...{ what: 'the same with the collection of garbage', ours: of(most, 'microseconds', 'mean'), better: 'less' },
    ...{ other: '100 live queries', theirs: of(sizes[0], 'microseconds', 'mean') },
  };
  const http = ['p50Ms', 'p99Ms'].map((field) => ({
    what: `${field.slice(0, 3)} ms over HTTP, ${liveQueries.toLocaleString('en-US')} live queries`,
    ...{ ours: overHttp.many.map((result) => result[field]), better: 'less', other: '100 live queries' },
    theirs: overHttp.few.map((result) => result[field]),
  }));
  const opens = {
    ...{ what: 'live queries opened per second', ours: overHttp.many.map(({ opensPerSecond }) => opensPerSecond) },
    ...{ other: '100 of them', theirs: overHttp.few.map(({ opensPerSecond }) => opensPerSecond), better: 'more' },
  };
  return [...inProcess, flat, withGarbage, ...http, opens];
}
