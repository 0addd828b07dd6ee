/**
 * A view: the form in which a kind of stream shows events. It says what a stream opens with, how an event looks, and how a ping
 * does; ids, cursor moves and resets are the hub's and the same for all.
 */
import type { LogEvent } from '@tidewire/change-log/log-event';
import { encodeBlock } from '@tidewire/sse/encode';

export interface StreamView {
  readonly name: string;
  /** Blocks that a stream begins with, before its first cursor; empty for none. */
  opening(): string;
  /** The event's block with its id, as bytes. Encoded once and shared by every stream of this view. */
  encode(event: LogEvent): Buffer;
}

/** A view whose encodings are kept as long as the event itself is. */
function createView(name: string, opening: string, encode: (event: LogEvent) => string): StreamView {
  const encoded = new WeakMap<LogEvent, Buffer>();
  return {
    name,
    opening: () => opening,
    encode(event) {
      const present = encoded.get(event);
      if (present !== undefined) return present;
      const bytes = Buffer.from(encode(event));
      encoded.set(event, bytes);
      return bytes;
    },
  };
}

/**
 * restdb.io's typed stream: `post` with the whole document, `put` with the id, `delete` with a list of ids, and `publish`.
 * A client of theirs waits for the `init` message and asks for a reconnection time of 2 s.
 */
export const restdbView: StreamView = createView(
  'restdb',
  encodeBlock({ retry: 2000 }) + encodeBlock({ data: '{"channel":"init","data":{}}' }),
  (event) => encodeBlock({ id: event.id, event: event.type, data: restdbData(event) }),
);

/** The JSON text of an event as `/realtime` sends it: `{"event","collection","data"}`, or `{"event","data"}` of a custom one. */
export function restdbData(event: LogEvent): string {
  if (event.type === 'publish') return `{"event":${JSON.stringify(event.name)},"data":${event.data}}`;
  const subject = `{"event":"${event.type}","collection":${JSON.stringify(event.collection)},"data":`;
  if (event.type === 'post') return `${subject}${event.after}}`;
  return event.type === 'put' ? `${subject}"${event.documentId}"}` : `${subject}["${event.documentId}"]}`;
}

/** What the dashboard's console shows: every event of the database, with who did it. */
export const adminView: StreamView = createView('admin', encodeBlock({ retry: 2000 }), (event) =>
  encodeBlock({ id: event.id, event: 'log', data: encodeAdminEvent(event) }),
);

/** The JSON of `AdminEvent` in `@tidewire/protocol/admin-api`. */
export function encodeAdminEvent(event: LogEvent): string {
  const { id, type, collection, documentId, name, actor, operationId, at } = event;
  const head = JSON.stringify({ id, type, collection, documentId, name, actor, operationId, at });
  return `${head.slice(0, -1)},"data":${event.data ?? event.after ?? event.before ?? 'null'}}`;
}
