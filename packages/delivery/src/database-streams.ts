/**
 * The open streams of one database: its tail, its ring, its groups. Events come in from the tail, go out to each group as one chunk,
 * and whoever is not at the front reads after them from the ring or from the log.
 *
 * Invariants:
 * 1. `delivered` is the id up to which every live subscriber has considered everything. It only grows.
 * 2. A subscriber goes live only when its cursor equals `delivered`, within one turn, so no event falls between or comes twice.
 * 3. What may be heard is asked when bytes are made, live and in replay alike.
 */
import type { KnownUser } from '@tidewire/access/principal';
import type { EventLog } from '@tidewire/change-log/event-log';
import { type LogEvent, sizeOf } from '@tidewire/change-log/log-event';
import { createTail, type Tail } from '@tidewire/change-log/tail';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { type Chunk, frameText } from '@tidewire/sse/chunk';
import { encodeBlock, type SseBlock } from '@tidewire/sse/encode';
import { type Audience, audienceOf, type Listener } from './audience.js';
import { type ResetReason, startFrom } from './cursor.js';
import type { EventFilter } from './event-filter.js';
import { EventRing } from './event-ring.js';
import { Group } from './group.js';
import { GroupIndex } from './group-index.js';
import { LiveQueries } from './live-queries.js';
import type { Sink } from './sink.js';
import { type PingForm, pingBlock, retryOfSlot, type StreamView } from './stream-view.js';
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
  /** Seconds after which a stream is ended, to be opened again; a quarter more or less by chance. 0: never. */
  maxAgeSeconds: number;
};

/** The recent events that a stream without a cursor begins with: none above `upTo`, ascending. */
export type ReadHistory = (upTo: number) => Promise<readonly LogEvent[]>;

/** What a stream is asked to be. `cursor` null: from now on; NaN: what the client sent is no cursor. */
export type StreamRequest = {
  view: StreamView;
  listener: Listener;
  audience: Audience;
  /** Until when what it may hear stands: milliseconds since the epoch. */
  until: number;
  filter: EventFilter;
  sink: Sink;
  cursor: number | null;
  history?: ReadHistory | undefined;
};

/** Encoded bytes that are written to a subscriber at a time while it catches up. */
const STRETCH_BYTES = 64 * 1024;
/** UTF-16 units of ephemeral events that wait for one flush; what comes beyond is lost. */
const EPHEMERAL_LIMIT_CHARS = 1024 * 1024;

export class DatabaseStreams {
  readonly databaseId: number;
  readonly #log: EventLog;
  readonly #limits: StreamLimits;
  readonly #onError: (error: unknown) => void;
  readonly #requestFlush: () => void;
  readonly #ring: EventRing;
  readonly #groups = new GroupIndex();
  readonly #subscribers = new Set<Subscriber>();
  /** Streams that show a result instead of the events. */
  readonly live: LiveQueries;
  #tail: Tail;
  #oldest: number;
  #delivered: number;
  #waiting: { id: number; resolve: () => void }[] = [];
  #ephemeral: LogEvent[] = [];
  #ephemeralChars = 0;
  /** Nobody's `until` is before this. */
  #soonest = Number.POSITIVE_INFINITY;
  #slots = 0;
  #second = 0;
  #isClosed = false;
  readonly #random: () => number;

  constructor(options: {
    databaseId: number;
    log: EventLog;
    limits: StreamLimits;
    head: { head: number; oldest: number };
    /** Asks for `flush` to be called soon. */
    requestFlush: () => void;
    onError: (error: unknown) => void;
    random?: () => number;
  }) {
    this.databaseId = options.databaseId;
    this.#log = options.log;
    this.#limits = options.limits;
    this.#onError = options.onError;
    this.#requestFlush = options.requestFlush;
    this.#random = options.random ?? Math.random;
    this.#ring = new EventRing(options.limits.ringLimitBytes);
    this.#oldest = options.head.oldest;
    this.#delivered = options.head.head;
    this.live = new LiveQueries({
      limits: options.limits,
      position: () => this.#delivered,
      requestFlush: options.requestFlush,
      onError: options.onError,
      random: this.#random,
    });
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

  /** Open streams, and live queries that are kept. */
  get size(): number {
    return this.#subscribers.size + this.live.size;
  }

  get streamCount(): number {
    return this.#subscribers.size + this.live.viewerCount;
  }

  /** Nobody listens, and nobody waits. */
  get isIdle(): boolean {
    return this.size === 0 && this.#waiting.length === 0;
  }

  /** Subscribers that are not at the front: catching up, or stalled. */
  get behind(): number {
    let live = 0;
    for (const group of this.#groups.all()) live += group.live.length;
    return this.#subscribers.size - live;
  }

  offer(events: readonly LogEvent[]): void {
    this.#tail.offer(events);
  }

  noteHead(head: { head: number; oldest: number }): void {
    this.#oldest = Math.max(this.#oldest, head.oldest);
    this.#tail.noteHead(head.head);
  }

  /** As `noteHead`, from a hint that knows nothing of the oldest. */
  noteNewest(head: number): void {
    this.#tail.noteHead(head);
  }

  /** An event that is not in the log, for those who are live now. Whoever does not take it at once does not get it. */
  offerEphemeral(event: LogEvent): void {
    const chars = event.data?.length ?? 0;
    if (this.#subscribers.size === 0 || this.#ephemeralChars + chars > EPHEMERAL_LIMIT_CHARS) return;
    this.#ephemeral.push(event);
    this.#ephemeralChars += chars;
    this.#requestFlush();
  }

  /** Opens a stream. Its headers are sent already. Rejects when the log cannot be read; nothing was written then. */
  async subscribe(request: StreamRequest & { now: () => number }): Promise<Subscriber> {
    const { view, sink, cursor } = request;
    if (cursor !== null && cursor > this.#delivered) await this.#catchUpWithLog(cursor);
    const group = this.#groupOf(view, request.audience, request.filter);
    const slot = this.#slots++ % this.#limits.heartbeatSeconds;
    const subscriber = new Subscriber(request.listener, sink, group, slot);
    group.size += 1;
    this.#subscribers.add(subscriber);
    subscriber.endsAt = this.#endOfAge();
    subscriber.until = request.until;
    this.#soonest = Math.min(this.#soonest, request.until);

    const start = startFrom(cursor, { head: this.#delivered, oldest: this.#oldest });
    subscriber.cursor = start.kind === 'at' ? start.cursor : this.#delivered;
    const reset = start.kind === 'at' ? '' : encodeBlock(this.#resetBlock(view, start.reason));
    const isNew = cursor === null || start.kind === 'reset';
    const history = isNew && request.history !== undefined ? await this.#readHistory(subscriber, request.history) : '';
    // Ended by a change of the configuration while the history was read.
    if (subscriber.state === 'ended') return subscriber;
    const position = reset !== '' && history === '' ? '' : encodeBlock({ id: subscriber.cursor });
    const at = new Date(request.now()).toISOString();
    const ping = encodeBlock({ id: subscriber.cursor, ...pingBlock(view.ping, at) });
    sink.write(frameText(view.opening() + reset + history + position + ping));
    void this.#resume(subscriber);
    return subscriber;
  }

  /** The blocks of the recent events that the subscriber may hear now. */
  async #readHistory(subscriber: Subscriber, read: ReadHistory): Promise<string> {
    try {
      const events = await read(subscriber.cursor);
      return subscriber.group.encodeText(events);
    } catch (error) {
      this.remove(subscriber);
      throw error;
    }
  }

  /**
   * Events behind the cursor, in order and without a hole as far as the log has them: at once when there are any, else when some come. Null when the signal
   * aborts first, or when the streams are closed.
   */
  async eventsAfter(cursor: number, signal: AbortSignal): Promise<readonly LogEvent[] | null> {
    while (!signal.aborted && !this.#isClosed) {
      if (cursor >= this.#delivered) await this.#waitFor(cursor + 1, signal);
      const events = cursor >= this.#delivered || signal.aborted ? null : await this.#after(cursor);
      if (events !== null) return events;
    }
    return null;
  }

  /** Resolves when this process has seen the event, when the signal aborts, or when the streams are closed. */
  async #waitFor(id: number, signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const give = () => {
        this.#waiting = this.#waiting.filter((one) => one !== entry);
        entry.resolve();
      };
      const entry = {
        id,
        resolve: () => {
          signal.removeEventListener('abort', give);
          resolve();
        },
      };
      this.#waiting.push(entry);
      signal.addEventListener('abort', give);
    });
  }

  /** Whoever waits for events is answered now. */
  releaseWaiting(): void {
    this.#isClosed = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
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

  /** Sends what has come since the last flush to every live subscriber and viewer. Gives the number of those events. */
  flush(): number {
    const upTo = this.#tail.last;
    const count = upTo - this.#delivered + this.#ephemeral.length;
    if (upTo !== this.#delivered) this.#deliverUpTo(upTo);
    if (this.#ephemeral.length > 0) this.#deliverEphemeral();
    this.live.flush();
    return count;
  }

  #deliverEphemeral(): void {
    const events = this.#ephemeral.splice(0);
    this.#ephemeralChars = 0;
    for (const group of this.#groups.concernedBy(events)) {
      const chunk = group.live.length === 0 ? null : group.encodeEphemeral(events);
      if (chunk === null) continue;
      for (const { sink } of group.live) if (sink.pendingBytes <= this.#limits.pendingLimitBytes) sink.write(chunk);
    }
  }

  #deliverUpTo(upTo: number): void {
    const events = this.#ring.slice(this.#delivered, upTo);
    const overtaken: Subscriber[] = [];
    if (events !== null) for (const group of this.#groups.concernedBy(events)) this.#deliver(group, events, upTo);
    else for (const group of this.#groups.all()) overtaken.push(...group.live);
    // More came in one turn than the ring holds: the live ones go on as those who catch up.
    for (const subscriber of overtaken) this.#stepBack(subscriber);
    this.#delivered = upTo;
    if (events === null) this.live.lose();
    else this.live.offer(events);
    for (const subscriber of overtaken) void this.#resume(subscriber);
    for (const { resolve } of this.#waiting.filter(({ id }) => id <= upTo)) resolve();
    this.#waiting = this.#waiting.filter(({ id }) => id > upTo);
  }

  /** The configuration is new: every stream narrows, widens or ends. */
  applyConfiguration(database: CatalogDatabase): void {
    this.live.applyConfiguration(database);
    this.#judge(this.#subscribers, database);
  }

  /** Something about one user is new: the same for the streams of that user. */
  applyUser(user: KnownUser, database: CatalogDatabase): void {
    this.live.applyUser(user, database);
    this.#judge(
      [...this.#subscribers].filter(({ listener }) => listener.kind === 'user' && listener.user === user),
      database,
    );
  }

  /** Whose time is over is asked again. Costs nothing while it is over for nobody. */
  applyTime(now: number, database: CatalogDatabase): void {
    this.live.applyTime(now, database);
    if (now < this.#soonest) return;
    this.#soonest = Number.POSITIVE_INFINITY;
    const due: Subscriber[] = [];
    for (const subscriber of this.#subscribers) {
      if (subscriber.until <= now) due.push(subscriber);
      else this.#soonest = Math.min(this.#soonest, subscriber.until);
    }
    this.#judge(due, database);
  }

  #judge(subscribers: Iterable<Subscriber>, database: CatalogDatabase): void {
    const verdicts = new Map<unknown, ReturnType<typeof audienceOf>>();
    for (const subscriber of [...subscribers]) {
      const who = whoOf(subscriber.listener);
      const verdict = verdicts.get(who) ?? audienceOf(subscriber.listener, database);
      verdicts.set(who, verdict);
      if (verdict.status === 'ended')
        this.end(subscriber, { event: verdict.event, data: JSON.stringify({ reason: verdict.reason }) });
      else {
        subscriber.until = verdict.until;
        this.#soonest = Math.min(this.#soonest, verdict.until);
        if (verdict.audience.signature !== subscriber.group.audience.signature)
          this.#moveTo(subscriber, verdict.audience);
      }
    }
  }

  /** Once a second: pings of this second's slot, silent cursor moves, streams that are old, and sockets that took nothing for too long. */
  tick(second: number, now: number): void {
    this.#second = second;
    this.live.tick(second, now);
    for (const group of this.#groups.all()) {
      const move = group.silentMove(this.#delivered);
      if (move !== null) for (const subscriber of group.live) subscriber.sink.write(move);
    }
    const slot = second % this.#limits.heartbeatSeconds;
    const retry = retryOfSlot(slot, this.#limits.heartbeatSeconds, this.streamCount);
    const pings = this.#encodePings(new Date(now).toISOString(), retry);
    for (const subscriber of this.#subscribers) {
      if (subscriber.state === 'stalled') this.#giveUpStalled(subscriber, second);
      else if (subscriber.state === 'live' && second >= subscriber.endsAt) this.#rotate(subscriber);
      else if (subscriber.state === 'live' && subscriber.slot === slot) {
        const { view, lastVisibleId } = subscriber.group;
        const { plain, moving } = pings[view.ping];
        subscriber.sink.write(lastVisibleId >= this.#delivered ? plain : moving);
        this.#stallIfFull(subscriber, second);
      }
    }
  }

  /** With and without an id, in both forms. */
  #encodePings(at: string, retry: { retry?: number }): Record<PingForm, { plain: Chunk; moving: Chunk }> {
    const encode = (form: PingForm) => ({
      plain: frameText(encodeBlock({ ...pingBlock(form, at), ...retry })),
      moving: frameText(encodeBlock({ id: this.#delivered, ...pingBlock(form, at), ...retry })),
    });
    return { ping: encode('ping'), heartbeat: encode('heartbeat') };
  }

  /** The client comes back with its cursor, to whichever process has room. */
  #rotate(subscriber: Subscriber): void {
    this.end(subscriber, { id: this.#delivered, retry: 100 + this.#random() * 900 });
  }

  #endOfAge(): number {
    const { maxAgeSeconds } = this.#limits;
    if (maxAgeSeconds === 0) return Number.POSITIVE_INFINITY;
    return this.#second + Math.max(1, Math.round(maxAgeSeconds * (0.75 + 0.5 * this.#random())));
  }

  /** Ends a stream with a last block, or without one. */
  end(subscriber: Subscriber, last?: { id?: number; retry?: number } | { event: string; data: string }): void {
    if (subscriber.state === 'ended') return;
    if (last !== undefined && subscriber.state !== 'stalled') {
      const block = 'event' in last ? subscriber.group.view.notice(last.event, last.data) : last;
      subscriber.sink.write(frameText(encodeBlock(block)));
    }
    this.remove(subscriber);
    subscriber.sink.end();
  }

  subscribers(): Iterable<Subscriber> {
    return this.#subscribers;
  }

  close(): void {
    this.#tail.close();
    this.live.close();
    for (const subscriber of [...this.#subscribers]) this.end(subscriber);
    this.releaseWaiting();
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
      // What the log has given up is shown by no process any more, though this one's ring may still hold it.
      if (events[0]?.id !== subscriber.cursor + 1 || subscriber.cursor + 1 < this.#oldest) {
        subscriber.sink.write(frameText(encodeBlock(this.#resetBlock(subscriber.group.view, 'retention'))));
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

  #resetBlock(view: StreamView, reason: ResetReason): SseBlock {
    const data = JSON.stringify({ reason, oldest: this.#oldest, newest: this.#delivered });
    return { id: this.#delivered, ...view.notice('reset', data) };
  }

  /** Events are lost for this process (it slept longer than the log is kept): every stream is told. */
  #loseUpTo(lastLost: number): void {
    this.#ring.clear();
    this.#oldest = lastLost + 1;
    this.#delivered = lastLost;
    for (const { view, live } of this.#groups.all()) {
      const chunk = frameText(encodeBlock(this.#resetBlock(view, 'retention')));
      for (const subscriber of live) subscriber.sink.write(chunk);
    }
    this.live.lose();
    this.#requestFlush();
  }

  #groupOf(view: StreamView, audience: Audience, filter: EventFilter): Group {
    const group = new Group(view, audience, filter);
    group.lastVisibleId = this.#delivered;
    return this.#groups.keep(group);
  }

  #moveTo(subscriber: Subscriber, audience: Audience): void {
    const { view, filter } = subscriber.group;
    const isLive = subscriber.state === 'live';
    this.#leaveGroup(subscriber);
    subscriber.group = this.#groupOf(view, audience, filter);
    subscriber.group.size += 1;
    if (isLive) subscriber.group.enter(subscriber);
  }

  #leaveGroup(subscriber: Subscriber): void {
    const { group } = subscriber;
    group.leave(subscriber);
    group.size -= 1;
    if (group.size === 0) this.#groups.remove(group);
  }
}

/** The same for listeners of whom the same verdict holds. */
function whoOf(listener: Listener): unknown {
  switch (listener.kind) {
    case 'key':
      return listener.keyId;
    case 'user':
      return listener.user;
    case 'admin':
      return null;
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
