/**
 * Replay: clients come back 1,000 events behind, all at once, and get what they missed. No stream was open before, so nothing of it is in the memory of
 * Tidewire's server: the first one has to ask PostgreSQL. Each measurement has a server of its own.
 *
 * Queries: those on the table of events, out of PostgreSQL's own log, from the first connection until the last client has all. They must not grow with the
 * clients. Nchan has the messages in memory, Durable Streams in files.
 *
 * Checked besides order and completeness: the first event is the one behind the cursor.
 */
import { readFileSync, statSync } from 'node:fs';
import { connectPostgres } from '@tidewire/db/client';
import { clusterOf } from '@tidewire/db/embedded-postgres/cluster';
import { findEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { createContest, fieldOf } from '../kit/contest.mjs';
import { bodyOf } from '../kit/load.mjs';
import { publishAtOnce } from '../kit/pipeline.mjs';
import { setLogging } from '../kit/postgres-log.mjs';
import { durableStreamsTarget, message, nchanTarget, publish, tidewireTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const eventsBehind = 1_000;
const eventsAtOnce = 100;
/** Before those, so that the cursor is in the midst of the log. */
const eventsBefore = 500;

export const replay = {
  name: 'replay',
  title: `Replay: clients that come back ${eventsBehind} events behind`,

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, subscribers, clientProcesses, product, say }) {
    const contest = createContest(say);
    const sizes = [...new Set([10, 100, subscribers])];
    const bySize = {};
    for (const size of sizes) {
      bySize[size] = [];
      for (let run = 1; run <= runs; run += 1) {
        say(`${size} clients, run ${run} of ${runs}: Tidewire`);
        bySize[size].push(await measureTidewire(product, size, clientProcesses, contest));
      }
    }
    const peers = {};
    for (const { start, prepare, runs: wanted } of [
      { start: nchanTarget, prepare: prepareNchan, runs },
      // It takes long.
      { start: durableStreamsTarget, prepare: prepareDurableStreams, runs: 1 },
    ]) {
      const [target] = await contest.start([start]);
      if (target === undefined) continue;
      for (let run = 1; run <= wanted; run += 1) {
        say(`${subscribers} clients, run ${run} of ${wanted}: ${target.name}`);
        const result = await contest.attempt(target, async () => {
          const resumed = await prepare(target, run);
          return comeBack({ ...target, ...resumed }, subscribers, clientProcesses, resumed.last);
        });
        if (result === null) continue;
        contest.note(target, result.faults);
        if (result.faults.length === 0) peers[target.label] = [...(peers[target.label] ?? []), result];
      }
      await target.stop();
    }
    const { faults, peerFaults, skipped } = contest;
    const queriesOf = (size) => Math.max(...bySize[size].map(({ queries }) => queries));
    if (queriesOf(sizes.at(-1)) > queriesOf(sizes[0]))
      faults.push(`${queriesOf(sizes[0])} queries for ${sizes[0]} clients, but ${queriesOf(sizes.at(-1))} for more`);
    return { rows: rowsOf(sizes, bySize, peers), faults, peerFaults, skipped, details: { ...bySize, ...peers } };
  },
};

async function measureTidewire(product, size, processes, contest) {
  let server;
  const target = await tidewireTarget(async (env) => {
    server = await product(env);
    return server;
  });
  const all = eventsBefore + eventsBehind;
  let head = 0;
  for (let number = 1; number <= all; number += eventsAtOnce) head = await writeDocuments(target, number);
  const address = await findEmbeddedPostgres(server.dataDir);
  if (address === null) throw new Error('The PostgreSQL of the server was not found.');
  const { pool, close } = connectPostgres(address, { onConnectionError: () => undefined });
  const { logFile } = clusterOf(server.dataDir);
  await setLogging(pool, '0');
  const { size: logged } = statSync(logFile);
  const cursor = head - eventsBehind;
  const resumed = { ...target, subscribePath: `/realtime?lastEventId=${cursor}`, firstId: String(cursor + 1) };
  const result = await comeBack(resumed, size, processes, all);
  const queries = countReads(readFileSync(logFile).subarray(logged).toString());
  await close();
  await target.stop();
  contest.note(target, result.faults);
  if (queries === 0) contest.note(target, ['PostgreSQL was asked for nothing: its queries were not counted']);
  return { ...result, queries };
}

/** Queries on the table of events in PostgreSQL's log; further lines of one entry are indented. */
export function countReads(log) {
  const entries = log.replaceAll('\n\t', ' ').split('\n');
  return entries.filter((entry) => /duration: .*\b(execute|statement)\b.*\bFROM events\b/.test(entry)).length;
}

async function writeDocuments(target, first) {
  const documents = Array.from({ length: eventsAtOnce }, (_, index) => ({
    n: String(first + index).padStart(9, '0'),
    text: 'x'.repeat(100),
  }));
  const url = new URL('/rest/company', target.publishUrl);
  const response = await fetch(url, {
    method: 'POST',
    headers: target.publishHeaders,
    body: JSON.stringify(documents),
  });
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
  return Number(response.headers.get('x-event-id'));
}

/** The clients come, and the time is taken until the last one has everything. */
async function comeBack(target, subscribers, processes, last) {
  const { dialect, port, subscribePath: path, subscribeHeaders: headers, firstId } = target;
  const fleet = await startFleet({ dialect, port, path, headers, subscribers, processes, openAtOnce: 512 });
  const report = await fleet.reach(last, 90_000);
  await fleet.stop();
  const seconds = (report.lastReadAt - fleet.opened.beganAt) / 1000;
  const faults = [...report.faults];
  if (report.events !== eventsBehind) faults.push(`${eventsBehind} events were missed, but ${report.events} came`);
  if (firstId !== undefined && report.firstId !== firstId)
    faults.push(`the first event was ${report.firstId}, not ${firstId}`);
  return {
    eventsPerSecond: (report.events * subscribers) / seconds,
    mebibytesPerSecond: report.bodyBytes / seconds / 1024 / 1024,
    seconds,
    faults,
  };
}

/** A witness hears the message that stands before those that are missed, and so its id. */
async function prepareNchan(target, run) {
  const first = run * 100_000;
  const { dialect, port, subscribePath: path, subscribeHeaders } = target;
  const common = { dialect, port, path, headers: subscribeHeaders };
  const witness = await startFleet({ ...common, subscribers: 1, processes: 1 });
  await publish(target, bodyOf(message, first));
  const { firstId } = await witness.reach(first);
  await witness.stop();
  await publishMany(target, first);
  return {
    last: first + eventsBehind,
    subscribeHeaders: { ...subscribeHeaders, 'Last-Event-ID': String(firstId) },
    firstId: undefined,
  };
}

/** The offset behind the message that stands before those that are missed. */
async function prepareDurableStreams(target, run) {
  const first = run * 100_000;
  const { publishUrl, publishHeaders: headers } = target;
  const response = await fetch(publishUrl, { method: 'POST', headers, body: bodyOf(message, first) });
  await response.arrayBuffer();
  const offset = response.headers.get('stream-next-offset') ?? '';
  await publishMany(target, first);
  return {
    last: first + eventsBehind,
    subscribePath: `/bench?offset=${encodeURIComponent(offset)}&live=sse`,
    firstId: undefined,
  };
}

async function publishMany(target, first) {
  for (let from = 1; from <= eventsBehind; from += eventsAtOnce) {
    const bodies = Array.from({ length: eventsAtOnce }, (_, index) => bodyOf(message, first + from + index));
    await publishAtOnce(target, bodies);
  }
}

function rowsOf(sizes, bySize, peers) {
  const most = sizes.at(-1);
  const ours = (field) => fieldOf(bySize[most], field);
  const against = (what, field, better) =>
    Object.entries(peers).map(([other, results]) => ({
      ...{ what, ours: ours(field), better, other, theirs: fieldOf(results, field) },
    }));
  return [
    ...against(`events/s to ${most} clients`, 'eventsPerSecond', 'more'),
    ...against(`MiB/s of bodies to ${most} clients`, 'mebibytesPerSecond', 'more'),
    ...against('seconds until the last has all', 'seconds', 'less'),
    ...sizes.map((size) => ({
      what: `queries to PostgreSQL, ${size} clients`,
      ours: fieldOf(bySize[size], 'queries'),
      ...{ other: '10 clients', theirs: fieldOf(bySize[10], 'queries'), better: 'less', targetRatio: 1 },
    })),
  ];
}
