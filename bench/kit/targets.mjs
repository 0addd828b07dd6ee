/**
 * The servers of the streaming cases behind one face: where to subscribe, where to publish, whose CPU and memory count.
 *
 * `label` is how the report names it; `connections` how many its publisher has at saturation: as many as it does best with, for a server that
 * delivers before it takes the next message a few. `resumes`: a subscriber that comes back says with `Last-Event-ID` what it has.
 *
 * @typedef {{
 *   dialect: keyof typeof import('../streams/dialects.mjs').dialects, name: string, label: string, port: number, subscribePath: string,
 *   subscribeHeaders: Record<string, string>, publishUrl: string, publishHeaders: Record<string, string>, connections: number, resumes: boolean,
 *   streamPids: () => number[], allPids: () => number[], stop: () => Promise<void>
 * }} Target
 */
import { startNchan } from '../peers/nchan.mjs';
import { bodyOf } from './load.mjs';
import { startEpollSockets, startNetSockets, startPackagePeer } from './peers.mjs';
import { processTree } from './proc.mjs';
import { makeFolder } from './product.mjs';
import { findNchan } from './tools.mjs';

const json = { 'Content-Type': 'application/json' };

/**
 * @param {import('../run.mjs').Context['product']} product
 * @param {Record<string, string>} [env]
 * @returns {Promise<Target>}
 */
export async function tidewireTarget(product, env) {
  const tidewire = await product(env);
  const keyHeader = { 'x-apikey': tidewire.key };
  return {
    dialect: 'tidewire',
    name: 'Tidewire',
    label: 'Tidewire',
    connections: 64,
    resumes: true,
    port: tidewire.port,
    subscribePath: '/realtime',
    subscribeHeaders: keyHeader,
    publishUrl: `${tidewire.url}/realtime`,
    publishHeaders: { ...json, ...keyHeader },
    streamPids: () => [tidewire.pid],
    // With PostgreSQL, which is a child of the server.
    allPids: () => processTree(tidewire.pid),
    stop: async () => {
      await tidewire.stop();
    },
  };
}

/** @returns {Promise<Target | { missing: string }>} */
export async function nchanTarget() {
  const programs = findNchan();
  if ('missing' in programs) return programs;
  const nginx = await startNchan(programs);
  return {
    dialect: 'nchan',
    name: 'Nchan',
    label: 'Nchan, 1 worker',
    connections: 16,
    resumes: true,
    port: nginx.port,
    subscribePath: '/sub',
    subscribeHeaders: {},
    publishUrl: `http://127.0.0.1:${nginx.port}/pub`,
    publishHeaders: json,
    streamPids: nginx.workers,
    allPids: nginx.workers,
    stop: nginx.stop,
  };
}

/** What is the same of all that are ours to write. */
function ownTarget(peer, more) {
  if ('missing' in peer) return peer;
  return {
    dialect: /** @type {const} */ ('tidewire'),
    port: peer.port,
    subscribePath: '/realtime',
    subscribeHeaders: {},
    publishUrl: `http://127.0.0.1:${peer.port}/realtime`,
    publishHeaders: json,
    connections: 16,
    resumes: false,
    streamPids: () => [peer.pid],
    allPids: () => [peer.pid],
    stop: async () => {
      await peer.stop();
    },
    ...more,
  };
}

/** What Node can do at all when it only writes to sockets. @returns {Promise<Target>} */
export const plainTarget = async () =>
  ownTarget(await startNetSockets(), { name: 'plain sockets', label: 'limit: socket.write in Node' });

/** What the machine can do at all, one write() for each subscriber. @returns {Promise<Target | { missing: string }>} */
export const epollTarget = async () =>
  ownTarget(await startEpollSockets(), { name: 'epoll', label: 'limit: write() in C' });

/** @returns {Promise<Target | { missing: string }>} */
export const betterSseTarget = async () =>
  ownTarget(await startPackagePeer({ name: 'better-sse', package: 'better-sse' }), {
    name: 'better-sse',
    label: 'better-sse',
  });

const webSocketHeaders = {
  Connection: 'Upgrade',
  Upgrade: 'websocket',
  'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Version': '13',
};

/** @returns {Promise<Target | { missing: string }>} */
export const wsTarget = async () =>
  ownTarget(await startPackagePeer({ name: 'ws', package: 'ws' }), {
    ...{ name: 'ws', label: 'ws (WebSocket)' },
    dialect: 'websocket',
    subscribeHeaders: webSocketHeaders,
  });

/** @returns {Promise<Target | { missing: string }>} */
export const bunTarget = async () =>
  ownTarget(await startPackagePeer({ name: 'bun', package: 'bun' }), {
    ...{ name: 'Bun', label: 'Bun (its WebSockets, C++)' },
    dialect: 'websocket',
    subscribeHeaders: webSocketHeaders,
  });

/** @returns {Promise<Target | { missing: string }>} */
export const socketIoTarget = async () =>
  ownTarget(await startPackagePeer({ name: 'socket-io', package: 'socket.io' }), {
    ...{ name: 'Socket.IO', label: 'Socket.IO (WebSocket)' },
    dialect: 'socketIo',
    subscribePath: '/socket.io/?EIO=4&transport=websocket',
    subscribeHeaders: webSocketHeaders,
  });

/** With its files: the peer that stores what it delivers. @returns {Promise<Target | { missing: string }>} */
export async function durableStreamsTarget() {
  const folder = makeFolder('durable-streams');
  const options = { name: 'durable-streams', package: '@durable-streams/server', argument: folder.path };
  const peer = await startPackagePeer(options);
  if ('missing' in peer) {
    folder.remove();
    return peer;
  }
  return ownTarget(peer, {
    ...{ name: 'Durable Streams', label: 'Durable Streams, Node, files' },
    dialect: 'durableStreams',
    subscribePath: '/bench?offset=now&live=sse',
    publishUrl: `http://127.0.0.1:${peer.port}/bench`,
    async stop() {
      await peer.stop();
      folder.remove();
    },
  });
}

/** Parse Server with LiveQuery, on a PostgreSQL like Tidewire's: POST of an object, heard by a subscription to its class. @returns {Promise<Target | { missing: string }>} */
export async function parseServerTarget() {
  const folder = makeFolder('parse-server');
  const options = { name: 'parse-server', package: 'parse-server', argument: folder.path };
  const peer = await startPackagePeer(options);
  if ('missing' in peer) {
    folder.remove();
    return peer;
  }
  return ownTarget(peer, {
    ...{ name: 'Parse Server', label: 'Parse Server, LiveQuery' },
    dialect: 'parseServer',
    subscribePath: '/',
    subscribeHeaders: webSocketHeaders,
    publishUrl: `http://127.0.0.1:${peer.port}/parse/classes/Bench`,
    publishHeaders: { ...json, 'X-Parse-Application-Id': 'bench', 'X-Parse-REST-API-Key': 'bench' },
    async stop() {
      await peer.stop();
      folder.remove();
    },
  });
}

/** The message of all of them: 256 bytes that Tidewire's stream shows as they were sent. */
export const message = messageOf(256);

/** The message in another length. @param {number} bytes */
export function messageOf(bytes) {
  const before = '{"event":"bench","data":{"n":"';
  const behind = (padding) => `","text":"${padding}"}}`;
  const padding = 'x'.repeat(bytes - bodyOf({ before, behind: behind('') }, 0).length);
  return { before, behind: behind(padding) };
}

/** The message with the time at which it is due, in microseconds of the monotonic clock, in the same length. */
export function stamped({ before, behind }, number, due) {
  const stamp = `","t":${Math.round(due)},"text":"`;
  const padded = behind.replace('","text":"', stamp).replace('x'.repeat(stamp.length - 10), '');
  return bodyOf({ before, behind: padded }, number);
}

/** Publishes one message. @param {Target} target @param {string} body */
export async function publish(target, body) {
  const response = await fetch(target.publishUrl, { method: 'POST', headers: target.publishHeaders, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${target.name} answered the publishing with ${response.status}: ${text}`);
}
