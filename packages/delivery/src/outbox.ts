/**
 * The sockets that something is to be written to, taken in slices: between two of them the event loop has a turn, so an event that goes to thousands of streams holds up no
 * request for longer than a slice.
 *
 * Invariants (the tests cite the numbers):
 * 1. Each sender is called once for each time it was added, in the order in which they were added.
 * 2. Nothing is sent within `add`; a slice ends after about `SLICE_MS`.
 */

/** Something that sends what it has when its turn comes; must not throw. */
export type Sender = { send(): void };

/** Long enough for about a hundred writes, and short beside a commit. */
const SLICE_MS = 1.5;
/** Senders between two looks at the clock. */
const STRIDE = 16;
/** Senders that were called before their places are freed. */
const SPENT = 4_096;

export class Outbox {
  readonly #due: Sender[] = [];
  #next = 0;
  #isScheduled = false;
  #whenIdle: (() => void)[] = [];

  /** Something waits for its turn. */
  get isBusy(): boolean {
    return this.#isScheduled;
  }

  add(sender: Sender): void {
    this.#due.push(sender);
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(this.#sendSlice);
  }

  /** Calls back once when nothing waits any more. */
  whenIdle(callback: () => void): void {
    if (this.#isScheduled) this.#whenIdle.push(callback);
    else setImmediate(callback);
  }

  readonly #sendSlice = (): void => {
    const until = performance.now() + SLICE_MS;
    const due = this.#due;
    do {
      const end = Math.min(this.#next + STRIDE, due.length);
      while (this.#next < end) due[this.#next++]?.send();
    } while (this.#next < due.length && performance.now() < until);
    if (this.#next < due.length) {
      if (this.#next >= SPENT) this.#forget();
      setImmediate(this.#sendSlice);
      return;
    }
    this.#forget();
    this.#isScheduled = false;
    for (const callback of this.#whenIdle.splice(0)) callback();
  };

  #forget(): void {
    this.#due.splice(0, this.#next);
    this.#next = 0;
  }
}
