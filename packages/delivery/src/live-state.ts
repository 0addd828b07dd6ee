/**
 * What a live query knows: its result as it is after event `at`, kept up to date by events. A thin driver calls it; it decides when a read is needed, and what is held
 * back meanwhile.
 *
 * Invariants (the tests cite the numbers):
 * 1. While `isReady`, the state is the result after the last event that was offered, or after `readAt` when that is later.
 * 2. Events come in order, each at most once; those up to the moment of a read are in what was read and are passed over.
 * 3. At most one read is under way; what comes meanwhile waits and is bounded: beyond the limit it is dropped, and the read does not count.
 * 4. A read that was under way when events were lost does not count.
 */
import type { JsonObject } from '@tidewire/query/json';
import type { LiveRow, LiveRows, WindowSource } from '@tidewire/query/live-source';
import { LiveWindow } from './live-window.js';

/** A change of a document, parsed once for all live queries. Null: it was not there before, or is not there after. */
export type DocumentChange = {
  readonly id: number;
  readonly documentId: string;
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
};

/** Why a document is no longer on the page: it does not match any more, it is gone, or it stands before or behind the page now. */
export type LeaveReason = 'change' | 'delete' | 'window';

/** Changes that may wait for a read. */
const WAITING_LIMIT = 1_000;
/** Documents of which it is remembered how they left. */
const REMEMBERED = 10_000;

export class LiveState {
  readonly #source: WindowSource;
  readonly #window: LiveWindow<LiveRow>;
  #total: number | null = null;
  #readAt = 0;
  #isRead = false;
  #isReadVoid = false;
  #waiting: DocumentChange[] = [];
  readonly #left = new Map<string, LeaveReason>();

  constructor(source: WindowSource) {
    this.#source = source;
    const { skip, max } = source;
    const slack = Math.min(Math.max(Math.ceil(max / 2), 5), 100);
    this.#window = new LiveWindow({ skip, max, slack, compare: (a, b) => source.compare(a, b) });
  }

  /** How many rows a read must bring. */
  get wanted(): number {
    return this.#window.wanted;
  }

  /** True when `page` and `total` may be shown. */
  get isReady(): boolean {
    return this.#isRead && !this.#window.isShort;
  }

  /** The event of the last read; the state is never older than it. */
  get readAt(): number {
    return this.#readAt;
  }

  get total(): number | null {
    return this.#total;
  }

  page(): LiveRow[] {
    return this.#window.page();
  }

  /** Why a document that was on the page is not there now, as far as the events tell. */
  reasonOf(id: string): LeaveReason {
    return this.#left.get(id) ?? 'window';
  }

  /** Nobody will ask for older reasons. */
  forgetReasons(): void {
    this.#left.clear();
  }

  /** Takes in a change; true when what is shown may be another one now. While a read is wanted, changes wait for it. */
  offer(change: DocumentChange): boolean {
    if (this.isReady) return change.id > this.#readAt && this.#apply(change);
    if (this.#waiting.length < WAITING_LIMIT) this.#waiting.push(change);
    else this.#isReadVoid = true;
    return false;
  }

  /** A read begins: what was offered until now is in it. */
  beginRead(): void {
    for (const change of this.#waiting) this.#noteLeaving(change);
    this.#waiting = [];
    this.#isReadVoid = false;
  }

  /** Takes what was read, and then what has come since. Afterwards it may be short again, or the read did not count; then it must be read once more. */
  take({ at, rows, total }: LiveRows): void {
    if (this.#isReadVoid) return;
    this.#window.fill(rows);
    this.#total = total;
    this.#readAt = Math.max(this.#readAt, at);
    this.#isRead = true;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const change of waiting) {
      if (change.id <= at) this.#noteLeaving(change);
      else if (this.isReady) this.#apply(change);
      else this.#waiting.push(change);
    }
  }

  /** What is known does not count any more, nor does what is being read: the result must be read anew. */
  forget(): void {
    this.#isRead = false;
    this.#isReadVoid = true;
    this.#waiting = [];
  }

  #apply(change: DocumentChange): boolean {
    const { documentId, before, after } = change;
    const was = before !== null && this.#source.matches(before);
    const is = after !== null && this.#source.matches(after);
    if (!was && !is) return false;
    if (is) this.#left.delete(documentId);
    else this.#noteLeaving(change);
    if (this.#total !== null) this.#total += Number(is) - Number(was);
    const row = is && after !== null ? this.#source.rowOf(after) : null;
    const isConcerned = this.#window.concerns(documentId, row);
    if (isConcerned) this.#window.apply(documentId, row);
    return isConcerned || was !== is;
  }

  #noteLeaving({ documentId, after }: DocumentChange): void {
    const isMatch = after !== null && this.#source.matches(after);
    if (isMatch) this.#left.delete(documentId);
    else if (this.#left.size < REMEMBERED) this.#left.set(documentId, after === null ? 'delete' : 'change');
  }
}
