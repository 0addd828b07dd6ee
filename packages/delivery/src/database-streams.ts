/**
 * The open streams of one database: its tail, its ring, its groups. Events come in from the tail, go out to each group as one chunk,
 * and whoever is not at the front reads after them from the ring or from the log.
 *
 * Invariants:
 * 1. `delivered` is the id up to which every live subscriber has considered everything. It only grows.
 * 2. A subscriber goes live only when its cursor equals `delivered`, within one turn, so no event falls between or comes twice.
 * 3. What may be heard is asked when bytes are made, live and in replay alike.
 */
import type { EventLog } from '@tidewire/change-log/event-log';
import { type LogEvent, sizeOf } from '@tidewire/change-log/log-event';
import { createTail, type Tail } from '@tidewire/change-log/tail';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { frameText } from '@tidewire/sse/chunk';
import { encodeBlock } from '@tidewire/sse/encode';
import { type Audience, audienceOf, type Listener } from './audience.js';
import { type ResetReason, startFrom } from './cursor.js';
import { EventRing } from './event-ring.js';
import { Group } from './group.js';
import type { Sink } from './sink.js';
import type { StreamView } from './stream-view.js';
import { Subscriber } from './subscriber.js';

export type StreamLimits = {
  /** Bytes that may wait in a socket before its subscriber stops. */
  pendingLimitBytes: number;
  /** Bytes of the ring of each database. */
  ringLimitBytes: number;
  /** Seconds between two pings of one stream. */
  heartbeatSeconds: number;
  /** Seconds after which a socket that took nothing is given up. */
  stallLimitSeconds: number;
};

/** Encoded bytes that are written to a subscriber at a time while it catches up. */
const STRETCH_BYTES = 64 * 1024;

export class DatabaseStreams {
  readonly databaseId: number;
  readonly #log: EventLog;
  readonly #limits: StreamLimits;
  readonly #onError: (error: unknown) => void;
  readonly #requestFlush: () => void;
  readonly #ring: EventRing;
  readonly #groups = new Map<string, Group>();
  readonly #subscribers = new Set<Subscriber>();
  #tail: Tail;
  #oldest: number;
  #delivered: number;
  #waiting: { id: number; resolve: () => void }[] = [];
  #slots = 0;

  constructor(options: {
    databaseId: number;
    log: EventLog;
    limits: StreamLimits;
    head: { head: number; oldest: number };
    /** Asks for `flush` to be called soon. */
    requestFlush: () => void;
    onError: (error: unknown) => void;
  }) {
    this.databaseId = options.databaseId;
    this.#log = options.log;
    this.#limits = options.limits;
    this.#onError = options.onError;
    this.#requestFlush = options.requestFlush;
    this.#ring = new EventRing(options.limits.ringLimitBytes);
    this.#oldest = options.head.oldest;
    this.#delivered = options.head.head;
    this.#tail = createTail({
      databaseId: options.databaseId,
      start: options.head.head,
      log: options.log,
      onEvents: (events) => {
        this.#ring.push(events);
        this.#requestFlush();
      },
      onGap: (lastLost) => this.#loseUpTo(lastLost),
      onError: options.onError,
    });
  }

  get size(): number {
    return this.#subscribers.size;
  }

  /** Subscribers that are not at the front: catching up, or stalled. */
  get behind(): number {
    let live = 0;
    for (const group of this.#groups.values()) live += group.live.length;
    return this.#subscribers.size - live;
  }

  offer(events: readonly LogEvent[]): void {
    this.#tail.offer(events);
  }

  noteHead(head: { head: number; oldest: number }): void {
    this.#oldest = head.oldest;
    this.#tail.noteHead(head.head);
  }

  /** As `noteHead`, from a hint that knows nothing of the oldest. */
  noteNewest(head: number): void {
    this.#tail.noteHead(head);
  }

  /** Opens a stream at the cursor (null: from now on; NaN: not a cursor). Its headers are sent already. */
  async subscribe(options: {
    view: StreamView;
    listener: Listener;
    audience: Audience;
    sink: Sink;
    cursor: number | null;
    now: () => number;
  }): Promise<Subscriber> {
    if (options.cursor !== null && options.cursor > this.#delivered) await this.#catchUpWithLog(options.cursor);
    const group = this.#groupOf(options.view, options.audience);
    const slot = this.#slots++ % this.#limits.heartbeatSeconds;
    const subscriber = new Subscriber(options.listener, options.sink, group, slot);
    group.size += 1;
    this.#subscribers.add(subscriber);

    const start = startFrom(options.cursor, { head: this.#delivered, oldest: this.#oldest });
    subscriber.cursor = start.kind === 'at' ? start.cursor : this.#delivered;
    const position = start.kind === 'at' ? encodeBlock({ id: start.cursor }) : this.#resetBlock(start.reason);
    const ping = encodeBlock({ id: subscriber.cursor, event: 'ping', data: new Date(options.now()).toISOString() });
    options.sink.write(frameText(options.view.opening() + position + ping));
    void this.#resume(subscriber);
    return subscriber;
  }

  /** The subscriber's socket has drained. */
  drained(subscriber: Subscriber): void {
    if (subscriber.state !== 'stalled') return;
    subscriber.state = 'catching-up';
    void this.#resume(subscriber);
  }

  /** The subscriber's socket is gone. */
  remove(subscriber: Subscriber): void {
    if (!this.#subscribers.delete(subscriber)) return;
    subscriber.state = 'ended';
    this.#leaveGroup(subscriber);
  }

  /** Sends what has come since the last flush to every live subscriber. */
  flush(): void {
    const upTo = this.#tail.last;
    if (upTo === this.#delivered) return;
    const events = this.#ring.slice(this.#delivered, upTo);
    const overtaken: Subscriber[] = [];
    for (const group of this.#groups.values()) {
      if (events !== null) this.#deliver(group, events, upTo);
      else overtaken.push(...group.live);
    }
    // More came in one turn than the ring holds: the live ones go on as those who catch up.
    for (const subscriber of overtaken) this.#stepBack(subscriber);
    this.#delivered = upTo;
    for (const subscriber of overtaken) void this.#resume(subscriber);
    for (const { resolve } of this.#waiting.filter(({ id }) => id <= upTo)) resolve();
    this.#waiting = this.#waiting.filter(({ id }) => id > upTo);
  }

  /** The configuration is new: every stream narrows, widens or ends. */
  applyConfiguration(database: CatalogDatabase): void {
    const verdicts = new Map<string, ReturnType<typeof audienceOf>>();
    for (const subscriber of [...this.#subscribers]) {
      const who = subscriber.listener.kind === 'key' ? subscriber.listener.keyId : '';
      const verdict = verdicts.get(who) ?? audienceOf(subscriber.listener, database);
      verdicts.set(who, verdict);
      if (verdict.status === 'ended')
        this.end(subscriber, { event: verdict.event, data: JSON.stringify({ reason: verdict.reason }) });
      else if (verdict.audience.signature !== subscriber.group.audience.signature)
        this.#moveTo(subscriber, verdict.audience);
    }
  }

  /** Once a second: pings of this second's slot, silent cursor moves, and sockets that took nothing for too long. */
  tick(second: number, now: number): void {
    for (const group of this.#groups.values()) {
      const move = group.silentMove(this.#delivered);
      if (move !== null) for (const subscriber of group.live) subscriber.sink.write(move);
    }
    const data = new Date(now).toISOString();
    const plain = frameText(encodeBlock({ event: 'ping', data }));
    const moving = frameText(encodeBlock({ id: this.#delivered, event: 'ping', data }));
    const slot = second % this.#limits.heartbeatSeconds;
    for (const subscriber of this.#subscribers) {
      if (subscriber.state === 'stalled') this.#giveUpStalled(subscriber, second);
      else if (subscriber.state === 'live' && subscriber.slot === slot) {
        const wasShownLast = subscriber.group.lastVisibleId >= this.#delivered;
        subscriber.sink.write(wasShownLast ? plain : moving);
        this.#stallIfFull(subscriber, second);
      }
    }
  }

  /** Ends a stream with a last block, or without one. */
  end(subscriber: Subscriber, last?: { event?: string; data?: string; retry?: number }): void {
    if (subscriber.state === 'ended') return;
    if (last !== undefined && subscriber.state !== 'stalled') subscriber.sink.write(frameText(encodeBlock(last)));
    this.remove(subscriber);
    subscriber.sink.end();
  }

  subscribers(): Iterable<Subscriber> {
    return this.#subscribers;
  }

  close(): void {
    this.#tail.close();
    for (const subscriber of [...this.#subscribers]) this.end(subscriber);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #deliver(group: Group, events: readonly LogEvent[], upTo: number): void {
    const chunk = group.encode(events);
    if (chunk === null) return;
    for (let index = group.live.length - 1; index >= 0; index -= 1) {
      const subscriber = group.live[index];
      if (subscriber === undefined) continue;
      subscriber.sink.write(chunk);
      if (subscriber.sink.pendingBytes <= this.#limits.pendingLimitBytes) continue;
      group.leave(subscriber);
      subscriber.cursor = upTo;
      subscriber.state = 'stalled';
      subscriber.stalledAt = -1;
    }
  }

  #stallIfFull(subscriber: Subscriber, second: number): void {
    if (subscriber.sink.pendingBytes <= this.#limits.pendingLimitBytes) return;
    this.#stepBack(subscriber);
    subscriber.state = 'stalled';
    subscriber.stalledAt = second;
  }

  #giveUpStalled(subscriber: Subscriber, second: number): void {
    if (subscriber.stalledAt < 0) subscriber.stalledAt = second;
    if (second - subscriber.stalledAt < this.#limits.stallLimitSeconds) return;
    this.remove(subscriber);
    subscriber.sink.destroy();
  }

  /** From live to catching up, at the position of the database. */
  #stepBack(subscriber: Subscriber): void {
    subscriber.group.leave(subscriber);
    subscriber.cursor = this.#delivered;
    subscriber.state = 'catching-up';
  }

  /** Brings a subscriber that catches up to the front, as far as its socket takes it. One loop at a time for each. */
  async #resume(subscriber: Subscriber): Promise<void> {
    while (subscriber.state === 'catching-up') {
      if (subscriber.cursor >= this.#delivered) {
        subscriber.group.enter(subscriber);
        return;
      }
      const events = await this.#after(subscriber.cursor);
      if (subscriber.state !== 'catching-up') return;
      if (events === null) continue;
      if (events[0]?.id !== subscriber.cursor + 1) {
        subscriber.sink.write(frameText(this.#resetBlock('retention')));
        subscriber.cursor = this.#delivered;
        continue;
      }
      const stretch = takeBytes(events, STRETCH_BYTES);
      const chunk = subscriber.group.encodeStretch(stretch);
      subscriber.cursor += stretch.length;
      if (chunk === null) continue;
      subscriber.sink.write(chunk);
      if (subscriber.sink.pendingBytes > this.#limits.pendingLimitBytes) {
        subscriber.state = 'stalled';
        subscriber.stalledAt = -1;
      }
    }
  }

  /** Delivered events after the cursor, from the ring or the log; null when the log could not be read now (after a pause). */
  async #after(cursor: number): Promise<readonly LogEvent[] | null> {
    const upTo = this.#delivered;
    const ringed = this.#ring.slice(cursor, upTo);
    if (ringed !== null) {
      await new Promise((resolve) => setImmediate(resolve));
      return ringed;
    }
    try {
      const events = await this.#log.read(this.databaseId, cursor);
      const beyond = events.findIndex((event) => event.id > upTo);
      return beyond < 0 ? events : events.slice(0, beyond);
    } catch (error) {
      this.#onError(error);
      await new Promise((resolve) => setTimeout(resolve, 500));
      return null;
    }
  }

  /** A cursor ahead of us: another process may have been faster. Asks the log, and waits until this process has seen as much. */
  async #catchUpWithLog(cursor: number): Promise<void> {
    const [head] = await this.#log.heads([this.databaseId]);
    if (head === undefined) return;
    this.noteHead(head);
    if (cursor > head.head || cursor <= this.#delivered) return;
    await new Promise<void>((resolve) => this.#waiting.push({ id: cursor, resolve }));
  }

  #resetBlock(reason: ResetReason): string {
    const data = JSON.stringify({ reason, oldest: this.#oldest, newest: this.#delivered });
    return encodeBlock({ id: this.#delivered, event: 'reset', data });
  }

  /** Events are lost for this process (it slept longer than the log is kept): every stream is told. */
  #loseUpTo(lastLost: number): void {
    this.#ring.clear();
    this.#oldest = lastLost + 1;
    this.#delivered = lastLost;
    const chunk = frameText(this.#resetBlock('retention'));
    for (const group of this.#groups.values()) for (const subscriber of group.live) subscriber.sink.write(chunk);
  }

  #groupOf(view: StreamView, audience: Audience): Group {
    const key = `${view.name}\n${audience.signature}`;
    const present = this.#groups.get(key);
    if (present !== undefined) return present;
    const group = new Group(view, audience);
    group.lastVisibleId = this.#delivered;
    this.#groups.set(key, group);
    return group;
  }

  #moveTo(subscriber: Subscriber, audience: Audience): void {
    const { view } = subscriber.group;
    const isLive = subscriber.state === 'live';
    this.#leaveGroup(subscriber);
    subscriber.group = this.#groupOf(view, audience);
    subscriber.group.size += 1;
    if (isLive) subscriber.group.enter(subscriber);
  }

  #leaveGroup(subscriber: Subscriber): void {
    const { group } = subscriber;
    group.leave(subscriber);
    group.size -= 1;
    if (group.size === 0) this.#groups.delete(`${group.view.name}\n${group.audience.signature}`);
  }
}

/** As many of the first events as stay within the bytes, at least one. */
function takeBytes(events: readonly LogEvent[], limit: number): readonly LogEvent[] {
  let bytes = 0;
  for (const [index, event] of events.entries()) {
    bytes += sizeOf(event);
    if (bytes > limit) return events.slice(0, index + 1);
  }
  return events;
}
