/** What the tests of this package share: events, a log in memory, and sinks that keep what they were given. */
import type { EventLog } from '@tidewire/change-log/event-log';
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { Chunk } from '@tidewire/sse/chunk';
import { createParser } from 'eventsource-parser';
import type { Sink } from './sink.js';

/** Event `id`; its collection is `c0`, `c1` or `c2` by the id, its type goes round as well. */
export function eventOf(id: number): LogEvent {
  const type = (['post', 'put', 'delete'] as const)[id % 3] ?? 'post';
  const documentId = id.toString(16).padStart(24, '0');
  const whole = `{"_id":"${documentId}","n":${id}}`;
  return {
    id,
    type,
    collectionId: 1,
    collection: `c${Math.floor(id / 2) % 3}`,
    documentId,
    before: type === 'post' ? null : whole,
    after: type === 'delete' ? null : whole,
    name: null,
    data: null,
    actor: 'system',
    operationId: '00000000-0000-0000-0000-000000000000',
    at: '2026-01-01T00:00:00.000Z',
  };
}

export const idsBetween = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

/** Pages of 7 events; each read takes a turn of the event loop. */
export function memoryLog(state: { head: number; oldest: number }): EventLog {
  return {
    heads: async () => [{ databaseId: 1, ...state, configVersion: 1 }],
    async read(_databaseId, after) {
      await new Promise((resolve) => setImmediate(resolve));
      return idsBetween(Math.max(after + 1, state.oldest), Math.min(state.head, after + 7)).map(eventOf);
    },
    readAfter: async () => [],
    readBefore: async () => [],
  };
}

/** Reads its stream as a browser would. `capacity` is what the kernel takes before bytes are pending; `drain` empties it. */
export class MemorySink implements Sink {
  readonly ids: number[] = [];
  readonly events: { event: string; id: string | undefined; data: string }[] = [];
  lastEventId = 0;
  /** When it would come back, in milliseconds; 0 when it was not told. */
  retryMs = 0;
  isEnded = false;
  isDestroyed = false;
  largestPending = 0;
  pendingBytes = 0;
  #filled = 0;
  readonly #capacity: number;
  readonly #parser = createParser({
    onRetry: (ms) => {
      this.retryMs = ms;
    },
    onEvent: ({ event, id, data }) => {
      this.events.push({ event: event ?? 'message', id, data });
      if (['post', 'put', 'delete', 'publish'].includes(event ?? '')) this.ids.push(Number(id));
    },
  });

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.#capacity = capacity;
  }

  write({ bare }: Chunk): void {
    if (this.isEnded) throw new Error('a write after the end');
    const text = bare.toString();
    this.#parser.feed(text);
    for (const [, id] of text.matchAll(/^id: (\d+)$/gm)) this.lastEventId = Number(id);
    this.#filled += bare.length;
    this.pendingBytes = Math.max(0, this.#filled - this.#capacity);
    this.largestPending = Math.max(this.largestPending, this.pendingBytes);
  }

  drain(): void {
    this.#filled = 0;
    this.pendingBytes = 0;
  }

  end(): void {
    this.isEnded = true;
  }

  destroy(): void {
    this.isDestroyed = true;
  }
}
