/** An entry of the event log, as it travels from the lane to the sockets. Immutable; ids are dense within a database. */
import type { EventType } from '@tidewire/protocol/channel';

/** JSON values are kept as text: they are written once and only handed on. `at` is ISO 8601 with milliseconds, UTC. */
export type LogEvent = {
  readonly id: number;
  readonly type: EventType;
  readonly collectionId: number | null;
  /** The collection's name; null for `publish`. */
  readonly collection: string | null;
  readonly documentId: string | null;
  /** The whole document before a `put` or `delete`, with metafields. */
  readonly before: string | null;
  /** The whole document after a `post` or `put`, with metafields. */
  readonly after: string | null;
  /** The custom event's name and data; of a `rename`, `name` is the collection's new one. Null for all others. */
  readonly name: string | null;
  readonly data: string | null;
  readonly actor: string;
  readonly operationId: string;
  readonly at: string;
};

/** Bytes that an event is counted with where memory is bounded; a little more than its texts. */
export function sizeOf(event: LogEvent): number {
  return 300 + 2 * ((event.before?.length ?? 0) + (event.after?.length ?? 0) + (event.data?.length ?? 0));
}
