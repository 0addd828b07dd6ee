/**
 * What is under test. Either a cluster: so many processes for the API and as many for the streams over one PostgreSQL and one Redis, as behind a
 * load balancer that knows nothing of who is up. Or one process alone on its built-in PostgreSQL, which a killed server leaves behind and
 * the next one takes over.
 *
 * @typedef {object} Topology
 * @property {import('./node-process.mjs').NodeProcess[]} nodes
 * @property {import('./node-process.mjs').NodeProcess[]} apis those that take documents
 * @property {import('./node-process.mjs').NodeProcess[]} realtimes those that have streams and take custom events
 * @property {import('../nodes/redis.mjs').Redis | null} redis
 * @property {(signal: NodeJS.Signals) => Promise<void>} restartPostgres resolves when it runs again
 * @property {() => Promise<import('@tidewire/db/sql-pool').PostgresAddress>} address
 * @property {{ dataDir: string, env: Record<string, string> }} forCommands
 * @property {() => number | null} leftPostmaster a PostgreSQL that should not be there after the end
 * @property {() => Promise<void>} destroy leaves nothing behind, whatever happened
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { waitFor } from '../kit/processes.mjs';
import { freePort } from '../kit/product.mjs';
import { findTool } from '../kit/tools.mjs';
import { startRedis } from '../nodes/redis.mjs';
import { NodeProcess } from './node-process.mjs';
import { startPostgres } from './postgres-process.mjs';

/**
 * @param {{ isAlone: boolean, nodesOfEach: number, folder: string, command?: string, onOwnEnd: (node: NodeProcess, how: string) => void }} options
 * @returns {Promise<Topology>}
 */
export function startTopology({ isAlone, ...options }) {
  return isAlone ? startAlone(options) : startCluster(options);
}

async function startCluster({ nodesOfEach, folder, command, onOwnEnd }) {
  const tool = process.env.REDIS_SERVER_PATH ? { path: process.env.REDIS_SERVER_PATH } : findTool('redis-server');
  if ('missing' in tool) throw new Error(tool.missing);
  const postgres = await startPostgres(folder);
  const redis = await startRedis(tool.path, folder);
  const env = { DATABASE_URL: postgres.url, REDIS_URL: redis.url, SECRET_KEY: 'for this run only, and of some length' };
  const nodes = [];
  for (let number = 1; number <= nodesOfEach; number += 1) {
    for (const role of ['api', 'realtime']) {
      const name = `${role}-${number}`;
      const options = { name, role, port: await freePort(), dataDir: join(folder, name), env, command };
      const node = new NodeProcess({ ...options, onOwnEnd: (how) => onOwnEnd(node, how) });
      nodes.push(node);
    }
  }
  const destroy = async () => {
    await Promise.all(nodes.map((node) => node.retire()));
    await redis.kill();
    await postgres.stop();
  };
  try {
    await startAll(nodes);
  } catch (error) {
    await destroy();
    throw error;
  }
  return {
    nodes,
    apis: nodes.filter(({ role }) => role === 'api'),
    realtimes: nodes.filter(({ role }) => role === 'realtime'),
    redis,
    restartPostgres: (signal) => postgres.restart(signal),
    address: async () => postgres.address,
    forCommands: { dataDir: join(folder, 'api-1'), env },
    leftPostmaster: () => null,
    destroy,
  };
}

async function startAll(nodes) {
  await Promise.all(
    nodes.map(async (node) => {
      await node.spawn();
      await node.becomeReady();
    }),
  );
}

async function startAlone({ folder, command, onOwnEnd }) {
  const dataDir = join(folder, 'data');
  const node = new NodeProcess({
    ...{ name: 'alone', role: 'all', port: await freePort(), dataDir, env: {}, command },
    onOwnEnd: (how) => onOwnEnd(node, how),
  });
  await startAll([node]);
  const postmasterPid = () => runningPid(join(dataDir, 'postgres', 'postmaster.pid'));
  return {
    nodes: [node],
    apis: [node],
    realtimes: [node],
    redis: null,
    /** The server itself starts it again. */
    async restartPostgres(signal) {
      process.kill(await waitFor('PostgreSQL runs', postmasterPid), signal);
      // Not the answer of a moment ago: PostgreSQL needs a moment to be gone.
      await delay(50);
    },
    address: async () => {
      const address = await findEmbeddedPostgres(dataDir);
      if (address === null) throw new Error(`no Tidewire serves ${dataDir}`);
      return address;
    },
    forCommands: { dataDir, env: {} },
    leftPostmaster: postmasterPid,
    async destroy() {
      await node.retire();
      const pid = postmasterPid();
      if (pid !== null) process.kill(pid, 'SIGQUIT');
    },
  };
}

/** The first line of PostgreSQL's pid file; null when there is none, or no such process. */
function runningPid(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    process.kill(pid, 0);
    return pid;
  } catch {
    return null;
  }
}
