/**
 * A subscriber is a cursor over the shared log: the one small object that an open stream costs.
 *
 * States: `catching-up` (reads from its cursor), `live` (in its group, at the position of the whole database), `stalled` (its socket
 * does not drain), `ended`.
 * Invariants:
 * 1. While live, the cursor is the database's `delivered` and is not kept here; else it is the last id that was considered.
 * 2. Nothing is queued for a stalled subscriber: what the socket holds, plus the one write that went over the limit, is all.
 * 3. `ended` is final.
 */
import type { Listener } from './audience.js';
import type { Group } from './group.js';
import type { Sink } from './sink.js';

export type SubscriberState = 'catching-up' | 'live' | 'stalled' | 'ended';

export class Subscriber {
  readonly listener: Listener;
  readonly sink: Sink;
  /** The second of the heartbeat's round in which this one is pinged. */
  readonly slot: number;
  group: Group;
  cursor = 0;
  state: SubscriberState = 'catching-up';
  /** Until when what it may hear stands: milliseconds since the epoch. */
  until = Number.POSITIVE_INFINITY;
  /** Place in the group's live list; -1 when it is not there. */
  index = -1;
  /** The hub's second at which it stalled. */
  stalledAt = 0;
  /** The hub's second from which on it is sent away, to come back with its cursor. */
  endsAt = Number.POSITIVE_INFINITY;

  constructor(listener: Listener, sink: Sink, group: Group, slot: number) {
    this.listener = listener;
    this.sink = sink;
    this.group = group;
    this.slot = slot;
  }
}
