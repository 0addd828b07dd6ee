/** Subscribers that see the same bytes: the same view, audience and filter. What one of them is sent is encoded once for all. */
import type { LogEvent } from '@tidewire/change-log/log-event';
import { type Chunk, frameChunk, frameText } from '@tidewire/sse/chunk';
import { encodeBlock } from '@tidewire/sse/encode';
import type { Audience } from './audience.js';
import type { EventFilter } from './event-filter.js';
import type { StreamView } from './stream-view.js';
import type { Subscriber } from './subscriber.js';

/** Encoded stretches of the log that are kept for others who catch up over the same ground. */
const KEPT_STRETCHES = 16;

export class Group {
  readonly view: StreamView;
  readonly audience: Audience;
  readonly filter: EventFilter;
  readonly live: Subscriber[] = [];
  /** Subscribers of every state. */
  size = 0;
  /** Id of the last event that this group was shown. */
  lastVisibleId = 0;
  /** Id to which its clients' cursors were last moved in silence. */
  lastMovedId = 0;
  readonly #stretches = new Map<string, Chunk | null>();

  constructor(view: StreamView, audience: Audience, filter: EventFilter) {
    this.view = view;
    this.audience = audience;
    this.filter = filter;
  }

  /** Equal for groups that would see the same bytes. */
  static keyOf(view: StreamView, audience: Audience, filter: EventFilter): string {
    return `${view.name}\n${audience.signature}\n${filter.signature}`;
  }

  /** The event as its subscribers may see it; null when they may not hear it or did not ask for it. */
  shown(event: LogEvent): LogEvent | null {
    const seen = this.audience.see(event);
    return seen !== null && this.filter.passes(seen) ? seen : null;
  }

  #encodeShown(events: readonly LogEvent[]): Buffer[] {
    return events.flatMap((event) => {
      const seen = this.shown(event);
      return seen === null ? [] : [this.view.encode(seen)];
    });
  }

  enter(subscriber: Subscriber): void {
    subscriber.index = this.live.push(subscriber) - 1;
    subscriber.state = 'live';
  }

  leave(subscriber: Subscriber): void {
    if (subscriber.index < 0) return;
    const last = this.live.pop();
    if (last !== undefined && last !== subscriber) {
      this.live[subscriber.index] = last;
      last.index = subscriber.index;
    }
    subscriber.index = -1;
  }

  /** The events that are shown, as one chunk; null when none is. */
  encode(events: readonly LogEvent[]): Chunk | null {
    const parts: Buffer[] = [];
    for (const event of events) {
      const seen = this.shown(event);
      if (seen === null) continue;
      parts.push(this.view.encode(seen));
      this.lastVisibleId = Math.max(this.lastVisibleId, event.id);
    }
    return parts.length === 0 ? null : frameChunk(parts);
  }

  /** Events that are not in the log, as one chunk; null when none is shown. */
  encodeEphemeral(events: readonly LogEvent[]): Chunk | null {
    if (!this.view.showsEphemeral) return null;
    const parts = this.#encodeShown(events);
    return parts.length === 0 ? null : frameChunk(parts);
  }

  /** The events that are shown, as text. */
  encodeText(events: readonly LogEvent[]): string {
    return this.#encodeShown(events).join('');
  }

  /** As `encode`, remembered, and with a cursor move behind the last event when that one is left out. */
  encodeStretch(events: readonly LogEvent[]): Chunk | null {
    const key = `${events[0]?.id}-${events.at(-1)?.id}`;
    const kept = this.#stretches.get(key);
    if (kept !== undefined) return kept;
    const parts = this.#encodeShown(events);
    const last = events.at(-1);
    if (last !== undefined && this.shown(last) === null) parts.push(Buffer.from(encodeBlock({ id: last.id })));
    const chunk = parts.length === 0 ? null : frameChunk(parts);
    this.#stretches.set(key, chunk);
    const [oldest] = this.#stretches.keys();
    if (this.#stretches.size > KEPT_STRETCHES && oldest !== undefined) this.#stretches.delete(oldest);
    return chunk;
  }

  /** The block that moves the clients' cursors to `id` when the last events were left out; null when they are there already. */
  silentMove(id: number): Chunk | null {
    if (this.lastVisibleId >= id || this.lastMovedId >= id) return null;
    this.lastMovedId = id;
    return frameText(encodeBlock({ id }));
  }
}
