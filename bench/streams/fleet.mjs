/** Many subscribers of one server, in a few processes. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startProcess } from '../kit/processes.mjs';
import { summarizeLatencies } from './latency-record.mjs';

const clientScript = fileURLToPath(new URL('load-client.mjs', import.meta.url));

/**
 * @typedef {{ dialect: 'tidewire' | 'nchan', port: number, path: string, headers?: Record<string, string>, subscribers: number, processes: number, measureLatency?: boolean }} FleetOptions
 * @typedef {{ subscribers: number, events: number, lastReadAt: number, faults: string[] }} FleetReport
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
  processes,
  measureLatency = false,
}) {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, Accept: 'text/event-stream', ...headers });
  const head = `GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  const clients = [];
  for (let index = 0; index < processes; index += 1) {
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
    clients.push(await startProcess(`load client ${index}`, process.execPath, [clientScript], { stdio }));
  }
  const stop = () => Promise.all(clients.map((client) => client.stop()));
  const all = (command, optionsOf = (_index) => ({})) =>
    Promise.all(clients.map((client, index) => ask(client, command, optionsOf(index))));
  try {
    await all('open', (index) => ({
      dialect,
      port,
      head,
      measureLatency,
      count: Math.floor((subscribers + index) / processes),
      // A pair of addresses has no more than about 28,000 ports; each process takes addresses of its own.
      localAddresses: [2 * index + 1, 2 * index + 2].map((last) => `127.0.0.${last}`),
    }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pids: clients.map(({ pid }) => pid),
    /**
     * Waits for the event of that number at every subscriber, then says whether each has had every event once and in order.
     * @param {number} number @param {number} [timeoutMs] @returns {Promise<FleetReport>}
     */
    reach: async (number, timeoutMs = 60_000) => merge(await all('reach', () => ({ number, timeoutMs }))),
    /** Latencies since the last call. */
    latencies: async () => summarizeLatencies((await all('latencies')).flat()),
    stop,
  };
}

async function ask({ child, ended }, command, options) {
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

function merge(reports) {
  const faults = [...new Set(reports.flatMap((report) => report.faults))];
  const isSame = reports.every(
    ({ digest, firstId, lastId }) =>
      digest === reports[0].digest && firstId === reports[0].firstId && lastId === reports[0].lastId,
  );
  if (!isSame && faults.length === 0) faults.push('the subscribers of different processes got different events');
  return {
    subscribers: sum(reports, 'subscribers'),
    events: reports[0].events,
    lastReadAt: max(reports, 'lastReadAt'),
    faults,
  };
}

const sum = (parts, field) => parts.reduce((total, part) => total + part[field], 0);
const max = (parts, field) => Math.max(...parts.map((part) => part[field]));
