import type { Catalog } from '@tidewire/db/catalog';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { ChangeBus } from './change-bus.js';
import { type CommitLane, createCommitLane } from './commit-lane.js';
import type { ShapeOf } from './document-shape.js';
import type { LaneOperation, LaneOutcome } from './lane-plan.js';

/** One commit lane for each database that is written to, made at its first write. */
export type CommitLanes = {
  submit(databaseId: number, operation: LaneOperation): Promise<LaneOutcome>;
  /** Resolves when every lane is idle; for a shutdown, after the last request. */
  idle(): Promise<void>;
};

export function createCommitLanes(options: {
  pool: SqlPool;
  catalog: Catalog;
  bus: ChangeBus;
  onRetry: (error: unknown) => void;
  shapeOf?: ShapeOf | undefined;
  now?: () => number;
  writeTimeoutMs?: number;
}): CommitLanes {
  const lanes = new Map<number, CommitLane>();
  const now = options.now ?? Date.now;

  function laneOf(databaseId: number): CommitLane {
    const present = lanes.get(databaseId);
    if (present !== undefined) return present;
    const lane = createCommitLane({ ...options, databaseId, now });
    lanes.set(databaseId, lane);
    return lane;
  }

  return {
    submit: (databaseId, operation) => laneOf(databaseId).submit(operation),
    async idle() {
      await Promise.all([...lanes.values()].map((lane) => lane.idle()));
    },
  };
}
