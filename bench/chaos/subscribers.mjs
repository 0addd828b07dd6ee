/**
 * Subscribers that come back wherever they were cut off, as real clients do: some with the header `Last-Event-ID`, some with a query
 * parameter; some take their cursor from every id as browsers do, some only from events with data as npm's `eventsource` does. Each goes
 * to any node, whether that is up or not, as behind a load balancer that does not look.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startCutProxy } from './cut-proxy.mjs';
import { createRandom } from './random.mjs';
import { openStream } from './stream-connection.mjs';

const everything = { name: 'everything', key: 'all', hears: () => true };
/** Streams of a key that may hear only a part; what it may hear is said here once more, independently of the server. */
export const narrowAudience = {
  name: 'posts of alpha and TICK',
  key: 'narrow',
  hears: ({ type, collection, name }) =>
    (type === 'post' && collection === 'alpha') || (type === 'publish' && name === 'TICK'),
};

const ways = ['Last-Event-ID', 'lastEventId', 'Last-Event-ID', 'last_event_id', 'since'];

/** @typedef {Awaited<ReturnType<typeof startSubscribers>>} Subscribers */

/**
 * @param {{ count: number, topology: import('./topology.mjs').Topology, keys: Record<string, string>, seed: number, history: import('./history.mjs').History }} options
 */
export async function startSubscribers({ count, topology, keys, seed, history }) {
  const subscribers = [];
  for (let index = 0; index < count; index += 1) {
    const audience = index % 6 === 5 ? narrowAudience : everything;
    const way = ways[index % ways.length];
    const takesEveryId = index % 2 === 0;
    const name = `subscriber ${index} (${audience.name}, ${way}, cursor from ${takesEveryId ? 'every id' : 'events'})`;
    const record = { name, hears: audience.hears, runs: [], connections: 0, reachedHead: false, behindMs: 0 };
    history.subscribers.push(record);
    const random = createRandom(seed, name);
    const chooser = createRandom(seed, `${name}'s line`);
    const proxy = await startCutProxy({ chooseTarget: () => chooser.pick(topology.realtimes), random: chooser });
    subscribers.push(
      startSubscriber({
        record,
        way,
        takesEveryId,
        key: keys[audience.key],
        proxy,
        random,
        history,
        isNarrow: audience !== everything,
      }),
    );
  }
  return subscribers;
}

function startSubscriber({ record, way, takesEveryId, key, proxy, random, history, isNarrow }) {
  let cursor = '0';
  let considered = 0;
  let isStopped = false;
  /** @type {ReturnType<typeof openStream> | undefined} */
  let stream;

  function take({ id, event, data }) {
    if (id !== undefined) {
      considered = Number(id);
      if (takesEveryId || data !== null) cursor = id;
    }
    if (event === 'reset' || event === 'revoked' || event === 'expired')
      history.fault(`${record.name} was told ${event}: ${data}`);
    if (event === 'ping' || event === 'message' || data === null) {
      const last = record.runs.at(-1) ?? 0;
      if (id !== undefined && !isNarrow && Number(id) > last)
        history.fault(`${record.name}: the cursor was moved to ${id} before event ${last + 1} came`);
      return;
    }
    history.receive(record, Number(id), event, data);
  }

  async function run() {
    const isHeader = way === 'Last-Event-ID';
    while (!isStopped) {
      stream = openStream({
        port: proxy.port,
        path: isHeader ? '/realtime' : `/realtime?${way}=${cursor}`,
        headers: { 'x-apikey': key, ...(isHeader ? { 'Last-Event-ID': cursor } : {}) },
        onBlock: take,
        onRefused: (text) => history.fault(`${text} (${record.name})`),
        onOpen: () => {
          record.connections += 1;
        },
      });
      await stream.ended;
      if (!isStopped) await delay(random.integer(10, 400));
    }
  }

  const running = run();
  return {
    record,
    proxy,
    /** The last event that its stream has considered, whether it may hear it or not. */
    get considered() {
      return considered;
    },
    async stop() {
      isStopped = true;
      stream?.destroy();
      await running;
      proxy.close();
    },
  };
}
