/**
 * A view: the form in which a kind of stream shows events. It says what a stream opens with, how an event looks, and how pings and notices
 * do; ids and cursor moves are the hub's and the same for all.
 */
import type { LogEvent } from '@tidewire/change-log/log-event';
import { encodeBlock, type SseBlock } from '@tidewire/sse/encode';

/** How a stream says that it is alive: `ping` with the time, or `heartbeat` with `OK`. */
export type PingForm = 'ping' | 'heartbeat';

export interface StreamView {
  readonly name: string;
  readonly ping: PingForm;
  /** Whether events that are not in the log are shown. */
  readonly showsEphemeral: boolean;
  /** Blocks that a stream begins with, before its first cursor; empty for none. */
  opening(): string;
  /** The event's block with its id (0: without one), as bytes. Encoded once and shared by every stream of this view. */
  encode(event: LogEvent): Buffer;
  /** What the server says of the stream itself: `reset`, `revoked`, `expired`. `data` is JSON text. */
  notice(event: string, data: string): SseBlock;
}

type ViewForm = {
  opening: string;
  block: (event: LogEvent) => SseBlock;
  ping?: PingForm;
  showsEphemeral?: boolean;
  notice?: (event: string, data: string) => SseBlock;
};

/** A view whose encodings are kept as long as the event itself is. `block` is the event without its id. */
export function createView(name: string, form: ViewForm): StreamView {
  const encoded = new WeakMap<LogEvent, Buffer>();
  return {
    name,
    ping: form.ping ?? 'ping',
    showsEphemeral: form.showsEphemeral ?? true,
    opening: () => form.opening,
    encode(event) {
      const present = encoded.get(event);
      if (present !== undefined) return present;
      const block = form.block(event);
      const bytes = Buffer.from(encodeBlock(event.id === 0 ? block : { id: event.id, ...block }));
      encoded.set(event, bytes);
      return bytes;
    },
    notice: form.notice ?? ((event, data) => ({ event, data })),
  };
}

/** The block of a ping; `at` is ISO 8601. */
export function pingBlock(form: PingForm, at: string): SseBlock {
  return form === 'ping' ? { event: 'ping', data: at } : { event: 'heartbeat', data: 'OK' };
}

/** What a client waits before it comes back, in milliseconds: as restdb.io asks of it. */
const RETRY_MS = 2_000;
const retry = encodeBlock({ retry: RETRY_MS });

/** How many streams of a database may come back in one second when their process dies. */
const RETURNS_PER_SECOND = 1_000;
const LONGEST_SPREAD_MS = 20_000;

/**
 * The `retry` of the pings of a slot, of `slots` that are pinged in turns. A process that is killed can tell nobody when to come back, so the streams of a large database
 * are told before: each slot another time, so that not all of them come to the next process at once. Nothing for a database of few streams.
 */
export function retryOfSlot(slot: number, slots: number, streams: number): { retry?: number } {
  if (streams <= RETURNS_PER_SECOND) return {};
  const spreadMs = Math.min(LONGEST_SPREAD_MS, (streams * 1_000) / RETURNS_PER_SECOND);
  return { retry: RETRY_MS + (spreadMs * slot) / slots };
}

/**
 * restdb.io's typed stream: `post` with the whole document, `put` with the id, `delete` with a list of ids, and `publish`; and ours, `rename` with the
 * collection's new name and `drop`.
 * A client of theirs waits for the `init` message and asks for a reconnection time of 2 s.
 */
export const restdbView: StreamView = createView('restdb', {
  opening: retry + encodeBlock({ data: '{"channel":"init","data":{}}' }),
  block: (event) => ({ event: event.type, data: restdbData(event) }),
});

/** The JSON text of an event as `/realtime` sends it: `{"event","collection","data"}`, or `{"event","data"}` of a custom one. */
export function restdbData(event: LogEvent): string {
  const { type, collection, documentId, name, after, data } = event;
  const about = (what: string | null) =>
    `{"event":"${type}","collection":${JSON.stringify(collection)},"data":${what}}`;
  switch (type) {
    case 'publish':
      return `{"event":${JSON.stringify(name)},"data":${data}}`;
    case 'post':
      return about(after);
    case 'put':
      return about(`"${documentId}"`);
    case 'delete':
      return about(`["${documentId}"]`);
    case 'rename':
      return about(JSON.stringify(name));
    case 'drop':
      return about('null');
  }
}

/** What the dashboard's console shows: every event of the database, with who did it. */
export const adminView: StreamView = createView('admin', {
  opening: retry,
  block: (event) => ({ event: 'log', data: encodeAdminEvent(event) }),
  showsEphemeral: false,
});

/**
 * MUDBASE's stream: unnamed messages `{"type","payload"}`. A change is `{"type":"customer.put","collection":"customer","payload"}` with the document, of a delete its `_id`; a custom
 * event has its own name as type and no `collection`. Notices are messages, too, for clients that listen to nothing else.
 */
export const mudbaseView: StreamView = createView('mudbase', {
  opening: retry,
  block: (event) => ({ data: mudbaseData(event) }),
  notice: (event, data) => ({ data: `{"type":"${event}","payload":${data}}` }),
});

function mudbaseData({ type, collection, documentId, name, after, data }: LogEvent): string {
  if (type === 'publish') return `{"type":${JSON.stringify(name)},"payload":${data}}`;
  const about = (payload: string | null) =>
    `{"type":${JSON.stringify(`${collection}.${type}`)},"collection":${JSON.stringify(collection)},"payload":${payload}}`;
  switch (type) {
    case 'post':
    case 'put':
      return about(after);
    case 'delete':
      return about(`{"_id":"${documentId}"}`);
    case 'rename':
      return about(`{"name":${JSON.stringify(name)}}`);
    case 'drop':
      return about('null');
  }
}

/** The JSON of `AdminEvent` in `@tidewire/protocol/admin-api`. */
export function encodeAdminEvent(event: LogEvent): string {
  const { id, type, collection, documentId, name, actor, operationId, at } = event;
  const head = JSON.stringify({ id, type, collection, documentId, name, actor, operationId, at });
  return `${head.slice(0, -1)},"data":${event.data ?? event.after ?? event.before ?? 'null'}}`;
}
