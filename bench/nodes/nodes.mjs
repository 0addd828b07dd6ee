/**
 * `npm run nodes -w bench`: two servers over one PostgreSQL and one Redis. Events are published at a fixed rate (open loop), first on one
 * server and then on the other one, and a stream on each hears all of them. (In turns would flatter: a server that writes itself sees by
 * its own number that it missed one.) Latency is from the time at which an event was due until it was read: on the node
 * on which it was published, and on the other one. Then the same while Redis is killed, stopped, paused for its clients, emptied all the
 * time, and full of old messages. Each stream must have every event once and in order; else the exit code is 1.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { describeMachine } from '../kit/machine.mjs';
import { stopAll, stopOnSignals, waitFor } from '../kit/processes.mjs';
import { createKey, freePort, makeFolder, startTidewire } from '../kit/product.mjs';
import { percentile } from '../kit/statistics.mjs';
import { findTool } from '../kit/tools.mjs';
import { flood, startRedis } from './redis.mjs';

const resultsFolder = fileURLToPath(new URL('../results/', import.meta.url));
const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rate: { type: 'string', default: '50' },
    help: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const rate = Number(values.rate);
const say = (line) => process.stderr.write(`${line}\n`);
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
const cleanups = [];

/** What happens to Redis: `during` begins it and returns its end. */
const phases = [
  { name: 'Redis up', during: async () => async () => undefined },
  {
    name: 'killed',
    async during({ redis }) {
      await redis.kill();
      return () => redis.restart();
    },
  },
  { name: 'up again', during: async () => async () => undefined },
  {
    name: 'stopped (SIGSTOP)',
    async during({ redis }) {
      redis.pause();
      return async () => redis.resume();
    },
  },
  {
    name: 'CLIENT PAUSE',
    async during({ redis }) {
      await redis.command(`CLIENT PAUSE ${seconds * 1000} ALL`);
      return async () => undefined;
    },
  },
  {
    name: 'FLUSHALL, 20/s',
    async during({ redis }) {
      const timer = setInterval(() => redis.command('FLUSHALL').catch(() => undefined), 50);
      return async () => clearInterval(timer);
    },
  },
  {
    name: 'old messages, 1,000/s',
    async during({ redis }) {
      const stop = flood(redis.port, 'tidewire:changes', oldMessage(), 1_000);
      return async () => void stop();
    },
  },
];

/** Events that everybody had long ago. */
function oldMessage() {
  const event = (id) => ({
    ...{ id, type: 'publish', collectionId: null, collection: null, documentId: null, before: null, after: null },
    ...{ name: 'old', data: `"${'x'.repeat(200)}"`, actor: 'system', at: '2026-01-01T00:00:00.000Z' },
    operationId: '00000000-0000-0000-0000-000000000000',
  });
  const events = Array.from({ length: 10 }, (_, index) => event(index + 1));
  return JSON.stringify({ from: 'yesterday', hint: { kind: 'events', databaseId: 1, events } });
}

async function main() {
  if (values.help)
    return say('npm run nodes -w bench -- [--seconds N of each phase (default 10)] [--rate N events/s (default 50)]');
  stopOnSignals(cleanUp);
  const tool = findTool('redis-server');
  if ('missing' in tool) throw new Error(tool.missing);
  const folder = makeFolder('nodes');
  cleanups.push(folder.remove);
  const log = { info: () => undefined, warn: () => undefined };
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, 'data'), log });
  cleanups.push(() => postgres.stop());
  const redis = await startRedis(tool.path, folder.path);
  const env = {
    ...{ DATABASE_URL: urlOf(postgres.address), REDIS_URL: redis.url },
    SECRET_KEY: 'for this run only, and of some length',
  };
  const servers = [];
  for (const name of ['one', 'two'])
    servers.push(await startTidewire({ dataDir: join(folder.path, name), port: await freePort(), env }));
  const key = await createKey({ dataDir: join(folder.path, 'one'), name: 'bench', env });
  const streams = await Promise.all(servers.map(({ url }) => openStream(url, key)));
  const run = { redis, servers, streams, key, number: 0 };
  await measure(run, 3);
  for (const { name, during } of phases) {
    say(name);
    const end = await during(run);
    run.results = [...(run.results ?? []), { name, ...(await measure(run, seconds)) }];
    await end();
    // What a phase leaves behind is not the next one's.
    await measure(run, 2);
  }
  report(run);
  for (const { close } of streams) close();
  for (const server of servers) await server.stop({ graceMs: 30_000 });
  await redis.stop();
}

function urlOf({ host, port, user, password, database }) {
  const url = new URL(`postgresql://localhost:${port}/${database}`);
  Object.assign(url, { username: user, password });
  url.searchParams.set('host', host);
  return url.href;
}

/** A stream that notes when each number arrived. */
async function openStream(url, key) {
  const abort = new AbortController();
  const response = await fetch(`${url}/realtime`, { headers: { 'x-apikey': key }, signal: abort.signal });
  if (!response.ok) throw new Error(`GET /realtime answered ${response.status}`);
  const arrived = new Map();
  const ids = [];
  const read = async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const part of response.body ?? []) {
      const at = nowMs();
      const blocks = (rest + decoder.decode(part, { stream: true })).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const number = /"n":(\d+)/.exec(block)?.[1];
        if (number === undefined) continue;
        ids.push(Number(/^id: ?(\d+)$/m.exec(block)?.[1]));
        arrived.set(Number(number), at);
      }
    }
  };
  read().catch(() => undefined);
  return { arrived, ids, close: () => abort.abort() };
}

/** Publishes for so long, waits for all of it on both streams, and gives latencies in ms, ascending. */
async function measure(run, forSeconds) {
  const { servers, streams, key } = run;
  const began = nowMs() + 50;
  const answers = [];
  const sent = [];
  for (let index = 0; index < forSeconds * rate; index += 1) {
    const due = began + (index * 1000) / rate;
    const wait = due - nowMs();
    if (wait > 0) await delay(wait);
    run.number += 1;
    const node = index < (forSeconds * rate) / 2 ? 0 : 1;
    sent.push({ number: run.number, due, node });
    answers.push(publish(servers[node].url, key, run.number));
  }
  await Promise.all(answers);
  const last = sent.at(-1);
  await waitFor(
    'both streams have everything',
    () => sent.every(({ number }) => streams.every((one) => one.arrived.has(number))),
    {
      timeoutMs: 20_000,
    },
  );
  const latencies = (isOther) =>
    sent
      .map(({ number, due, node }) => streams[isOther ? 1 - node : node].arrived.get(number) - due)
      .sort((a, b) => a - b);
  return { events: sent.length, last: last?.number, same: latencies(false), other: latencies(true) };
}

async function publish(url, key, number) {
  const answer = await fetch(`${url}/realtime`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify({ event: 'bench', data: { n: number } }),
  });
  if (!answer.ok) throw new Error(`POST /realtime answered ${answer.status}`);
  await answer.arrayBuffer();
}

function report({ results, streams, number }) {
  const faults = streams.flatMap(({ ids, arrived }, node) => {
    const isOrdered = ids.every((id, index) => index === 0 || id === ids[index - 1] + 1);
    const isWhole = arrived.size === number && ids.length === number;
    return isOrdered && isWhole ? [] : [`node ${node + 1}: ${ids.length} of ${number} events, in order: ${isOrdered}`];
  });
  const figures = (sorted) => [percentile(sorted, 50), percentile(sorted, 99), sorted.at(-1)];
  const rows = results.map(({ name, events, same, other }) => [
    name,
    String(events),
    ...[...figures(same), ...figures(other)].map((ms) => ms.toFixed(1)),
  ]);
  const head = ['', 'events', 'same p50', 'p99', 'latest', 'other p50', 'p99', 'latest'];
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((cells) => cells[column].length)));
  const line = (cells) =>
    cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ');
  mkdirSync(resultsFolder, { recursive: true });
  const machine = describeMachine();
  const file = join(resultsFolder, `nodes-${machine.at.replaceAll(':', '-')}.json`);
  writeFileSync(file, `${JSON.stringify({ machine, seconds, rate, faults, results })}\n`);
  process.stdout.write(`Milliseconds from due to read, on the same node and on the other one; ${rate} events/s\n`);
  process.stdout.write(`${[head, ...rows].map(line).join('\n')}\n`);
  for (const fault of faults) process.stdout.write(`FAULT: ${fault}\n`);
  if (faults.length === 0) process.stdout.write(`checked: each stream had all ${number} events once and in order\n`);
  process.stdout.write(`${file}\n`);
  process.exitCode = faults.length === 0 ? 0 : 1;
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
