/**
 * Subscribers that come back wherever they were cut off, as real clients do: some with the header `Last-Event-ID`, some with a query
 * parameter; some take their cursor from every id as browsers do, some only from events with data as npm's `eventsource` does.
 */
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { startCutProxy } from './cut-proxy.mjs';
import { EventStreamParser } from './event-stream-parser.mjs';
import { createRandom } from './random.mjs';

/** Pings come every 8 s; a line that is silent for longer is dead. */
const silenceLimitMs = 12_000;

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
 * @param {{ count: number, port: number, keys: Record<string, string>, seed: number, history: import('./history.mjs').History }} options
 */
export async function startSubscribers({ count, port, keys, seed, history }) {
  const subscribers = [];
  for (let index = 0; index < count; index += 1) {
    const audience = index % 6 === 5 ? narrowAudience : everything;
    const way = ways[index % ways.length];
    const takesEveryId = index % 2 === 0;
    const name = `subscriber ${index} (${audience.name}, ${way}, cursor from ${takesEveryId ? 'every id' : 'events'})`;
    const record = { name, hears: audience.hears, ids: [], connections: 0, reachedHead: false };
    history.subscribers.push(record);
    const random = createRandom(seed, name);
    const proxy = await startCutProxy(port);
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
  let isStopped = false;
  /** @type {import('node:http').ClientRequest | undefined} */
  let request;

  function take({ id, event, data }) {
    if (id !== undefined && (takesEveryId || data !== null)) cursor = id;
    if (event === 'reset' || event === 'revoked' || event === 'expired')
      history.fault(`${record.name} was told ${event}: ${data}`);
    if (event === 'ping' || event === 'message' || data === null) {
      const last = record.ids.at(-1) ?? 0;
      if (id !== undefined && !isNarrow && Number(id) > last)
        history.fault(`${record.name}: the cursor was moved to ${id} before event ${last + 1} came`);
      return;
    }
    history.receive(record, Number(id), `${event} ${data}`);
  }

  /** A browser's EventSource gives up for ever on any status but 200. */
  async function refused(response) {
    const body = await text(response).catch(() => '');
    history.fault(
      `a stream was answered with ${response.statusCode}, after which a browser never comes back: ${body.slice(0, 300)} (${record.name})`,
    );
  }

  /** One connection, to its end. */
  function connectOnce() {
    return new Promise((resolve) => {
      const isHeader = way === 'Last-Event-ID';
      const path = isHeader ? '/realtime' : `/realtime?${way}=${cursor}`;
      const headers = {
        Accept: 'text/event-stream',
        'x-apikey': key,
        ...(isHeader ? { 'Last-Event-ID': cursor } : {}),
      };
      const parser = new EventStreamParser(take);
      let timer;
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => request?.destroy(), silenceLimitMs);
      };
      const end = () => {
        clearTimeout(timer);
        resolve(undefined);
      };
      watch();
      request = get({ host: '127.0.0.1', port: proxy.port, path, headers, agent: false }, (response) => {
        record.connections += 1;
        if (response.statusCode !== 200) void refused(response);
        response.on('data', (bytes) => {
          watch();
          if (response.statusCode === 200) parser.feed(bytes);
        });
        response.on('error', end).on('close', end);
      });
      request.on('error', end).on('close', end);
    });
  }

  async function run() {
    while (!isStopped) {
      await connectOnce();
      if (!isStopped) await delay(random.integer(10, 400));
    }
  }

  const running = run();
  return {
    record,
    proxy,
    async stop() {
      isStopped = true;
      request?.destroy();
      await running;
      proxy.close();
    },
  };
}
