/**
 * The tail of one database's log: turns hints, which may be lost, doubled or out of order, into every event once and in order.
 *
 * Invariants (the tests cite the numbers):
 * 1. `onEvents` gets consecutive ids: the first batch begins at `start + 1`, each next one where the last ended.
 * 2. A hint at or below `last` changes nothing; one that begins at `last + 1` is delivered within `offer`; anything else makes the
 *    tail read the hole from the log.
 * 3. When the log itself no longer reaches back to `last + 1` (retention), `onGap` is told once, and the tail goes on behind the gap.
 * 4. After `close` nothing is delivered.
 */
import type { EventLog } from './event-log.js';
import type { LogEvent } from './log-event.js';

export type Tail = {
  /** Id of the last event that was delivered. */
  readonly last: number;
  /** Events that somebody saw committed: consecutive ids, ascending. */
  offer(events: readonly LogEvent[]): void;
  /** The log is known to reach this id. */
  noteHead(head: number): void;
  close(): void;
};

export type TailOptions = {
  databaseId: number;
  /** The head from which on events are delivered. */
  start: number;
  log: EventLog;
  onEvents: (events: readonly LogEvent[]) => void;
  /** Events up to and including `lastLost` are gone. */
  onGap: (lastLost: number) => void;
  /** A read failed; the next hint or head tries again. */
  onError: (error: unknown) => void;
};

export function createTail({ databaseId, start, log, onEvents, onGap, onError }: TailOptions): Tail {
  let last = start;
  let wanted = start;
  let isReading = false;
  let isClosed = false;

  function deliver(events: readonly LogEvent[]): boolean {
    const fresh = events[0] !== undefined && events[0].id > last ? events : events.filter((event) => event.id > last);
    const first = fresh[0];
    if (first === undefined) return true;
    if (first.id !== last + 1) return false;
    last += fresh.length;
    onEvents(fresh);
    return true;
  }

  async function readHole(): Promise<void> {
    if (isReading) return;
    isReading = true;
    try {
      while (!isClosed && last < wanted) {
        const events = await log.read(databaseId, last);
        if (isClosed) return;
        if (events.length === 0) {
          if (!(await skipGap())) return;
        } else if (!deliver(events)) skipTo((events[0]?.id ?? 1) - 1);
      }
    } catch (error) {
      onError(error);
    } finally {
      isReading = false;
    }
  }

  /** Nothing where something must be: either retention took it, or the reader's snapshot is older than the hint (then the next try finds it). */
  async function skipGap(): Promise<boolean> {
    const [head] = await log.heads([databaseId]);
    if (isClosed || head === undefined || head.oldest <= last + 1) return false;
    skipTo(head.oldest - 1);
    return true;
  }

  function skipTo(lastLost: number): void {
    if (lastLost <= last) return;
    last = lastLost;
    wanted = Math.max(wanted, last);
    onGap(lastLost);
  }

  return {
    get last() {
      return last;
    },
    offer(events) {
      const newest = events.at(-1);
      if (isClosed || newest === undefined || newest.id <= last) return;
      wanted = Math.max(wanted, newest.id);
      if (!deliver(events) || last < wanted) void readHole();
    },
    noteHead(head) {
      if (isClosed || head <= last) return;
      wanted = Math.max(wanted, head);
      void readHole();
    },
    close() {
      isClosed = true;
    },
  };
}
