/**
 * The hub: every open stream of this process, by database. It hears the change bus, reads the log where the bus was silent, and
 * sends. One timer serves all heartbeats.
 */
import type { KnownUser } from '@tidewire/access/principal';
import type { ChangeBus, ChangeHint } from '@tidewire/change-log/change-bus';
import type { EventLog, LogHead } from '@tidewire/change-log/event-log';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import type { LiveSource } from '@tidewire/query/live-source';
import { audienceOf } from './audience.js';
import { DatabaseStreams, type StreamLimits, type StreamRequest } from './database-streams.js';
import type { LiveForm, Onlooker } from './live-query.js';
import { Outbox } from './outbox.js';
import type { Sink } from './sink.js';
import type { Subscriber } from './subscriber.js';

/** A stream of the events of a database. */
export type Subscription = StreamRequest & { databaseId: number };

/** A stream that shows a result. */
export type LiveSubscription = { databaseId: number; source: LiveSource; form: LiveForm; onlooker: Onlooker };

/** What the socket of a stream reports, and the way to end the stream from outside. */
export type StreamHandle = {
  drained(): void;
  closed(): void;
  /** Ends the stream with a last event that says why. Nothing when it has ended already. */
  end(event: 'revoked' | 'expired', reason: string): void;
};

/** `queries`: live queries that are kept up to date, whatever number of streams shows each. */
export type HubStats = { streams: number; behind: number; databases: number; queries: number };

export interface Hub {
  /** What the sinks of its streams write through. */
  readonly outbox: Outbox;
  /**
   * Takes over a response whose headers are sent: writes the opening, then what the listener may hear, until it ends. Rejects when
   * the log cannot be read; nothing was written then.
   */
  subscribe(subscription: Subscription): Promise<StreamHandle>;
  /**
   * Finds or begins the live query, and resolves when there is something to show: with the way to attach a response whose headers are sent. Rejects with what the read of
   * the source rejects with.
   */
  openLive(subscription: LiveSubscription): Promise<(sink: Sink) => StreamHandle>;
  /**
   * Events behind the cursor, in order and without a hole as far as the log has them, for whoever holds no stream: at once when there are any, else when some come. Null
   * when the signal aborts first, or while the streams are being ended. Rejects when the log cannot be read at the beginning.
   */
  eventsAfter(databaseId: number, cursor: number, signal: AbortSignal): Promise<readonly LogEvent[] | null>;
  /** Databases with open streams; their heads are what the once-a-second look asks for. */
  databases(): Iterable<number>;
  noteHead(head: LogHead): void;
  /** Something about the user is new: the user's streams narrow, widen or end. */
  noteUser(databaseId: number, user: KnownUser): void;
  stats(): HubStats;
  /** Ends every stream at a random time within `withinMs`, each told to come back after 0.5 to 2.5 s; then stops the timers. */
  drain(withinMs: number): Promise<void>;
}

export type HubOptions = {
  log: EventLog;
  bus: ChangeBus;
  catalog: Catalog;
  onError: (error: unknown) => void;
  limits?: Partial<StreamLimits>;
  now?: () => number;
  random?: () => number;
};

export const defaultLimits: StreamLimits = {
  pendingLimitBytes: 64 * 1024,
  ringLimitBytes: 16 * 1024 * 1024,
  heartbeatSeconds: 8,
  stallLimitSeconds: 120,
  maxAgeSeconds: 30 * 60,
};

/** Seconds that a database without streams keeps its place, so that a reconnect finds it warm. */
const IDLE_SECONDS = 60;
/** Between two looks at whose time is over. */
const CLOCK_MS = 100;

export function createHub(options: HubOptions): Hub {
  const { log, bus, catalog, onError } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const now = options.now ?? Date.now;
  const random = options.random ?? Math.random;
  const opening = new Map<number, Promise<DatabaseStreams>>();
  const databases = new Map<number, DatabaseStreams>();
  const idleSince = new Map<number, number>();
  const dirty = new Set<DatabaseStreams>();
  let second = 0;
  const outbox = new Outbox();
  /** Events of the last flush. */
  let flushed = 0;
  let isFlushDue = false;
  let isDraining = false;

  function streamsOf(databaseId: number): Promise<DatabaseStreams> {
    const present = opening.get(databaseId);
    if (present !== undefined) return present;
    const promise = open(databaseId).catch((error) => {
      opening.delete(databaseId);
      throw error;
    });
    opening.set(databaseId, promise);
    return promise;
  }

  async function open(databaseId: number): Promise<DatabaseStreams> {
    const [head] = await log.heads([databaseId]);
    if (head === undefined) throw new Error(`database ${databaseId} has no log`);
    const streams: DatabaseStreams = new DatabaseStreams({
      databaseId,
      log,
      limits,
      head,
      onError,
      random,
      requestFlush: () => requestFlush(streams),
    });
    databases.set(databaseId, streams);
    return streams;
  }

  /**
   * Events that arrive in the same turn go out as one write. After many at a time, the next ones are gathered until all sockets have had these, so that under saturation
   * each write carries more. When events come one by one, none waits for another.
   */
  function requestFlush(streams: DatabaseStreams): void {
    dirty.add(streams);
    if (isFlushDue) return;
    isFlushDue = true;
    if (flushed > 1) outbox.whenIdle(flush);
    else setImmediate(flush);
  }

  function flush(): void {
    isFlushDue = false;
    const due = [...dirty];
    dirty.clear();
    flushed = due.reduce((sum, streams) => sum + streams.flush(), 0);
  }

  function tick(): void {
    second += 1;
    for (const streams of databases.values()) {
      streams.tick(second, now());
      closeWhenIdle(streams);
    }
  }

  function closeWhenIdle(streams: DatabaseStreams): void {
    if (!streams.isIdle) {
      idleSince.delete(streams.databaseId);
      return;
    }
    const since = idleSince.get(streams.databaseId) ?? second;
    idleSince.set(streams.databaseId, since);
    if (second - since < IDLE_SECONDS) return;
    idleSince.delete(streams.databaseId);
    databases.delete(streams.databaseId);
    opening.delete(streams.databaseId);
    streams.close();
  }

  /** The database is gone: no key and no role is left in it, which ends the streams of applications; admins come back, to what there is then. */
  function closeFor(last: CatalogDatabase): void {
    const streams = databases.get(last.id);
    if (streams === undefined) return;
    streams.applyConfiguration({ ...last, keys: new Map(), roles: new Map(), collections: new Map() });
    for (const subscriber of [...streams.subscribers()]) streams.end(subscriber, farewell());
    for (const viewer of [...streams.live.viewers()]) streams.live.end(viewer, farewell());
    idleSince.delete(last.id);
    databases.delete(last.id);
    opening.delete(last.id);
    streams.close();
  }

  const stopHearing = bus.subscribe((hint) => {
    if (hint.kind === 'events') databases.get(hint.databaseId)?.offer(hint.events);
    if (hint.kind === 'head') databases.get(hint.databaseId)?.noteNewest(hint.head);
    if (hint.kind === 'ephemeral') databases.get(hint.databaseId)?.offerEphemeral(ephemeralEvent(hint));
  });
  const stopWatching = catalog.onChange((database) => databases.get(database.id)?.applyConfiguration(database));
  const stopSeeingOff = catalog.onRemove((database) => closeFor(database));
  const timer = setInterval(tick, 1_000);
  /** Streams whose key or token is over end soon after, not with the next tick. */
  const clock = setInterval(() => {
    for (const streams of databases.values()) {
      const database = catalog.peek(streams.databaseId);
      if (database !== undefined) streams.applyTime(now(), database);
    }
  }, CLOCK_MS);

  /** The last block of a stream that ends because this process does: when its client is to come back. */
  function farewell(): { retry: number } {
    return { retry: 500 + random() * 2_000 };
  }

  return {
    outbox,
    async subscribe({ databaseId, ...request }) {
      const streams = await streamsOf(databaseId);
      const subscriber = await streams.subscribe({ ...request, now });
      if (isDraining) streams.end(subscriber, farewell());
      const database = catalog.peek(databaseId);
      // The configuration may have changed while the log was asked.
      if (database !== undefined) recheck(streams, subscriber, database);
      return {
        drained: () => streams.drained(subscriber),
        closed: () => streams.remove(subscriber),
        end: (event, reason) => streams.end(subscriber, { event, data: JSON.stringify({ reason }) }),
      };
    },
    async openLive({ databaseId, source, form, onlooker }) {
      const streams = await streamsOf(databaseId);
      const query = await streams.live.open(source);
      return (sink) => {
        const viewer = query.join(onlooker, sink, streams.live.nextSlot(), form);
        const database = catalog.peek(databaseId);
        // The configuration may have changed while the result was read.
        if (database !== undefined) streams.live.judge(viewer, database);
        if (isDraining) streams.live.end(viewer, farewell());
        return {
          drained: () => query.drained(viewer),
          closed: () => query.leave(viewer),
          end: (event, reason) => streams.live.end(viewer, { event, data: JSON.stringify({ reason }) }),
        };
      };
    },
    async eventsAfter(databaseId, cursor, signal) {
      const streams = await streamsOf(databaseId);
      return isDraining ? null : streams.eventsAfter(cursor, signal);
    },
    databases: () => databases.keys(),
    noteHead(head) {
      databases.get(head.databaseId)?.noteHead(head);
    },
    noteUser(databaseId, user) {
      const database = catalog.peek(databaseId);
      if (database !== undefined) databases.get(databaseId)?.applyUser(user, database);
    },
    stats() {
      let streams = 0;
      let behind = 0;
      let queries = 0;
      for (const database of databases.values()) {
        streams += database.streamCount;
        behind += database.behind;
        queries += database.live.size;
      }
      return { streams, behind, databases: databases.size, queries };
    },
    async drain(withinMs) {
      isDraining = true;
      const ends: Promise<void>[] = [];
      const later = (end: () => void) => {
        const atRandom = new Promise<void>((resolve) => {
          setTimeout(resolve, random() * withinMs);
        });
        ends.push(atRandom.then(end));
      };
      for (const streams of databases.values()) {
        streams.releaseWaiting();
        for (const subscriber of streams.subscribers()) later(() => streams.end(subscriber, farewell()));
        for (const viewer of streams.live.viewers()) later(() => streams.live.end(viewer, farewell()));
      }
      await Promise.all(ends);
      stopHearing();
      stopWatching();
      stopSeeingOff();
      clearInterval(timer);
      clearInterval(clock);
      for (const streams of databases.values()) streams.close();
    },
  };

  function recheck(streams: DatabaseStreams, subscriber: Subscriber, database: Parameters<typeof audienceOf>[1]): void {
    const verdict = audienceOf(subscriber.listener, database);
    const isSame = verdict.status === 'open' && verdict.audience.signature === subscriber.group.audience.signature;
    if (!isSame) streams.applyConfiguration(database);
  }
}

/** An event without a number: the form in which views show it. */
function ephemeralEvent({ name, data, actor, at }: ChangeHint & { kind: 'ephemeral' }): LogEvent {
  const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
  return { id: 0, type: 'publish', ...nothing, name, data, actor, operationId: '', at };
}
