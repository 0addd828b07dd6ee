/**
 * The change bus: tells every process that there is something new. A hint, never the truth: the law for its adapters is
 *
 * - `publish` returns at once and never throws; a bus that is down drops the hint (the once-a-second look at the heads finds the change).
 * - A hint may be lost, come twice, or come out of order. Whoever listens checks the ids.
 * - Hints of one process reach that process's own listeners, too, and those synchronously within `publish`.
 */
import type { LogEvent } from './log-event.js';

export type ChangeHint =
  /** These events were committed: consecutive ids, ascending. */
  | { kind: 'events'; databaseId: number; events: readonly LogEvent[] }
  /** The log reaches this id now; what lies before is to be read there. Stands for events that are too large to be carried. */
  | { kind: 'head'; databaseId: number; head: number }
  /** Settings, keys, grants or collections of the database are at least at this version now. */
  | { kind: 'config'; databaseId: number; configVersion: number }
  /** A custom event that is not in the log and has no id. `data` is JSON text; `at` as in a LogEvent. */
  | { kind: 'ephemeral'; databaseId: number; name: string; data: string; actor: string; at: string };

export interface ChangeBus {
  publish(hint: ChangeHint): void;
  /** Returns the way to stop listening. */
  subscribe(listener: (hint: ChangeHint) => void): () => void;
  /** Lets go of what the bus holds; later hints are dropped. */
  close(): Promise<void>;
}
