/** Many streams that come back by themselves, in a few processes. */
import { fileURLToPath } from 'node:url';
import { startProcess } from '../kit/processes.mjs';
import { ask } from '../streams/fleet.mjs';

const clientScript = fileURLToPath(new URL('returning-client.mjs', import.meta.url));

/**
 * @typedef {{ streams: number, events: number, returns: [number, number, number][], faults: string[] }} ReturningReport `returns`: when a stream was lost, when it first asked again, and when it was open
 *   again, in ms of the machine's monotonic clock
 */

/**
 * Opens all streams at the first port; resolves when each is open. After a loss they go from one port to the next.
 * @param {{ ports: number[], key: string, streams: number, processes: number, firstAddress?: number }} options `firstAddress`: the last number of the first 127.0.0.x that is
 *   used; a pair of addresses has no more than some 28,000 ports, so each process takes four of its own
 */
export async function startReturningFleet({ ports, key, streams, processes, firstAddress = 101 }) {
  const clients = [];
  for (let index = 0; index < processes; index += 1) {
    const stdio = ['ignore', 'inherit', 'inherit', 'ipc'];
    clients.push(await startProcess(`returning client ${index}`, process.execPath, [clientScript], { stdio }));
  }
  const all = (command, optionsOf = (_index) => ({})) =>
    Promise.all(clients.map((client, index) => ask(client, command, optionsOf(index))));
  const stop = () => Promise.all(clients.map((client) => client.stop()));
  try {
    await all('open', (index) => ({
      ...{ ports, path: '/realtime', headers: { 'x-apikey': key } },
      count: Math.floor((streams + index) / processes),
      localAddresses: [0, 1, 2, 3].map((step) => `127.0.0.${firstAddress + 4 * index + step}`),
    }));
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    /** Lets the streams stop reading, each for random times. @param {{ seed: number, stallMs: [number, number], readMs: [number, number] }} options */
    stall: ({ seed, ...times }) => all('stall', (index) => ({ seed: seed + index, ...times })),
    readOn: () => all('readOn'),
    countOpen: async () => (await all('countOpen')).reduce((total, count) => total + count, 0),
    /** Waits for that event at every stream. @param {number} id @param {number} timeoutMs @returns {Promise<ReturningReport>} */
    reach: async (id, timeoutMs) => merge(await all('reach', () => ({ id, timeoutMs }))),
    stop,
  };
}

function merge(reports) {
  const sum = (field) => reports.reduce((total, report) => total + report[field], 0);
  return {
    streams: sum('streams'),
    events: sum('events'),
    returns: reports.flatMap(({ returns }) => returns),
    faults: [...new Set(reports.flatMap(({ faults }) => faults))],
  };
}
