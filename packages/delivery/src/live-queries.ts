/**
 * The live queries of one database in this process: found by their source's key, so that equal ones are one; and found by what a change could concern, so that a change costs
 * nothing for those that it does not touch.
 */
import type { KnownUser } from '@tidewire/access/principal';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { JsonObject } from '@tidewire/query/json';
import type { LiveSource } from '@tidewire/query/live-source';
import { frameText } from '@tidewire/sse/chunk';
import { encodeBlock } from '@tidewire/sse/encode';
import { LiveQuery, type Viewer } from './live-query.js';
import { LiveQueryIndex } from './live-query-index.js';
import type { DocumentChange } from './live-state.js';
import { retryOfSlot } from './stream-view.js';

export type LiveQueriesOptions = {
  limits: { pendingLimitBytes: number; heartbeatSeconds: number; stallLimitSeconds: number; maxAgeSeconds: number };
  random: () => number;
  /** The event up to which everything was offered. */
  position: () => number;
  /** Asks for `flush` to be called soon. */
  requestFlush: () => void;
  onError: (error: unknown) => void;
};

/** Seconds that a live query without viewers is kept, so that a reconnect finds it warm. */
const IDLE_SECONDS = 5;
/** When a stream ends because its client is to ask again. */
const COME_BACK_MS = 100;

export class LiveQueries {
  readonly #options: LiveQueriesOptions;
  readonly #byKey = new Map<string, LiveQuery>();
  /** Queries on documents, by collection. */
  readonly #indexes = new Map<string, LiveQueryIndex<LiveQuery>>();
  /** Answers that are read anew, by each collection that they depend on. */
  readonly #rereads = new Map<string, Set<LiveQuery>>();
  /** Answers that are read anew after every event. */
  readonly #rereadsOfAll = new Set<LiveQuery>();
  /** Where each query is found: the collections of those that are read anew, null for the others. */
  readonly #filed = new Map<LiveQuery, ReadonlySet<string> | 'all' | null>();
  readonly #dirty = new Set<LiveQuery>();
  /** Viewers by the second of the heartbeat's round, so that a second costs a part of them. */
  readonly #viewers: readonly Set<Viewer>[];
  /** Nobody looks at them. */
  readonly #lonely = new Set<LiveQuery>();
  /** Those that are read anew by the second. */
  readonly #timed = new Set<LiveQuery>();
  /** Nobody's `until` is before this. */
  #soonest = Number.POSITIVE_INFINITY;
  #slots = 0;

  constructor(options: LiveQueriesOptions) {
    this.#options = options;
    this.#viewers = Array.from({ length: options.limits.heartbeatSeconds }, () => new Set<Viewer>());
  }

  /** Live queries that are kept up to date. */
  get size(): number {
    return this.#byKey.size;
  }

  get viewerCount(): number {
    return this.#viewers.reduce((sum, { size }) => sum + size, 0);
  }

  /** The live query of the source, with a state to show. Rejects when it cannot be read. */
  async open(source: LiveSource): Promise<LiveQuery> {
    const present = this.#byKey.get(source.key);
    const query = present ?? this.#begin(source);
    try {
      await query.ready();
      return query;
    } catch (error) {
      if (query.isIdle) this.#end(query);
      throw error;
    }
  }

  /** The place of a new viewer in the round of the heartbeats. */
  nextSlot(): number {
    return this.#slots++ % this.#options.limits.heartbeatSeconds;
  }

  /** Events in order, each once. */
  offer(events: readonly LogEvent[]): void {
    if (this.#byKey.size === 0) return;
    for (const event of events) this.#offerOne(event);
  }

  /** Events were lost for this process: everything is read anew. */
  lose(): void {
    for (const query of this.#byKey.values()) query.markStale();
  }

  flush(): void {
    const due = [...this.#dirty];
    this.#dirty.clear();
    for (const query of due) query.flush();
  }

  /** Once a second. */
  tick(second: number, now: number): void {
    const { heartbeatSeconds } = this.#options.limits;
    const slot = second % heartbeatSeconds;
    const data = new Date(now).toISOString();
    const ping = frameText(
      encodeBlock({ event: 'ping', data, ...retryOfSlot(slot, heartbeatSeconds, this.viewerCount) }),
    );
    for (const viewer of this.#viewers[slot] ?? []) {
      if (viewer.state === 'stalled') this.#giveUpStalled(viewer, second);
      else if (this.#isOfAge(viewer, second)) this.end(viewer, { retry: 100 + 900 * this.#options.random() });
      else if (viewer.state === 'live') viewer.sink.write(ping);
    }
    for (const query of this.#timed) {
      const { source } = query;
      if (source.kind === 'reread' && second % (source.everySeconds ?? 1) === 0) query.markStale();
    }
    for (const query of this.#lonely) this.#endWhenIdle(query, second);
  }

  applyConfiguration(database: CatalogDatabase): void {
    for (const query of this.#byKey.values())
      if (query.source.kind === 'reread' && query.source.isOfConfiguration) query.markStale();
    for (const viewer of [...this.viewers()]) this.judge(viewer, database);
  }

  /** Something about one user is new. */
  applyUser(user: KnownUser, database: CatalogDatabase): void {
    for (const viewer of [...this.viewers()]) if (viewer.onlooker.user === user) this.judge(viewer, database);
  }

  /** Whose verdict is over is asked again. Costs nothing while none is. */
  applyTime(now: number, database: CatalogDatabase): void {
    if (now < this.#soonest) return;
    this.#soonest = Number.POSITIVE_INFINITY;
    for (const viewer of [...this.viewers()]) {
      if (viewer.until <= now) this.judge(viewer, database);
      else this.#soonest = Math.min(this.#soonest, viewer.until);
    }
  }

  /** Asks whether the viewer may stay, and ends its stream when it may not. */
  judge(viewer: Viewer, database: CatalogDatabase): void {
    const standing = viewer.onlooker.verdict(database);
    switch (standing.status) {
      case 'open':
        viewer.until = standing.until;
        this.#soonest = Math.min(this.#soonest, standing.until);
        return;
      case 'return':
        this.end(viewer, { retry: COME_BACK_MS });
        return;
      case 'ended':
        this.end(viewer, { event: standing.event, data: JSON.stringify({ reason: standing.reason }) });
    }
  }

  /** Ends a viewer's stream with a last block, or without one. */
  end(viewer: Viewer, last?: { event?: string; data?: string; retry?: number }): void {
    if (viewer.state === 'ended') return;
    if (last !== undefined && viewer.state !== 'stalled') viewer.sink.write(frameText(encodeBlock(last)));
    viewer.form.query.leave(viewer);
    viewer.sink.end();
  }

  *viewers(): Iterable<Viewer> {
    for (const viewers of this.#viewers) yield* viewers;
  }

  close(): void {
    for (const query of [...this.#byKey.values()]) {
      for (const viewer of [...query.viewers()]) this.end(viewer);
      this.#end(query);
    }
  }

  #begin(source: LiveSource): LiveQuery {
    const { limits, position, onError } = this.#options;
    const query: LiveQuery = new LiveQuery(source, {
      pendingLimitBytes: limits.pendingLimitBytes,
      position,
      requestFlush: (dirty) => {
        this.#dirty.add(dirty);
        this.#options.requestFlush();
      },
      onJoin: (viewer) => {
        this.#viewers[viewer.slot]?.add(viewer);
        this.#lonely.delete(query);
      },
      onLeave: (viewer) => {
        this.#viewers[viewer.slot]?.delete(viewer);
        if (query.viewerCount === 0) this.#lonely.add(query);
      },
      onDependencies: (changed, collections) => this.#fileAgain(changed, collections),
      onRefused: (refused) => {
        for (const viewer of [...refused.viewers()]) this.end(viewer, { retry: COME_BACK_MS });
        this.#end(refused);
      },
      onError,
      now: () => performance.now(),
    });
    this.#byKey.set(source.key, query);
    this.#lonely.add(query);
    this.#file(query, []);
    return query;
  }

  #end(query: LiveQuery): void {
    const { key } = query.source;
    if (this.#byKey.get(key) !== query) return;
    this.#byKey.delete(key);
    this.#lonely.delete(query);
    this.#unfile(query);
    this.#dirty.delete(query);
    query.close();
  }

  /** `more`: collections that the answer depends on besides those of its source. */
  #file(query: LiveQuery, more: readonly string[]): void {
    const { source } = query;
    if (source.kind === 'window') {
      this.#filed.set(query, null);
      this.#indexOf(source.collection).add(query, source.filter);
      return;
    }
    const { collections } = source;
    if (source.everySeconds !== null) this.#timed.add(query);
    const all = collections === 'all' ? collections : new Set([...collections, ...more]);
    this.#filed.set(query, all);
    if (all === 'all') this.#rereadsOfAll.add(query);
    else for (const name of all) this.#rereadsOf(name).add(query);
  }

  #unfile(query: LiveQuery): void {
    const filed = this.#filed.get(query);
    this.#filed.delete(query);
    this.#rereadsOfAll.delete(query);
    this.#timed.delete(query);
    if (filed === null) this.#removeFromIndexes(query);
    if (filed === undefined || filed === null || filed === 'all') return;
    for (const name of filed) {
      const queries = this.#rereads.get(name);
      queries?.delete(query);
      if (queries?.size === 0) this.#rereads.delete(name);
    }
  }

  /** What has come since the answer was read may have been missed under the new names. */
  #fileAgain(query: LiveQuery, collections: readonly string[]): void {
    const { source } = query;
    const filed = this.#filed.get(query);
    if (filed === undefined || source.kind === 'window' || filed === 'all') return;
    const wanted = source.collections === 'all' ? null : new Set([...source.collections, ...collections]);
    const isSame =
      filed !== null && wanted !== null && wanted.size === filed.size && [...wanted].every((name) => filed.has(name));
    if (isSame) return;
    const isWider = filed === null || wanted === null || [...wanted].some((name) => !filed.has(name));
    this.#unfile(query);
    this.#file(query, collections);
    if (isWider) query.markStale();
  }

  #removeFromIndexes(query: LiveQuery): void {
    for (const [collection, index] of this.#indexes) {
      index.remove(query);
      if (index.size === 0) this.#indexes.delete(collection);
    }
  }

  #offerOne(event: LogEvent): void {
    const { collection, documentId } = event;
    for (const query of this.#rereadsOfAll) query.markStale();
    if (collection === null) return;
    if (event.type === 'rename' || event.type === 'drop') {
      this.#readAnew(collection);
      if (event.name !== null) this.#readAnew(event.name);
      return;
    }
    for (const query of this.#rereads.get(collection) ?? []) {
      const isOfRows = event.type === 'delete' && query.source.collection === collection && documentId !== null;
      if (isOfRows) query.offer({ id: event.id, documentId, before: null, after: null });
      else query.markStale();
    }
    const index = this.#indexes.get(collection);
    if (index === undefined || documentId === null) return;
    const before = parse(event.before);
    const after = parse(event.after);
    const change: DocumentChange = { id: event.id, documentId, before, after };
    const documents = [before, after].filter((document) => document !== null);
    for (const query of index.candidates(documents)) query.offer(change);
  }

  /** The name means another set of documents now. */
  #readAnew(collection: string): void {
    for (const query of this.#rereads.get(collection) ?? []) query.markStale();
    for (const query of this.#byKey.values())
      if (query.source.kind === 'window' && query.source.collection === collection) query.markStale();
  }

  /** Streams are ended after some time, so that connections spread over processes anew; a quarter more or less by chance. */
  #isOfAge(viewer: Viewer, second: number): boolean {
    const { limits, random } = this.#options;
    if (limits.maxAgeSeconds === 0) return false;
    viewer.endsAt ??= second + Math.max(1, Math.round(limits.maxAgeSeconds * (0.75 + 0.5 * random())));
    return second >= viewer.endsAt;
  }

  #giveUpStalled(viewer: Viewer, second: number): void {
    if (viewer.stalledAt < 0) viewer.stalledAt = second;
    if (second - viewer.stalledAt < this.#options.limits.stallLimitSeconds) return;
    viewer.form.query.leave(viewer);
    viewer.sink.destroy();
  }

  #endWhenIdle(query: LiveQuery, second: number): void {
    if (!query.isIdle) {
      query.idleSince = null;
      return;
    }
    query.idleSince ??= second;
    if (second - query.idleSince >= IDLE_SECONDS) this.#end(query);
  }

  #indexOf(collection: string): LiveQueryIndex<LiveQuery> {
    const present = this.#indexes.get(collection);
    if (present !== undefined) return present;
    const index = new LiveQueryIndex<LiveQuery>();
    this.#indexes.set(collection, index);
    return index;
  }

  #rereadsOf(collection: string): Set<LiveQuery> {
    const present = this.#rereads.get(collection);
    if (present !== undefined) return present;
    const queries = new Set<LiveQuery>();
    this.#rereads.set(collection, queries);
    return queries;
  }
}

/** Our own text, out of the log. */
function parse(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}
