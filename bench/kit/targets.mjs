/**
 * The two servers of the streaming cases behind one face: where to subscribe, where to publish, whose CPU and memory count.
 *
 * @typedef {{
 *   dialect: 'tidewire' | 'nchan', name: string, port: number, subscribePath: string, subscribeHeaders: Record<string, string>,
 *   publishUrl: string, publishHeaders: Record<string, string>, streamPids: () => number[], allPids: () => number[], stop: () => Promise<void>
 * }} Target
 */
import { startNchan } from '../peers/nchan.mjs';
import { bodyOf } from './load.mjs';
import { startPeer } from './peers.mjs';
import { processTree } from './proc.mjs';
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

/** What Node can do at all when it only writes to sockets. @returns {Promise<Target>} */
export async function plainTarget() {
  const peer = await startPeer('plain-sockets');
  return {
    dialect: 'tidewire',
    name: 'plain sockets',
    port: peer.port,
    subscribePath: '/realtime',
    subscribeHeaders: {},
    publishUrl: `http://127.0.0.1:${peer.port}/realtime`,
    publishHeaders: json,
    streamPids: () => [peer.pid],
    allPids: () => [peer.pid],
    stop: async () => {
      await peer.stop();
    },
  };
}

/** The message of all of them: 256 bytes that Tidewire's stream shows as they were sent. */
export const message = messageOf(256);

function messageOf(bytes) {
  const before = '{"event":"bench","data":{"n":"';
  const behind = (padding) => `","text":"${padding}"}}`;
  const padding = 'x'.repeat(bytes - bodyOf({ before, behind: behind('') }, 0).length);
  return { before, behind: behind(padding) };
}

/** Publishes one message. @param {Target} target @param {string} body */
export async function publish(target, body) {
  const response = await fetch(target.publishUrl, { method: 'POST', headers: target.publishHeaders, body });
  const text = await response.text();
  if (!response.ok) throw new Error(`${target.name} answered the publishing with ${response.status}: ${text}`);
}
