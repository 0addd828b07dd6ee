/** A Redis Cluster of three masters on free ports of this machine, without replicas, for one test file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.js';
import { freePort, startTestRedis, type TestRedis } from './test-redis.js';

export type TestRedisCluster = {
  nodes: readonly TestRedis[];
  /** All nodes, as REDIS_URL wants them. */
  url: string;
  /** Resolves when every node says that the cluster is well. */
  healthy(): Promise<void>;
  /** `kill -9` of every node; removes what they wrote. */
  kill(): Promise<void>;
};

const slots = 16_384;

/** Starts the nodes and joins them. The caller kills it. */
export async function startTestRedisCluster(): Promise<TestRedisCluster> {
  const folder = mkdtempSync(join(tmpdir(), 'tidewire-redis-cluster-'));
  const busPorts = [await freePort(), await freePort(), await freePort()];
  const nodes = await Promise.all(
    busPorts.map((busPort, index) =>
      startTestRedis([
        ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort), '--cluster-node-timeout', '1000'],
        ...['--cluster-config-file', join(folder, `node-${index}.conf`), '--dir', folder],
      ]),
    ),
  );
  const [first] = nodes;
  for (const [index, node] of nodes.entries()) {
    const from = Math.floor((slots * index) / nodes.length);
    const to = Math.floor((slots * (index + 1)) / nodes.length) - 1;
    await node.command(`CLUSTER ADDSLOTSRANGE ${from} ${to}`);
    if (index > 0) await first?.command(`CLUSTER MEET 127.0.0.1 ${node.port} ${busPorts[index]}`);
  }
  const cluster: TestRedisCluster = {
    nodes,
    url: nodes.map(({ url }) => url).join(','),
    healthy: () =>
      eventually(
        async () => {
          for (const node of nodes) {
            const state = await node.answerTo('CLUSTER INFO');
            if (!/cluster_state:ok/.test(state) || !/cluster_known_nodes:3/.test(state))
              throw new Error(`node ${node.port}: ${state}`);
          }
        },
        { timeoutMs: 20_000, intervalMs: 100 },
      ),
    async kill() {
      await Promise.all(nodes.map((node) => node.kill()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
  await cluster.healthy();
  return cluster;
}
