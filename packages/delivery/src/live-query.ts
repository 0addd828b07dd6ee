/**
 * A live query: one result, and everybody who looks at it. It is matched once for each change and encoded once for each form in which it is shown, whoever looks.
 *
 * Forms: `body` sends the whole REST body when it has changed; `delta` sends the state once and then the steps that lead from one state to the next. Each may be slowed down to
 * one message in an interval.
 *
 * Invariants (the tests cite the numbers):
 * 1. What a viewer is sent first is the state from which the steps go on that all viewers of its form are sent.
 * 2. `id` is an event after which the result was what has been sent. Of several blocks that go out together only the last has it.
 * 3. Nothing is queued for a viewer whose socket is full: when it drains it is sent the state anew.
 * 4. A window that shows a document whose text depends on others is read anew from then on.
 */
import type { KnownUser } from '@tidewire/access/principal';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { Problem } from '@tidewire/protocol/problem';
import type { LiveSource, RereadAnswer, ShownRow } from '@tidewire/query/live-source';
import { type Chunk, frameText } from '@tidewire/sse/chunk';
import { encodeBlock, type SseBlock } from '@tidewire/sse/encode';
import { type DocumentChange, type LeaveReason, LiveState } from './live-state.js';
import { diffPages, type WindowDelta } from './live-window.js';
import type { Sink } from './sink.js';

/** How a viewer is shown the result. `intervalMs`: least time between two messages, 0 for none. */
export type LiveForm = { isDelta: boolean; intervalMs: number };

/**
 * Whether a viewer may stay: `open` until it has to be asked again (milliseconds since the epoch), `ended` with the event that ends its stream; `return`: it may, but what it may
 * see is another query now, which it gets when it comes back.
 */
export type ViewerStanding =
  | { status: 'open'; until: number }
  | { status: 'return' }
  | { status: 'ended'; event: 'revoked' | 'expired'; reason: string };
/** Asked under each new configuration, and when its time is over. */
export type ViewerVerdict = (database: CatalogDatabase) => ViewerStanding;

/** Whoever looks may do so for ever. */
export const staysOpen: ViewerVerdict = () => ({ status: 'open', until: Number.POSITIVE_INFINITY });

/** Who looks. `user`: whose changes the verdict depends on; null for none's. */
export type Onlooker = { verdict: ViewerVerdict; user: KnownUser | null };

/** An open stream that looks at a live query. `joining` waits for the state; the others as for a `Subscriber`. */
export class Viewer {
  state: 'joining' | 'live' | 'stalled' | 'ended' = 'joining';
  /** The hub's second at which it stalled. */
  stalledAt = -1;
  /** The hub's second at which it is to be opened anew; null until that is set. */
  endsAt: number | null = null;
  /** Until when the verdict stands: milliseconds since the epoch. */
  until = Number.POSITIVE_INFINITY;

  constructor(
    readonly onlooker: Onlooker,
    readonly sink: Sink,
    /** The second of the heartbeat's round in which this one is pinged. */
    readonly slot: number,
    readonly form: Form,
  ) {}
}

/** The viewers of one form, and what they have been shown. */
export class Form {
  readonly viewers = new Set<Viewer>();
  /** Those that wait for the state. */
  readonly joining = new Set<Viewer>();
  page: readonly ShownRow[] = [];
  totals: string | null = null;
  body = '';
  /** The event after which the result was that; null when it is not known. */
  at: number | null = null;
  /** Which of the query's states that is. */
  version = -1;
  /** What a viewer is sent first, once somebody has needed it. */
  opening: Chunk | null = null;
  /** Milliseconds, of the driver's clock. */
  sentAt = Number.NEGATIVE_INFINITY;
  timer: NodeJS.Timeout | undefined;

  constructor(
    readonly query: LiveQuery,
    readonly options: LiveForm,
  ) {}
}

export type LiveQueryOptions = {
  /** Bytes that may wait in a socket before its viewer stops. */
  pendingLimitBytes: number;
  /** The event up to which everything was offered. */
  position: () => number;
  /** Asks for `flush` to be called soon. */
  requestFlush: (query: LiveQuery) => void;
  onJoin: (viewer: Viewer) => void;
  onLeave: (viewer: Viewer) => void;
  /** What the answer depends on is another now: `source` when the query has turned to reading anew, else the collections of an answer. */
  onDependencies: (query: LiveQuery, collections: readonly string[]) => void;
  /** A read was refused by what the query asks for: its viewers must come back to be told. */
  onRefused: (query: LiveQuery) => void;
  onError: (error: unknown) => void;
  /** Milliseconds; monotonic. */
  now: () => number;
};

/** Pause before a read that failed is tried again. */
const RETRY_MS = 1_000;

export class LiveQuery {
  #source: LiveSource;
  readonly #options: LiveQueryOptions;
  readonly #forms = new Map<string, Form>();
  /** Null when the answer is read anew each time. */
  #state: LiveState | null;
  /** The last answer that was read anew, and whether a change has come since. */
  #answer: RereadAnswer | null = null;
  #isStale = true;
  /** Documents of the answer that were deleted since it was last shown. */
  readonly #deleted = new Set<string>();
  /** Goes up with each state that may look different. */
  #version = 0;
  #isReading = false;
  #isClosed = false;
  #readAfter: NodeJS.Timeout | undefined;
  #waiting: { resolve: () => void; reject: (error: unknown) => void }[] = [];
  /** Since when nobody looks; seconds of the hub. */
  idleSince: number | null = null;

  constructor(source: LiveSource, options: LiveQueryOptions) {
    this.#source = source;
    this.#options = options;
    this.#state = source.kind === 'window' ? new LiveState(source) : null;
  }

  /** What is asked for, in the way in which it is kept up to date now. */
  get source(): LiveSource {
    return this.#source;
  }

  /** Resolves when there is a state to show. Rejects when the first read fails. */
  ready(): Promise<void> {
    if (this.#isClosed) return Promise.reject(new Error('the live query was closed'));
    if (this.#isReady) return Promise.resolve();
    this.#read();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Nobody looks, and nobody is about to. */
  get isIdle(): boolean {
    return this.#waiting.length === 0 && this.viewerCount === 0;
  }

  get viewerCount(): number {
    let count = 0;
    for (const { viewers } of this.#forms.values()) count += viewers.size;
    return count;
  }

  *viewers(): Iterable<Viewer> {
    for (const form of this.#forms.values()) yield* form.viewers;
  }

  /** The viewer is sent the state with the next flush. */
  join(onlooker: Onlooker, sink: Sink, slot: number, options: LiveForm): Viewer {
    const key = keyOf(options);
    const form = this.#forms.get(key) ?? new Form(this, options);
    this.#forms.set(key, form);
    const viewer = new Viewer(onlooker, sink, slot, form);
    form.viewers.add(viewer);
    form.joining.add(viewer);
    this.#options.onJoin(viewer);
    this.idleSince = null;
    this.#options.requestFlush(this);
    return viewer;
  }

  /** The viewer's socket has drained. */
  drained(viewer: Viewer): void {
    if (viewer.state !== 'stalled') return;
    viewer.state = 'joining';
    viewer.form.joining.add(viewer);
    this.#options.requestFlush(this);
  }

  leave(viewer: Viewer): void {
    if (viewer.state === 'ended') return;
    viewer.state = 'ended';
    const { form } = viewer;
    form.viewers.delete(viewer);
    form.joining.delete(viewer);
    if (form.viewers.size === 0) {
      clearTimeout(form.timer);
      this.#forms.delete(keyOf(form.options));
    }
    this.#options.onLeave(viewer);
  }

  /** A change of the source's collection that may concern the result. */
  offer(change: DocumentChange): void {
    if (this.#state === null) {
      if (change.after === null) this.#deleted.add(change.documentId);
      this.markStale();
    } else if (this.#state.offer(change)) {
      this.#version += 1;
      this.#options.requestFlush(this);
    } else if (!this.#state.isReady) this.#options.requestFlush(this);
  }

  /** The answer is to be read anew: something that it depends on has changed, or events were lost. */
  markStale(): void {
    this.#isStale = true;
    this.#state?.forget();
    this.#options.requestFlush(this);
  }

  /** Sends what has changed since the last flush, and the state to those who join; reads what is missing first. */
  flush(): void {
    if (this.#isClosed) return;
    if (this.#needsRead) this.#read();
    if (!this.#isReady) return;
    if (this.#state?.page().some(({ isLinked }) => isLinked)) {
      this.#readAnewFromNowOn();
      return;
    }
    for (const form of this.#forms.values()) this.#show(form);
    if ([...this.#forms.values()].some(({ timer }) => timer !== undefined)) return;
    this.#deleted.clear();
    this.#state?.forgetReasons();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#readAfter);
    for (const { timer } of this.#forms.values()) clearTimeout(timer);
    for (const { reject } of this.#waiting.splice(0)) reject(new Error('the live query was closed'));
  }

  get #isReady(): boolean {
    return this.#state === null ? this.#answer !== null : this.#state.isReady;
  }

  get #needsRead(): boolean {
    return this.#state === null ? this.#isStale : !this.#state.isReady;
  }

  /** An event after which the result is the present state. */
  get #at(): number | null {
    if (this.#state === null) return this.#answer?.at ?? null;
    return Math.max(this.#state.readAt, this.#options.position());
  }

  #read(): void {
    if (this.#isReading || this.#readAfter !== undefined) return;
    this.#isReading = true;
    this.#isStale = false;
    this.#readOnce().then(
      () => this.#endRead(),
      (error) => this.#failRead(error),
    );
  }

  async #readOnce(): Promise<void> {
    const source = this.#source;
    if (source.kind === 'window') {
      const state = this.#state;
      state?.beginRead();
      if (state !== null) state.take(await source.read(state.wanted));
      this.#version += 1;
      return;
    }
    this.#answer = await source.read();
    this.#version += 1;
    this.#options.onDependencies(this, this.#answer.collections);
  }

  #endRead(): void {
    this.#isReading = false;
    if (this.#isClosed) return;
    if (this.#isReady) for (const { resolve } of this.#waiting.splice(0)) resolve();
    if (this.#source.kind === 'reread') this.#pause(this.#source.pauseMs);
    this.#options.requestFlush(this);
  }

  #failRead(error: unknown): void {
    this.#isReading = false;
    if (this.#isClosed) return;
    this.#isStale = true;
    const isRefusal = error instanceof Problem && error.status < 500;
    // What does not fit as a window may fit as an answer; if not, the refusal is that of the REST route.
    if (isRefusal && this.#source.kind === 'window' && error.code === 'bad_request') {
      this.#readAnewFromNowOn();
      return;
    }
    const isFirst = this.#waiting.length > 0;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    if (isRefusal && !isFirst) this.#options.onRefused(this);
    else {
      if (!isFirst) this.#options.onError(error);
      this.#pause(RETRY_MS);
    }
  }

  #pause(ms: number): void {
    this.#readAfter = setTimeout(() => {
      this.#readAfter = undefined;
      if (this.#needsRead) this.#options.requestFlush(this);
    }, ms);
  }

  /** From a window to an answer that is read anew after each change. */
  #readAnewFromNowOn(): void {
    if (this.#source.kind !== 'window') return;
    this.#source = this.#source.anew;
    this.#state = null;
    this.#isStale = true;
    this.#options.onDependencies(this, []);
    this.#read();
  }

  #show(form: Form): void {
    const { options, joining } = form;
    const now = this.#options.now();
    const waitMs = form.sentAt + options.intervalMs - now;
    const hasLive = hasLiveViewer(form);
    if (!hasLive || waitMs <= 0) this.#send(form, now, hasLive);
    else if (form.timer === undefined) this.#sendLater(form, waitMs);
    if (joining.size === 0) return;
    if (!hasLive) form.sentAt = now;
    form.opening ??= frameText(this.#opening(form));
    for (const viewer of joining) {
      viewer.state = 'live';
      this.#write(viewer, form.opening);
    }
    joining.clear();
  }

  #sendLater(form: Form, waitMs: number): void {
    form.timer = setTimeout(() => {
      form.timer = undefined;
      this.#options.requestFlush(this);
    }, waitMs);
  }

  /** Brings what the form shows up to date; its live viewers are told. */
  #send(form: Form, now: number, hasLive: boolean): void {
    clearTimeout(form.timer);
    form.timer = undefined;
    if (form.version === this.#version) return;
    form.version = this.#version;
    form.at = this.#at;
    form.opening = null;
    const blocks = form.options.isDelta ? this.#step(form) : this.#nextBody(form);
    const last = blocks.at(-1);
    if (last === undefined || !hasLive) return;
    if (form.at !== null) last.id = form.at;
    form.sentAt = now;
    const chunk = frameText(blocks.map(encodeBlock).join(''));
    for (const viewer of form.viewers) if (viewer.state === 'live') this.#write(viewer, chunk);
  }

  #nextBody(form: Form): SseBlock[] {
    const body = this.#body();
    if (body === form.body) return [];
    form.body = body;
    return [{ event: this.#source.name, data: this.#framed(body) }];
  }

  #step(form: Form): SseBlock[] {
    const page = this.#page();
    const deltas = diffPages(form.page, page, (a, b) => a.text === b.text);
    form.page = page;
    const blocks = deltas.map((delta) => encodeDelta(delta, (id) => this.#reasonOf(id)));
    const totals = this.#totals();
    if (totals !== null && totals !== form.totals) blocks.push({ event: 'totals', data: `{"totals":${totals}}` });
    form.totals = totals;
    return blocks;
  }

  /** What a viewer is sent first: the state that the form shows. */
  #opening({ options, page, totals, body, at }: Form): string {
    const id = at === null ? {} : { id: at };
    if (!options.isDelta) return encodeBlock({ ...id, event: this.#source.name, data: this.#framed(body) });
    const data = `"data":[${page.map(({ text }) => text).join()}]`;
    const withTotals = totals === null ? '' : `,"totals":${totals}`;
    return encodeBlock({ ...id, event: 'snapshot', data: `{${data}${withTotals},"position":${at}}` });
  }

  #page(): readonly ShownRow[] {
    return this.#state === null ? (this.#answer?.rows ?? []) : this.#state.page();
  }

  #totals(): string | null {
    if (this.#source.kind === 'reread' || this.#state === null) return this.#answer?.totals ?? null;
    return this.#source.totalsOf(this.#state.page(), this.#state.total);
  }

  #body(): string {
    if (this.#source.kind === 'reread' || this.#state === null) return this.#answer?.body ?? '';
    return this.#source.bodyOf(this.#state.page(), this.#state.total);
  }

  #reasonOf(id: string): LeaveReason {
    if (this.#state !== null) return this.#state.reasonOf(id);
    return this.#deleted.has(id) ? 'delete' : 'change';
  }

  #framed(body: string): string {
    return `{${JSON.stringify(this.#source.name)}:${body}}`;
  }

  #write(viewer: Viewer, chunk: Chunk): void {
    viewer.sink.write(chunk);
    if (viewer.sink.pendingBytes <= this.#options.pendingLimitBytes) return;
    viewer.state = 'stalled';
    viewer.stalledAt = -1;
  }
}

function hasLiveViewer({ viewers }: Form): boolean {
  for (const { state } of viewers) if (state === 'live') return true;
  return false;
}

function keyOf({ isDelta, intervalMs }: LiveForm): string {
  return `${isDelta} ${intervalMs}`;
}

function encodeDelta(delta: WindowDelta<ShownRow>, reasonOf: (id: string) => LeaveReason): SseBlock {
  const { row } = delta;
  switch (delta.kind) {
    case 'enter':
      return { event: 'enter', data: `{"document":${row.text},"index":${delta.index}}` };
    case 'change':
      return { event: 'change', data: `{"document":${row.text},"index":${delta.index},"from":${delta.from}}` };
    case 'leave':
      return {
        event: 'leave',
        data: `{"_id":"${row.id}","from":${delta.from},"reason":"${reasonOf(row.id)}"}`,
      };
  }
}
