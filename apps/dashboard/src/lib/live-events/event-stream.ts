/**
 * The admin event stream of one database as one shared line: pages listen to it, none opens a line of its own.
 *
 * - Listeners get events in the order of ids, each once (`id <= cursor` is dropped), in batches of at most `flushIntervalMs`.
 * - `cursor()` is the id up to which listeners have been given everything: history below it and events after it leave no gap.
 * - After a refusal or a silence the stream is opened again from the last id received. While the browser retries by itself it is left alone.
 * - `onReset` listeners are told when the server's log no longer reaches back to the cursor.
 */
import { type AdminEvent, adminEventSchema } from '@tidewire/protocol/admin-api';
import { nextStreamState, retryDelayMs, type StreamSignal, type StreamState, silenceLimitMs } from './stream-state.js';

/** The part of the browser's `EventSource` that is used. */
export type EventSourceLike = {
  readonly readyState: number;
  addEventListener(type: string, listener: (event: MessageEvent<string>) => void): void;
  close(): void;
};

export type EventStreamOptions = {
  /** Opens the stream after this id. */
  openSource: (since: number) => EventSourceLike;
  /** Everything up to this id is history, not stream. */
  since: number;
  /** Asked when the server refuses the stream; true ends it (the session is over). */
  isSignedOut: () => Promise<boolean>;
  flushIntervalMs?: number;
  random?: () => number;
};

export type EventStream = {
  getState(): StreamState;
  onStateChange(listener: () => void): () => void;
  onEvents(listener: (events: readonly AdminEvent[]) => void): () => void;
  onReset(listener: () => void): () => void;
  cursor(): number;
  close(): void;
};

const closedReadyState = 2;

export function createEventStream(options: EventStreamOptions): EventStream {
  const { flushIntervalMs = 80, random = Math.random } = options;
  const stateListeners = new Set<() => void>();
  const eventListeners = new Set<(events: readonly AdminEvent[]) => void>();
  const resetListeners = new Set<() => void>();
  let state: StreamState = { status: 'connecting' };
  let source: EventSourceLike | null = null;
  let received = options.since;
  let delivered = options.since;
  let batch: AdminEvent[] = [];
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let silenceTimer: ReturnType<typeof setTimeout> | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;

  function signal(kind: StreamSignal) {
    const next = nextStreamState(state, kind);
    if (next.status === state.status && JSON.stringify(next) === JSON.stringify(state)) return;
    state = next;
    for (const listener of stateListeners) listener();
  }

  function heard() {
    clearTimeout(silenceTimer);
    silenceTimer = setTimeout(() => {
      signal('silent');
      reopenLater();
    }, silenceLimitMs);
  }

  function take(text: string) {
    heard();
    const parsed = adminEventSchema.safeParse(parseJson(text));
    // An event that is not ours to read (a newer server) is passed over; the rest of the stream still counts.
    if (!parsed.success || parsed.data.id <= received) return;
    received = parsed.data.id;
    batch.push(parsed.data);
    flushTimer ??= setTimeout(flush, flushIntervalMs);
  }

  function flush() {
    flushTimer = undefined;
    const events = batch;
    batch = [];
    delivered = received;
    for (const listener of eventListeners) listener(events);
  }

  function reset(lastEventId: string) {
    heard();
    const id = Number(lastEventId);
    if (lastEventId !== '' && Number.isSafeInteger(id)) received = id;
    clearTimeout(flushTimer);
    flush();
    for (const listener of resetListeners) listener();
  }

  async function refused() {
    if (await options.isSignedOut()) {
      close();
      signal('ended');
      return;
    }
    signal('refused');
    reopenLater();
  }

  function reopenLater() {
    drop();
    if (state.status !== 'retrying') return;
    clearTimeout(retryTimer);
    retryTimer = setTimeout(open, retryDelayMs(state.attempt, random));
  }

  function open() {
    const opened = options.openSource(received);
    source = opened;
    const ifCurrent =
      <T>(handle: (value: T) => void) =>
      (value: T) => {
        if (source === opened) handle(value);
      };
    heard();
    opened.addEventListener(
      'open',
      ifCurrent(() => {
        heard();
        signal('opened');
      }),
    );
    opened.addEventListener('ping', ifCurrent(heard));
    opened.addEventListener(
      'log',
      ifCurrent((event: MessageEvent<string>) => take(event.data)),
    );
    opened.addEventListener(
      'reset',
      ifCurrent((event: MessageEvent<string>) => reset(event.lastEventId)),
    );
    for (const farewell of ['revoked', 'expired']) opened.addEventListener(farewell, ifCurrent(refuse));
    opened.addEventListener(
      'error',
      ifCurrent(() => {
        if (opened.readyState === closedReadyState) refuse();
        else signal('lost');
      }),
    );
  }

  function refuse() {
    drop();
    void refused();
  }

  function drop() {
    clearTimeout(silenceTimer);
    source?.close();
    source = null;
  }

  function close() {
    drop();
    clearTimeout(retryTimer);
    clearTimeout(flushTimer);
  }

  open();
  return {
    getState: () => state,
    onStateChange: (listener) => subscribe(stateListeners, listener),
    onEvents: (listener) => subscribe(eventListeners, listener),
    onReset: (listener) => subscribe(resetListeners, listener),
    cursor: () => delivered,
    close,
  };
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema then refuses it like any other foreign value.
    return undefined;
  }
}
