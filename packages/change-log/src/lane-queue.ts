/**
 * The queue of a commit lane: pure, no clock, no I/O. Operations wait here while a batch is in flight.
 *
 * Invariants:
 * 1. Operations leave in the order in which they came.
 * 2. A batch holds at least one operation (however large) and otherwise stays within `batchLimitEvents`.
 * 3. An operation leaves once: in a batch, or as overdue.
 * 4. An operation that wants to be alone has a batch of its own.
 */
export type QueuedOperation = { steps: { readonly length: number }; deadline: number; isAlone: boolean };

export type LaneQueue<T> = {
  readonly length: number;
  push(operation: T): void;
  /** Takes the next batch; empty when nothing waits. */
  takeBatch(): T[];
  /** Takes all whose deadline (milliseconds, as `now`) has passed. */
  takeOverdue(now: number): T[];
};

export function createLaneQueue<T extends QueuedOperation>(limits: { batchLimitEvents: number }): LaneQueue<T> {
  let waiting: T[] = [];
  return {
    get length() {
      return waiting.length;
    },
    push(operation) {
      waiting.push(operation);
    },
    takeBatch() {
      let count = 0;
      let events = 0;
      for (const { steps, isAlone } of waiting) {
        if (count > 0 && (isAlone || events + steps.length > limits.batchLimitEvents)) break;
        events += steps.length;
        count += 1;
        if (isAlone) break;
      }
      return waiting.splice(0, count);
    },
    takeOverdue(now) {
      const overdue = waiting.filter((operation) => operation.deadline <= now);
      if (overdue.length > 0) waiting = waiting.filter((operation) => operation.deadline > now);
      return overdue;
    },
  };
}
