import { type LogEvent, sizeOf } from '@tidewire/change-log/log-event';

/**
 * The newest events of one database, shared by all its subscribers: consecutive ids, bounded in bytes; the oldest go first.
 * What it no longer holds is read from the log.
 */
export class EventRing {
  readonly #limitBytes: number;
  #events: LogEvent[] = [];
  /** Events before this index have gone; they are cut off in strides, so that dropping one does not move all. */
  #from = 0;
  #bytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Consecutive to what is there; `clear` comes before a gap. */
  push(events: readonly LogEvent[]): void {
    for (const event of events) {
      this.#events.push(event);
      this.#bytes += sizeOf(event);
    }
    this.#drop();
  }

  /** Events with `after < id <= upTo`, or null when the ring does not reach back to `after + 1`. */
  slice(after: number, upTo: number): LogEvent[] | null {
    const first = this.#events[this.#from];
    if (first === undefined || first.id > after + 1) return null;
    const start = this.#from + (after + 1 - first.id);
    return this.#events.slice(start, start + (upTo - after));
  }

  clear(): void {
    this.#events = [];
    this.#from = 0;
    this.#bytes = 0;
  }

  #drop(): void {
    while (this.#bytes > this.#limitBytes) {
      const oldest = this.#events[this.#from];
      if (oldest === undefined) break;
      this.#bytes -= sizeOf(oldest);
      this.#from += 1;
    }
    if (this.#from < 1024 || this.#from * 2 < this.#events.length) return;
    this.#events.splice(0, this.#from);
    this.#from = 0;
  }
}
