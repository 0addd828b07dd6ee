/**
 * The chaos run: writers and subscribers at work while lines are broken and processes are killed, stopped and emptied; then everything is held
 * against the log.
 *
 * What `kill -9` does not test is the loss of pages that were written but not synced: the system's cache outlives the process. For that
 * we rely on PostgreSQL, whose settings Tidewire checks when it starts.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createSqlPool } from '@tidewire/db/sql-pool';
import { waitFor } from '../kit/processes.mjs';
import { createKey, makeFolder } from '../kit/product.mjs';
import { checkHistory } from './checker.mjs';
import { History } from './history.mjs';
import { fingerprintOfResult } from './live-query-model.mjs';
import { startMonitor } from './monitor.mjs';
import { breakLines, endPostgres, killNodes, stopNodes, terminateBackends, troubleRedis } from './nemeses.mjs';
import { findPlantedFaults } from './planted-faults.mjs';
import { startQuerySubscribers } from './query-subscribers.mjs';
import { createRandom } from './random.mjs';
import { startSubscribers } from './subscribers.mjs';
import { startTopology } from './topology.mjs';
import { readHead, readTruth } from './truth.mjs';
import { sendRequest, startWriters } from './writers.mjs';

/**
 * @typedef {{ cuts: number, kills: number, postgresKills: number, terminates: number, redis: number, stops: number }} Deeds
 * @typedef {{ seed: number, isAlone: boolean, nodesOfEach: number, isShort: boolean, patience: number, deeds: Deeds, seconds: number, atMostSeconds: number, writers: number, subscribers: number, querySubscribers: number, pauseMs: number, command?: string, say: (line: string) => void }} ChaosOptions
 *   `seconds`: over which the deeds are spread; `atMostSeconds`: when the machine is too slow for that, what is left of them is not done
 * @typedef {{ verdicts: import('./checker.mjs').Verdict[], summary: Record<string, unknown>, history: History, truth: import('./truth.mjs').Truth | null }} ChaosResult
 */

const reachHeadMs = 45_000;
/** Connections to PostgreSQL of one process: its pools (client.ts). */
const connectionsOfNode = 16;
const grants = {
  all: ['--rest', '*:*', '--listen', '*:*', '--publish', '*'],
  reader: ['--rest', 'GET:*'],
  narrow: ['--listen', 'POST:alpha', '--listen', 'PUBLISH:TICK'],
};

/** Ends what the run that is under way has started, and removes its files. */
export let abandonRun = async () => {};

/** @param {ChaosOptions} options @returns {Promise<ChaosResult>} */
export async function runChaos(options) {
  const folder = makeFolder('chaos');
  const history = new History();
  history.patience = options.patience;
  /** Ways to end what was begun, in the order of the beginnings. */
  const ends = [];
  /** @type {import('./topology.mjs').Topology | undefined} */
  let topology;
  abandonRun = async () => {
    await topology?.destroy();
    folder.remove();
  };
  try {
    const onOwnEnd = (node, how) => {
      history.ownEnds.push({ name: node.name, how, said: node.output() });
      options.say(`${node.name} ended by itself with ${how}. The last that it said:\n${node.output().slice(-2_000)}`);
      // As whoever supervises it does.
      void delay(500)
        .then(() => node.spawn())
        .then(() => node.becomeReady())
        .catch(() => undefined);
    };
    topology = await startTopology({
      isAlone: options.isAlone,
      nodesOfEach: options.nodesOfEach,
      folder: folder.path,
      command: options.command,
      onOwnEnd,
    });
    return await run({ ...options, folder: folder.path, topology, history, ends });
  } catch (error) {
    for (const node of topology?.nodes ?? [])
      options.say(`The last that ${node.name} said:\n${node.output().slice(-3_000)}`);
    for (const fault of history.faults.slice(0, 20)) options.say(`fault: ${fault}`);
    throw error;
  } finally {
    for (const end of ends.reverse()) await end();
    await abandonRun();
  }
}

async function run({ seed, deeds, seconds, folder, topology, history, ends, say, isShort, ...options }) {
  const began = performance.now();
  const keys = await makeKeys(topology, options.command);
  const publish = (node) => publishMarker({ node, keys, history });
  for (const node of topology.realtimes) await waitFor('a first event', () => publish(node));
  const shared = await createShared({ topology, keys, history });
  const start = await measure(topology);

  const common = { topology, keys, seed, history };
  const subscribers = await startSubscribers({ ...common, count: options.subscribers });
  ends.push(() => Promise.all(subscribers.map((subscriber) => subscriber.stop())));
  const querySubscribers = await startQuerySubscribers({ ...common, count: options.querySubscribers });
  ends.push(() => Promise.all(querySubscribers.map((subscriber) => subscriber.stop())));
  const writers = await startWriters({ ...common, count: options.writers, pauseMs: options.pauseMs, shared });
  ends.push(writers.stop);
  const progress = {};
  const outage = { isPostgresAway: false };
  const monitor = startMonitor({ history, subscribers, topology, progress, outage, say });
  ends.push(() => void monitor.stop());

  const until = performance.now() + options.atMostSeconds * 1000;
  const scene = { topology, history, seed, progress, outage, isOver: () => performance.now() > until };
  const tries = new Set();
  /** On all nodes that serve; whoever has not answered after a second is not waited for, but what becomes of it is noted. */
  const tryToWrite = () => {
    const those = topology.realtimes.filter((node) => node.isServing).map((node) => publish(node));
    for (const one of those) tries.add(one);
    const first = Promise.any(those.map((one) => one.then((id) => id ?? Promise.reject(new Error('not yet')))));
    return Promise.race([first.catch(() => null), delay(1_000, null)]);
  };
  const every = (times) => ({ times, everyMs: times === 0 ? 0 : (seconds * 1000) / times });
  const lines = [...subscribers, ...querySubscribers].map(({ proxy }) => proxy);
  await Promise.all([
    breakLines(scene, { ...every(deeds.cuts), proxies: [...lines, ...writers.proxies] }),
    killNodes(scene, every(deeds.kills)),
    endPostgres(scene, { ...every(deeds.postgresKills), tryToWrite, subscribers }),
    terminateBackends(scene, every(deeds.terminates)),
    troubleRedis(scene, { ...every(deeds.redis), longestMs: isShort ? 2_000 : 30_000, folder }),
    stopNodes(scene, { ...every(deeds.stops), longestMs: isShort ? 3_000 : 60_000 }),
  ]);
  await Promise.all(topology.nodes.map((node) => node.isUp || node.becomeReady()));
  await writers.stop();
  await Promise.all(tries);

  const address = await topology.address();
  const head = await settle({ topology, publish, address });
  say(`calm: ${history.operations.length} operations, ${head} events; waiting for the subscribers`);
  for (const one of querySubscribers) one.last();
  const isThere = ({ considered }) => considered >= head;
  await waitFor('all are there', () => subscribers.every(isThere), { timeoutMs: reachHeadMs }).catch(() => undefined);
  for (const subscriber of subscribers) subscriber.record.reachedHead = isThere(subscriber);
  const behindMs = monitor.stop();

  const truth = await readTruth(address);
  await finishQueries(querySubscribers, truth);
  await Promise.all([...subscribers, ...querySubscribers].map((subscriber) => subscriber.stop()));
  history.starts = topology.nodes.reduce((sum, node) => sum + node.starts, 0);
  noteResources(history, start, await settled(topology, start, isShort));

  await endNodes(topology, history);
  const verdicts = checkHistory(history, truth);
  if (verdicts.every(({ found }) => found.length === 0)) verdicts.push(checkChecker(history, truth, seed));
  const summary = {
    seconds: Math.round((performance.now() - began) / 1000),
    done: progress,
    ...countsOf(history, truth),
    subscribersBehindMs: behindMs,
    ...recoveryOf(history),
    longestWithoutWriteMs: Math.round(history.longestWithoutWriteMs),
    resources: history.resources.map(({ name, start: before, end }) => ({
      name,
      descriptors: `${before.descriptors} → ${end.descriptors}`,
      residentMiB: `${before.residentBytes >> 20} → ${end.residentBytes >> 20}`,
    })),
    postgresConnections: history.postgresConnections,
  };
  return { verdicts, summary, history, truth };
}

async function makeKeys(topology, command) {
  const made = Object.entries(grants).map(async ([name, list]) => {
    return [name, await createKey({ command, ...topology.forCommands, name, grants: list })];
  });
  return Object.fromEntries(await Promise.all(made));
}

let probes = 0;

/** Publishes an event that every subscriber may hear; its id, or null when that did not succeed. */
async function publishMarker({ node, keys, history }) {
  probes += 1;
  const marker = `probe-${probes}`;
  const { status, text, eventId } = await sendRequest({
    port: node.port,
    key: keys.all,
    method: 'POST',
    path: '/realtime',
    body: { event: 'TICK', data: { marker } },
  });
  const outcome =
    status === 200 ? 'acknowledged' : status === 503 && text.includes('"unavailable"') ? 'refused' : 'unknown';
  if (status >= 500 && status !== 503) history.fault(`a publish was answered with ${status}: ${text.slice(0, 200)}`);
  history.note({ kind: 'publish', markers: [marker], ids: [], outcome, status, eventId });
  return outcome === 'acknowledged' ? eventId : null;
}

/** Documents that all writers change. */
async function createShared({ topology, keys, history }) {
  const markers = Array.from({ length: 8 }, (_, index) => `shared-${index}`);
  const { status, text, eventId } = await sendRequest({
    port: topology.apis[0].port,
    key: keys.all,
    method: 'POST',
    path: '/rest/shared',
    body: markers.map((marker) => ({ marker })),
  });
  if (status !== 201) throw new Error(`POST /rest/shared answered ${status}: ${text}`);
  history.note({ kind: 'createMany', markers, ids: [], outcome: 'acknowledged', status, eventId });
  return JSON.parse(text).map(({ _id }) => _id);
}

/** A last event of each node; then waits until nothing is written any more, as by a node that has just woken. */
async function settle({ topology, publish, address }) {
  for (const node of topology.realtimes)
    await waitFor('the last event is written', () => publish(node), { timeoutMs: 60_000 });
  let head = await readHead(address);
  for (let calmMs = 0; calmMs < 1_500; calmMs += 250) {
    await delay(250);
    const now = await readHead(address);
    if (now !== head) calmMs = 0;
    head = now;
  }
  return head;
}

/** Waits until each stream shows what its query gives in the end, and notes what it does show. */
async function finishQueries(querySubscribers, { events, head }) {
  const rows = new Map();
  for (const { type, collection, documentId, row } of events) {
    if (type === 'publish') continue;
    const known = rows.get(collection) ?? new Map();
    rows.set(collection, known);
    if (row === null) known.delete(documentId);
    else known.set(documentId, row);
  }
  const isRight = (one) =>
    one.fingerprint() === fingerprintOfResult(one.query, rows.get(one.query.collection)?.values() ?? []);
  await waitFor('queries are right', () => querySubscribers.every(isRight), {
    timeoutMs: reachHeadMs,
    intervalMs: 250,
  }).catch(() => undefined);
  for (const one of querySubscribers) one.noteFinal(head);
}

/** What the nodes hold, and how many connections to PostgreSQL there are. */
async function measure(topology) {
  const pool = createSqlPool(await topology.address(), { max: 1, onError: () => undefined });
  try {
    const { rows } = await pool.query(
      `SELECT count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`,
    );
    return { connections: rows[0].n, nodes: topology.nodes.map((node) => ({ name: node.name, ...node.resources() })) };
  } finally {
    await pool.end();
  }
}

/** After a while without load; pools close their idle connections after 30 s, for which the short form does not wait. */
async function settled(topology, start, isShort) {
  let now = await measure(topology);
  const isBack = () =>
    now.connections <= start.connections * 1.1 &&
    now.nodes.every(({ descriptors }, index) => descriptors <= start.nodes[index].descriptors * 1.1);
  for (let second = 0; second < (isShort ? 3 : 45) && !isBack(); second += 1) {
    await delay(1_000);
    now = await measure(topology);
  }
  return now;
}

function noteResources(history, start, end) {
  history.resources = start.nodes.map((node, index) => ({ name: node.name, start: node, end: end.nodes[index] }));
  history.postgresConnections = {
    start: start.connections,
    end: end.connections,
    most: start.nodes.length * connectionsOfNode,
  };
}

async function endNodes(topology, history) {
  const hows = await Promise.all(topology.nodes.map((node) => node.end()));
  for (const [index, how] of hows.entries())
    if (how !== 'code 0') history.fault(`${topology.nodes[index].name} ended with ${how} when it was asked to`);
  if (topology.leftPostmaster() !== null) history.fault('PostgreSQL still runs after the server has ended');
}

function checkChecker(history, truth, seed) {
  const { planted, unseen } = findPlantedFaults(history, truth, createRandom(seed, 'planted faults'));
  return {
    name: 'the checker sees each fault that is planted into this history',
    examined: planted,
    found: unseen.map((fault) => `not seen: ${fault}`),
  };
}

function countsOf({ operations, subscribers, checkpoints, queryStarts, starts }, { head }) {
  const outcomes = {};
  for (const { outcome } of operations) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const connections = subscribers.reduce((total, subscriber) => total + subscriber.connections, 0);
  const deliveries = subscribers.reduce((total, { runs }) => total + lengthOfRuns(runs), 0);
  return {
    ...{ events: head, operations: outcomes, subscribers: subscribers.length, connections, deliveries },
    ...{ queryStarts, queryStatesCompared: checkpoints.length, processStarts: starts },
  };
}

function lengthOfRuns(runs) {
  let length = 0;
  for (let index = 0; index < runs.length; index += 2) length += runs[index + 1] - runs[index] + 1;
  return length;
}

function recoveryOf({ recoveries }) {
  if (recoveries.length === 0) return {};
  const list = (name) =>
    recoveries
      .map((one) => one[name])
      .filter((ms) => ms !== null)
      .sort((a, b) => a - b);
  const figures = (sorted) => ({
    n: sorted.length,
    p50: Math.round(sorted[Math.floor(sorted.length / 2)]),
    p99: Math.round(sorted[Math.ceil(sorted.length * 0.99) - 1]),
    most: Math.round(sorted.at(-1)),
  });
  return {
    postgresDownMs: figures(list('downMs')),
    writesBackMs: figures(list('writesBackMs')),
    streamsBackMs: figures(list('streamsBackMs')),
  };
}
