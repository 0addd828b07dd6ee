/**
 * The one right sequence of events of a stream, as bytes. Whichever subscriber is first extends it, and then it is parsed and checked:
 * ids without a hole, no number twice. All others are compared with it, byte for byte, so that each of them is checked for the price of
 * a comparison of memory.
 *
 * It holds whole event blocks only. The bytes of the last `capacity` are kept in a ring; positions count from the first byte ever.
 */
import { createHash } from 'node:crypto';

export class ReferenceStream {
  #ring;
  #capacity;
  #hash = createHash('sha256');
  /** Positions at which the blocks begin, their ids, and the times that they carry (microseconds of the monotonic clock). */
  starts = [];
  ids = [];
  sentAt = [];
  /** Index of the block with that event number. */
  #numbers = new Map();
  end = 0;
  /** @type {string[]} */
  faults = [];

  /**
   * @param {import('./dialects.mjs').Dialect} dialect
   * @param {number} [capacity] bytes
   */
  constructor(dialect, capacity = 64 * 1024 * 1024) {
    this.dialect = dialect;
    this.#capacity = capacity;
    this.#ring = Buffer.alloc(capacity);
  }

  /** @param {Buffer} block @param {{ id: string, number: number, sentAt: number }} event */
  append(block, { id, number, sentAt }) {
    if (!this.dialect.isNext(this.ids.at(-1), id)) this.#fault(`id ${id} came after ${this.ids.at(-1) ?? 'nothing'}`);
    if (this.#numbers.has(number)) this.#fault(`event number ${number} came twice, the second time with the id ${id}`);
    this.#numbers.set(number, this.starts.length);
    this.#hash.update(block);
    this.starts.push(this.end);
    this.ids.push(id);
    this.sentAt.push(sentAt);
    for (let done = 0; done < block.length; ) {
      const at = (this.end + done) % this.#capacity;
      done += block.copy(this.#ring, at, done, Math.min(block.length, done + this.#capacity - at));
    }
    this.end += block.length;
  }

  /** How many bytes of `buffer`, from `start` on and at most `length`, are those at `position`. */
  countEqual(position, buffer, start, length) {
    if (position < this.end - this.#capacity) return 0;
    let equal = 0;
    while (equal < length) {
      const at = (position + equal) % this.#capacity;
      const stretch = Math.min(length - equal, this.#capacity - at);
      const from = start + equal;
      if (this.#ring.compare(buffer, from, from + stretch, at, at + stretch) !== 0) {
        let index = 0;
        while (this.#ring[at + index] === buffer[from + index]) index += 1;
        return equal + index;
      }
      equal += stretch;
    }
    return equal;
  }

  /** The bytes between two positions, copied. */
  slice(from, to) {
    const bytes = Buffer.alloc(to - from);
    for (let done = 0; done < bytes.length; ) {
      const at = (from + done) % this.#capacity;
      done += this.#ring.copy(bytes, done, at, Math.min(this.#capacity, at + bytes.length - done));
    }
    return bytes;
  }

  /** Index of the block that holds the position; as many as there are blocks, at the end. */
  blockAt(position) {
    let low = 0;
    let high = this.starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.starts[middle] <= position) low = middle + 1;
      else high = middle;
    }
    return position >= this.end ? this.starts.length : low - 1;
  }

  hasNumber(number) {
    return this.#numbers.has(number);
  }

  /** Index of the block with that event number; undefined when it has not come. @returns {number | undefined} */
  indexOfNumber(number) {
    return this.#numbers.get(number);
  }

  /** Of all blocks so far; equal in every process whose subscribers saw the same. */
  digest() {
    return this.#hash.copy().digest('hex');
  }

  #fault(text) {
    if (this.faults.length < 20) this.faults.push(text);
  }
}
