/**
 * The chaos run: writers and subscribers at work while lines are cut and processes are killed; then everything is held against the log.
 *
 * What `kill -9` does not test is the loss of pages that were written but not synced: the system's cache outlives the process. For that
 * we rely on PostgreSQL, whose settings Tidewire checks when it starts.
 */

import { waitFor } from '../kit/processes.mjs';
import { createKey, freePort, makeFolder } from '../kit/product.mjs';
import { checkHistory } from './checker.mjs';
import { History } from './history.mjs';
import { breakLines, killProcesses } from './nemeses.mjs';
import { findPlantedFaults } from './planted-faults.mjs';
import { createRandom } from './random.mjs';
import { startServer } from './server.mjs';
import { startSubscribers } from './subscribers.mjs';
import { readTruth } from './truth.mjs';
import { sendRequest, startWriters } from './writers.mjs';

/**
 * @typedef {{ seed: number, cuts: number, kills: number, postgresKills: number, writers: number, subscribers: number, pauseMs: number, command?: string, say: (line: string) => void }} ChaosOptions
 * @typedef {{ verdicts: import('./checker.mjs').Verdict[], summary: Record<string, unknown>, history: History, truth: import('./truth.mjs').Truth | null }} ChaosResult
 */

const reachHeadMs = 30_000;
const grants = {
  all: ['--rest', '*:*', '--listen', '*:*', '--publish', '*'],
  reader: ['--rest', 'GET:*'],
  narrow: ['--listen', 'POST:alpha', '--listen', 'PUBLISH:TICK'],
};

/** @param {ChaosOptions} options @returns {Promise<ChaosResult>} */
export async function runChaos(options) {
  const folder = makeFolder('chaos');
  const port = await freePort();
  const server = await startServer({ command: options.command, dataDir: folder.path, port });
  /** Ways to end what was begun, in the order of the beginnings. */
  const ends = [];
  try {
    return await run({ ...options, dataDir: folder.path, port, server, ends });
  } catch (error) {
    options.say(`The last that the server said:\n${server.output()}`);
    throw error;
  } finally {
    for (const end of ends.reverse()) await end();
    await server.destroy();
    folder.remove();
  }
}

async function run({ seed, cuts, kills, postgresKills, dataDir, port, server, ends, say, ...options }) {
  const history = new History();
  const began = performance.now();
  const keys = await makeKeys(dataDir, options.command);
  const shared = await createShared({ port, keys, history });
  const subscribers = await startSubscribers({ count: options.subscribers, port, keys, seed, history });
  ends.push(() => Promise.all(subscribers.map((subscriber) => subscriber.stop())));
  const writers = startWriters({ count: options.writers, port, keys, seed, pauseMs: options.pauseMs, shared, history });
  ends.push(writers.stop);

  const canWrite = async () => (await publishMarker({ port, keys, history, marker: nextProbe() })) !== null;
  const [lines, recovery] = await Promise.all([
    breakLines({ cuts, subscribers, seed }),
    killProcesses({ kills, postgresKills, server, history, canWrite, seed, say }),
  ]);
  await writers.stop();

  const last = await waitFor('the last event is written', () =>
    publishMarker({ port, keys, history, marker: nextProbe() }),
  );
  say(`calm: ${history.operations.length} operations, ${last} events; waiting for the subscribers`);
  const isThere = ({ record }) => record.ids.at(-1) === last;
  await waitFor('all are there', () => subscribers.every(isThere), { timeoutMs: reachHeadMs }).catch(() => undefined);
  for (const subscriber of subscribers) subscriber.record.reachedHead = isThere(subscriber);

  const truth = await readTruth(dataDir);
  await Promise.all(subscribers.map((subscriber) => subscriber.stop()));
  const how = await server.stop();
  if (how !== 'code 0') history.fault(`the server ended with ${how} when it was asked to`);
  if (server.postmasterPid() !== null) history.fault('PostgreSQL still runs after the server has ended');

  const verdicts = checkHistory(history, truth);
  if (verdicts.every(({ found }) => found.length === 0)) verdicts.push(checkChecker(history, truth, seed));
  const summary = {
    seconds: Math.round((performance.now() - began) / 1000),
    lines,
    kills,
    adopted: server.adopted,
    postgresKills,
    ...recovery,
    ...countsOf(history, truth),
  };
  return { verdicts, summary, history, truth };
}

async function makeKeys(dataDir, command) {
  const keys = {};
  for (const [name, list] of Object.entries(grants))
    keys[name] = await createKey({ command, dataDir, name, grants: list });
  return keys;
}

let probes = 0;

function nextProbe() {
  probes += 1;
  return `probe-${probes}`;
}

/** Publishes an event that every subscriber may hear; its id, or null when that did not succeed. */
async function publishMarker({ port, keys, history, marker }) {
  const { status, text, eventId } = await sendRequest({
    port,
    key: keys.all,
    method: 'POST',
    path: '/realtime',
    body: { event: 'TICK', data: { marker } },
  });
  const outcome =
    status === 200 ? 'acknowledged' : status === 503 && text.includes('"unavailable"') ? 'refused' : 'unknown';
  history.operations.push({ kind: 'publish', markers: [marker], ids: [], outcome, status, eventId });
  return outcome === 'acknowledged' ? eventId : null;
}

/** Documents that all writers change. */
async function createShared({ port, keys, history }) {
  const markers = Array.from({ length: 8 }, (_, index) => `shared-${index}`);
  const { status, text, eventId } = await sendRequest({
    port,
    key: keys.all,
    method: 'POST',
    path: '/rest/shared',
    body: markers.map((marker) => ({ marker })),
  });
  if (status !== 201) throw new Error(`POST /rest/shared answered ${status}: ${text}`);
  history.operations.push({ kind: 'createMany', markers, ids: [], outcome: 'acknowledged', status, eventId });
  return JSON.parse(text).map(({ _id }) => _id);
}

function checkChecker(history, truth, seed) {
  const { planted, unseen } = findPlantedFaults(history, truth, createRandom(seed, 'planted faults'));
  return {
    name: 'the checker sees each fault that is planted into this history',
    examined: planted,
    found: unseen.map((fault) => `not seen: ${fault}`),
  };
}

function countsOf({ operations, subscribers }, { head }) {
  const outcomes = {};
  for (const { outcome } of operations) outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  const connections = subscribers.reduce((total, subscriber) => total + subscriber.connections, 0);
  const deliveries = subscribers.reduce((total, { ids }) => total + ids.length, 0);
  return { events: head, operations: outcomes, subscribers: subscribers.length, connections, deliveries };
}
