/**
 * One subscriber of a load client: takes the bytes of its socket apart (HTTP head, chunks) and holds what is left against the
 * reference stream.
 *
 * Two ways, as the bytes come:
 * - fast: they are what the reference has at this subscriber's position. Nothing is parsed.
 * - slow: a block is gathered to its end and read: the next event (it must be the reference's, or extends it) or a ping.
 *
 * A dialect whose subscribers get bytes of their own is always read the slow way, and the reference holds the numbers of the events.
 */
const LF = 10;
const noBytes = Buffer.alloc(0);

/** Of a whole frame whose length stands in one or two bytes. */
const frameLength = (bytes) => (bytes[1] === 126 ? 4 + bytes.readUInt16BE(2) : 2 + bytes[1]);

export class StreamSubscriber {
  #reference;
  #latencies;
  #head = '';
  #isChunked = false;
  /** Of the chunked coding: what comes next, and how many bytes of it. */
  #expects = 'head';
  #left = 0;
  /** Bytes of a block that is read the slow way; null on the fast way. */
  #partial = null;
  #position = 0;
  #passed = 0;
  #isJoined;
  /** The head of the answer is there. */
  hasHead = false;
  isOpen = false;
  /** Bytes of bodies that came. */
  bodyBytes = 0;
  /** Why this one is not checked any further; empty while all is well. */
  fault = '';

  /**
   * @param {import('./reference-stream.mjs').ReferenceStream} reference
   * @param {import('./latency-record.mjs').LatencyRecord | null} latencies
   * @param {{ joinsLate?: boolean }} [options] `joinsLate`: it may begin at any event that others had before or have next
   */
  constructor(reference, latencies, { joinsLate = false } = {}) {
    this.#reference = reference;
    this.#latencies = latencies;
    this.#isJoined = !joinsLate;
  }

  /** A new connection follows: what was cut off is asked for again. Gives the id of the last whole event; undefined when none came. */
  reconnect({ joinsLate = false } = {}) {
    if (this.#partial === null) this.#unread();
    this.#partial = null;
    this.#head = '';
    this.#expects = 'head';
    this.#left = 0;
    this.hasHead = false;
    this.isOpen = false;
    if (joinsLate) this.#isJoined = false;
    return this.#reference.ids[this.#reference.blockAt(this.#position) - 1];
  }

  /** True when it has seen all that any subscriber of this process has. */
  get isAtEnd() {
    return this.#isJoined && this.#position === this.#reference.end;
  }

  /** From now on its latencies are not counted. */
  forgetLatencies() {
    this.#latencies = null;
  }

  /** Takes what the socket read. The buffer is only borrowed. */
  feed(buffer, length) {
    let at = 0;
    while (at < length && this.fault === '') {
      if (this.#expects === 'head') at = this.#readHead(buffer, at, length);
      else if (this.#expects === 'size') at = this.#readSize(buffer, at, length);
      else {
        const end = Math.min(length, at + this.#left);
        if (this.#expects === 'data') {
          this.bodyBytes += end - at;
          this.#readBody(buffer, at, end);
        }
        this.#left -= end - at;
        at = end;
        if (this.#left === 0) this.#expectAfterBytes();
      }
    }
    if (this.#latencies !== null) this.#recordLatencies();
  }

  #readHead(buffer, at, length) {
    const before = this.#head.length;
    this.#head += buffer.latin1Slice(at, length);
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return length;
    const head = this.#head.slice(0, end);
    const { status, greeting } = this.#reference.dialect;
    if (!head.startsWith(`HTTP/1.1 ${status} `)) this.fault = `the server answered ${head.split('\r\n')[0]}`;
    this.#isChunked = /^transfer-encoding: *chunked$/im.test(head);
    this.#expects = this.#isChunked ? 'size' : 'data';
    this.#left = this.#isChunked ? 0 : Number.POSITIVE_INFINITY;
    this.#head = '';
    this.hasHead = true;
    this.isOpen = greeting === null;
    return at + end + 4 - before;
  }

  /** The size of a chunk in hex, up to its line feed (RFC 9112, section 7.1). */
  #readSize(buffer, at, length) {
    while (at < length) {
      const code = buffer[at++];
      if (code === LF) {
        this.#expects = 'data';
        if (this.#left === 0) this.fault = 'the server ended the stream';
        return at;
      }
      if (code !== 13) this.#left = this.#left * 16 + Number.parseInt(String.fromCharCode(code), 16);
    }
    return at;
  }

  #expectAfterBytes() {
    if (!this.#isChunked) return;
    if (this.#expects === 'data') {
      this.#expects = 'line break';
      this.#left = 2;
    } else this.#expects = 'size';
  }

  #readBody(buffer, at, end) {
    const reference = this.#reference;
    while (at < end && this.fault === '') {
      if (this.#partial === null) {
        const isKnown = this.#isJoined && !reference.dialect.hasOwnBytes;
        const known = isKnown ? Math.min(end - at, reference.end - this.#position) : 0;
        const equal = known === 0 ? 0 : reference.countEqual(this.#position, buffer, at, known);
        this.#position += equal;
        at += equal;
        if (at === end) return;
        this.#partial = this.#unread();
      }
      const isMessage = reference.dialect.framing === 'websocket';
      at = isMessage ? this.#readMessage(buffer, at, end) : this.#readBlock(buffer, at, end);
    }
  }

  /** Steps back to the beginning of the block in which the bytes began to differ. */
  #unread() {
    const reference = this.#reference;
    if (reference.dialect.hasOwnBytes) return noBytes;
    const block = reference.blockAt(this.#position);
    const start = block < reference.starts.length ? reference.starts[block] : reference.end;
    const bytes = start === this.#position ? noBytes : reference.slice(start, this.#position);
    this.#position = start;
    return bytes;
  }

  #readBlock(buffer, at, end) {
    const partial = this.#partial;
    // The blank line may be cut in two: one line feed in what was kept, the other one here.
    const isCut = partial.length > 0 && partial[partial.length - 1] === LF && buffer[at] === LF;
    const found = isCut ? 0 : buffer.subarray(at, end).indexOf('\n\n');
    if (found < 0) {
      this.#partial = Buffer.concat([partial, buffer.subarray(at, end)]);
      return end;
    }
    const after = at + found + (isCut ? 1 : 2);
    const rest = buffer.subarray(at, after);
    this.#partial = null;
    this.#take(partial.length === 0 ? rest : Buffer.concat([partial, rest]));
    return after;
  }

  /** An unmasked message of at most 64 KiB in one frame (RFC 6455, section 5.2). */
  #readMessage(buffer, at, end) {
    const partial = this.#partial;
    const rest = buffer.subarray(at, end);
    const bytes = partial.length === 0 ? rest : Buffer.concat([partial, rest]);
    const headBytes = bytes[1] === 126 ? 4 : 2;
    const length = bytes.length < headBytes ? Number.POSITIVE_INFINITY : frameLength(bytes);
    if (bytes.length < length) {
      this.#partial = Buffer.from(bytes);
      return end;
    }
    this.#partial = null;
    if (bytes[0] === 0x81 && bytes[1] < 127)
      this.#takeBlock(bytes.subarray(0, length), bytes.utf8Slice(headBytes, length));
    else if (bytes[0] !== 0x89) this.fault = `a frame that begins with ${bytes[0]}, ${bytes[1]} came`;
    return at + length - partial.length;
  }

  #take(block) {
    this.#takeBlock(block, block.utf8Slice(0, block.length - 2));
  }

  #takeBlock(block, text) {
    const reference = this.#reference;
    const read = reference.dialect.read(text);
    if (read.kind === 'fault') this.fault = read.why;
    else if (read.kind === 'event')
      this.#takeEvent(reference.dialect.hasOwnBytes ? Buffer.from(`${read.number}\n`) : block, read);
    else {
      if (read.opens) this.isOpen = true;
      const last = reference.ids[reference.blockAt(this.#position) - 1];
      if (read.id === undefined || !this.#isJoined || reference.dialect.isPassed(last, read.id)) return;
      this.fault = `the cursor was moved to ${read.id}, but the last event that came was ${last}`;
    }
  }

  #takeEvent(block, event) {
    const reference = this.#reference;
    if (!this.#isJoined) this.#join(event.number);
    const place = reference.blockAt(this.#position);
    if (place === reference.starts.length) {
      reference.append(block, event);
      this.#position = reference.end;
    } else if (reference.countEqual(this.#position, block, 0, block.length) === block.length)
      this.#position += block.length;
    else
      this.fault = `the event ${event.id || event.number} came where ${reference.ids[place] || 'another'} was due, or it differs from what others got`;
  }

  #join(number) {
    const { starts, end } = this.#reference;
    const index = this.#reference.indexOfNumber(number) ?? starts.length;
    this.#position = starts[index] ?? end;
    this.#passed = index;
    this.#isJoined = true;
  }

  #recordLatencies() {
    const { starts, sentAt, end } = this.#reference;
    const now = Number(process.hrtime.bigint() / 1000n);
    while (this.#passed < starts.length && this.#position >= (starts[this.#passed + 1] ?? end)) {
      this.#latencies.add(now - sentAt[this.#passed]);
      this.#passed += 1;
    }
  }
}
