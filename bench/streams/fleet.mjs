/** Many subscribers of one server, in a few processes. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../kit/processes.mjs';
import { summarizeLatencies } from './latency-record.mjs';

const clientScript = fileURLToPath(new URL('load-client.mjs', import.meta.url));

/** Connections that a process opens at a time. */
const openAtOnceByDefault = 64;

/**
 * @typedef {{
 *   dialect: keyof typeof import('./dialects.mjs').dialects, port: number, path: string, headers?: Record<string, string>, subscribers: number,
 *   processes: number, measureLatency?: boolean, openAtOnce?: number
 * }} FleetOptions
 * @typedef {{ subscribers: number, events: number, firstId: string | undefined, bodyBytes: number, lastReadAt: number, faults: string[] }} FleetReport
 * @typedef {{ milliseconds: number, beganAt: number, endedAt: number }} Opened from the first connection that was begun to the last stream that is open, in ms of the monotonic clock
 */

/**
 * Opens all streams; resolves when each has its answer's head. Rejects when one is refused.
 * @param {FleetOptions} options
 */
export async function startFleet({
  dialect,
  port,
  path,
  headers = {},
  subscribers,
  processes: wanted,
  measureLatency = false,
  openAtOnce = openAtOnceByDefault,
}) {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, Accept: 'text/event-stream', ...headers });
  const head = `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const processes = Math.min(wanted, subscribers);
  const clients = [];
  for (let index = 0; index < processes; index += 1) {
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
    clients.push(await startProcess(`load client ${index}`, process.execPath, [clientScript], { stdio }));
  }
  const stop = () => Promise.all(clients.map((client) => client.stop()));
  const all = (command, optionsOf = (_index) => ({})) =>
    Promise.all(clients.map((client, index) => ask(client, command, optionsOf(index))));
  /** @param {number} more @returns {Promise<Opened>} */
  const open = async (more, options = {}) =>
    span(
      await all('open', (index) => ({
        ...{ dialect, port, head, measureLatency, openAtOnce, ...options },
        count: Math.floor((more + index) / processes),
        // A pair of addresses has no more than about 28,000 ports; each process takes addresses of its own.
        localAddresses: [2 * index + 1, 2 * index + 2].map((last) => `127.0.0.${last}`),
      })),
    );
  let opened;
  try {
    opened = await open(subscribers);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pids: clients.map(({ pid }) => pid),
    opened,
    /** More streams. They may begin at any event; each process must have had one by then. */
    openMore: (more) => open(more, { joinsLate: true }),
    /**
     * Breaks the connections, but of each process the first `kept`, and opens them again: with the last id that each has seen, or without, where each may go on at any event.
     * @param {{ kept: number, hasCursors: boolean }} options @returns {Promise<Opened>}
     */
    reconnect: async (options) => span(await all('reconnect', () => ({ openAtOnce, ...options }))),
    /** Of each process so many streams stop reading, and no longer count in the latencies. */
    pause: (each) => all('pause', () => ({ count: each })),
    /** They read again. */
    resume: () => all('resume'),
    /**
     * Waits for the event of that number at every subscriber, then says whether each has had every event once and in order.
     * `isMoving`: more events come meanwhile, so that the processes may have seen different numbers of them.
     * @param {number} number @param {number} [timeoutMs] @param {{ isMoving?: boolean }} [options] @returns {Promise<FleetReport>}
     */
    async reach(number, timeoutMs = 60_000, { isMoving = false } = {}) {
      let reports = await all('reach', () => ({ number, timeoutMs }));
      // Requests that overlap are committed in any order, so the event of the last number may be followed by others, which have come to one process and not yet to the next.
      for (let waits = 0; waits < 20 && !isMoving && !areSame(reports); waits += 1) {
        await delay(250);
        reports = await all('reach', () => ({ number, timeoutMs }));
      }
      return merge(reports, isMoving);
    },
    /** Latencies since the last call. */
    latencies: async () => summarizeLatencies((await all('latencies')).flat()),
    stop,
  };
}

/** @returns {Opened} */
function span(times) {
  const [beganAt, endedAt] = [Math.min(...times.map(({ began }) => began)), max(times, 'ended')];
  return { milliseconds: endedAt - beganAt, beganAt, endedAt };
}

/** Sends a command to a client process and gives its answer. Rejects when it fails or the process ends. */
export async function ask({ child, ended }, command, options) {
  const answered = new AbortController();
  const died = ended.then((how) => {
    throw new Error(`a load client ended with ${how}`);
  });
  const message = once(child, 'message', { signal: answered.signal });
  child.send({ command, options });
  try {
    const [answer] = await Promise.race([message, died]);
    if ('error' in answer) throw new Error(`a load client failed: ${answer.error}`);
    return answer.value;
  } finally {
    message.catch(() => undefined);
    died.catch(() => undefined);
    answered.abort();
  }
}

function areSame(reports) {
  return reports.every(
    ({ digest, firstId, lastId }) =>
      digest === reports[0].digest && firstId === reports[0].firstId && lastId === reports[0].lastId,
  );
}

function merge(reports, isMoving) {
  const faults = [...new Set(reports.flatMap((report) => report.faults))];
  if (!areSame(reports) && !isMoving && faults.length === 0)
    faults.push('the subscribers of different processes got different events');
  return {
    subscribers: sum(reports, 'subscribers'),
    events: reports[0].events,
    firstId: reports[0].firstId,
    bodyBytes: sum(reports, 'bodyBytes'),
    lastReadAt: max(reports, 'lastReadAt'),
    faults,
  };
}

const sum = (parts, field) => parts.reduce((total, part) => total + part[field], 0);
const max = (parts, field) => Math.max(...parts.map((part) => part[field]));
