/** Commit lanes on a real Postgres for tests: as many nodes as wanted, whose buses do not know each other. */
import { type Catalog, createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { type CapturingClient, captureWrites } from './capture-extension.js';
import type { ChangeHint } from './change-bus.js';
import { type CommitLanes, createCommitLanes } from './commit-lanes.js';
import type { WriteOutcome, WriteScope } from './document-writes.js';
import { createMemoryChangeBus } from './memory-change-bus.js';

/** One server's write path. */
export type LaneNode = {
  connections: PostgresConnections;
  catalog: Catalog;
  lanes: CommitLanes;
  prisma: CapturingClient;
  /** What its bus told. */
  hints: ChangeHint[];
};

export type LaneNodes = {
  createNode(
    options?: Partial<Pick<Parameters<typeof createCommitLanes>[0], 'writeTimeoutMs' | 'shapeOf' | 'now'>>,
  ): LaneNode;
  /** A database of its own for each test, so that ids begin at 1. The first node makes it. */
  createScope(): Promise<WriteScope>;
  /** After the writes that are in flight. */
  close(): Promise<void>;
};

/** Nodes on a Postgres database of their own. An error of a bus ends the test. */
export async function openLaneNodes(): Promise<LaneNodes> {
  const { address } = await createTestDatabase();
  const nodes: LaneNode[] = [];
  let databases = 0;
  return {
    createNode(options = {}) {
      const connections = connectPostgres(address, { onConnectionError: () => undefined });
      const catalog = createCatalog(connections.pool);
      const bus = createMemoryChangeBus({
        onError: (error) => {
          throw error;
        },
      });
      const hints: ChangeHint[] = [];
      bus.subscribe((hint) => hints.push(hint));
      const pool = connections.lanePool;
      const lanes = createCommitLanes({ pool, catalog, bus, onRetry: () => undefined, ...options });
      const node = { connections, catalog, lanes, hints, prisma: captureWrites(connections.prisma, lanes.submit) };
      nodes.push(node);
      return node;
    },
    async createScope() {
      const [node] = nodes;
      if (node === undefined) throw new Error('there is no node');
      databases += 1;
      const data = { name: `db${databases}`, log: { create: {} } };
      const { id } = await node.connections.prisma.database.create({ data });
      return { databaseId: id, author: { actor: 'key:test', by: 'api' } };
    },
    async close() {
      for (const { lanes, connections } of nodes) {
        await lanes.idle();
        await connections.close();
      }
    },
  };
}

/** Throws when nothing was written. */
export function idOf(outcome: WriteOutcome): string {
  const id = outcome.status === 'written' ? outcome.documents[0]?.id : undefined;
  if (id === undefined) throw new Error('nothing was written');
  return id;
}
