/**
 * One stream of `/realtime` that behaves like a browser's `EventSource` (WHATWG HTML, section 9.2.3): it waits for the time that the server's `retry:`
 * asks for, comes back with the last id that it saw, and gives up on no status but those that a browser gives up on, which are faults here. Behind the addresses stands, as it
 * were, a load balancer: an address that refuses the connection is passed over at once.
 *
 * It checks what it reads: ids without a hole and without a double over all connections, no cursor ahead of what came, and of each event the same data as any
 * other stream of the process got.
 */
import { connect } from 'node:net';

/** What a browser waits when nobody said otherwise. */
const defaultRetryMs = 3_000;
const nowMs = () => Number(process.hrtime.bigint()) / 1e6;

/** What all streams of a process saw: the data of each id. Data of long ago is let go of, and then no longer compared. */
export class SharedEvents {
  #data = new Map();
  #keep;

  /** @param {number} [keep] events */
  constructor(keep = 100_000) {
    this.#keep = keep;
  }

  /** False when another stream got something else under this id. @param {number} id @param {string} data */
  agree(id, data) {
    const known = this.#data.get(id);
    if (known !== undefined) return known === data;
    this.#data.set(id, data);
    if (this.#data.size > this.#keep) this.#data.delete(this.#data.keys().next().value);
    return true;
  }
}

export class ReturningStream {
  #options;
  #target;
  /** @type {import('node:net').Socket | null} */
  #socket = null;
  #reader = createReader();
  #lostAt = 0;
  #askedAt = 0;
  #isStopped = false;
  #isPaused = false;
  #timer;
  retryMs = defaultRetryMs;
  /** The last id; -1 before the first. */
  cursor = -1;
  /** Number of the first event, and of the last. */
  first = 0;
  last = 0;
  isOpen = false;
  fault = '';
  /** When the stream was lost, when it asked again for the first time, and when it was open again, in ms of the monotonic clock. @type {[number, number, number][]} */
  returns = [];

  /**
   * @param {{ ports: number[], target?: number, path: string, headers: Record<string, string>, localAddress?: string, shared: SharedEvents, onOpen?: () => void }} options `target`:
   *   the index of the port to begin with
   */
  constructor(options) {
    this.#options = options;
    this.#target = options.target ?? 0;
  }

  open() {
    if (this.#isStopped) return;
    this.#askedAt ||= nowMs();
    const { ports, path, headers, localAddress } = this.#options;
    const socket = connect({ host: '127.0.0.1', port: ports[this.#target], localAddress });
    let isConnected = false;
    this.#socket = socket;
    this.#reader = createReader();
    const cursor = this.cursor < 0 ? {} : { 'Last-Event-ID': String(this.cursor) };
    const lines = Object.entries({
      Host: `127.0.0.1:${ports[this.#target]}`,
      Accept: 'text/event-stream',
      ...headers,
      ...cursor,
    });
    socket.setNoDelay(true);
    socket.on('connect', () => {
      isConnected = true;
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    });
    socket.on('data', (bytes) => this.#take(bytes));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#lost(isConnected));
  }

  /** Reads nothing until `resume`. */
  pause() {
    this.#isPaused = true;
    this.#socket?.pause();
  }

  resume() {
    this.#isPaused = false;
    this.#socket?.resume();
  }

  stop() {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #lost(wasConnected) {
    if (this.isOpen) {
      this.#lostAt = nowMs();
      this.#askedAt = 0;
    }
    this.isOpen = false;
    if (this.#isStopped || this.fault !== '') return;
    this.#target = (this.#target + 1) % this.#options.ports.length;
    // A load balancer asks the next server at once when one refuses; a client waits.
    const isPassedOver = !wasConnected && this.#target !== 0;
    this.#timer = setTimeout(() => this.open(), isPassedOver ? 0 : this.retryMs);
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    const outcome = this.#reader(bytes, (block) => this.#readBlock(block));
    if (outcome !== '') this.#fail(outcome);
    else if (this.#isPaused) this.#socket?.pause();
  }

  #fail(why) {
    this.fault ||= why;
    this.#socket?.destroy();
  }

  #readBlock(block) {
    let id = -1;
    let event = '';
    let data = '';
    for (const line of block.split('\n')) {
      if (line.startsWith('id: ')) id = Number(line.slice(4));
      else if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) data = line.slice(6);
      else if (line.startsWith('retry: ')) this.retryMs = Number(line.slice(7));
    }
    if (event === '' && data.startsWith('{"channel":"init"')) return this.#opened();
    if (event === 'reset' || event === 'revoked' || event === 'expired')
      return this.#fail(`the stream said ${event}: ${data}`);
    if (data === '' || event === 'ping') return this.#moveCursor(id);
    this.#takeEvent(id, data);
  }

  #opened() {
    this.isOpen = true;
    if (this.#lostAt > 0) this.returns.push([this.#lostAt, this.#askedAt, nowMs()]);
    this.#lostAt = 0;
    this.#options.onOpen?.();
  }

  #moveCursor(id) {
    if (id < 0) return;
    if (this.last > 0 && id !== this.last)
      return this.#fail(`the cursor was moved to ${id} when ${this.last} was the last event that came`);
    if (this.cursor > id) return this.#fail(`the cursor went back from ${this.cursor} to ${id}`);
    this.cursor = id;
  }

  #takeEvent(id, data) {
    if (this.cursor >= 0 && id !== this.cursor + 1) return this.#fail(`event ${id} came after ${this.cursor}`);
    if (!this.#options.shared.agree(id, data)) return this.#fail(`event ${id} is not what another stream got`);
    this.first ||= id;
    this.cursor = id;
    this.last = id;
  }
}

/** Takes HTTP and its chunks (RFC 9112, section 7.1) away. What it gives is called with bytes and with who takes each block; it says what is wrong, or ''. */
function createReader() {
  let state = 'head';
  let line = '';
  let left = 0;
  let text = '';

  /** Reads on to what ends the head, or the size of a chunk, in steps of what such a line may have. Gives where it read to, and whether it found the end. */
  function readUntil(end, bytes, at) {
    const before = line.length;
    const stop = Math.min(bytes.length, at + 1024);
    line += bytes.latin1Slice(at, stop);
    const found = line.indexOf(end);
    if (found < 0) return { next: stop, isEnd: false };
    line = line.slice(0, found);
    return { next: at + found + end.length - before, isEnd: true };
  }

  function readData(bytes, at) {
    const stop = Math.min(bytes.length, at + left);
    if (state === 'data') text += bytes.utf8Slice(at, stop);
    left -= stop - at;
    if (left === 0) {
      left = state === 'data' ? 2 : 0;
      state = state === 'data' ? 'line break' : 'size';
    }
    return stop;
  }

  function readLine(bytes, at) {
    const { next, isEnd } = readUntil(state === 'head' ? '\r\n\r\n' : '\r\n', bytes, at);
    if (!isEnd) return next;
    if (state === 'head') state = line.startsWith('HTTP/1.1 200') ? 'size' : 'refused';
    else {
      left = Number.parseInt(line, 16);
      state = left === 0 ? 'end' : 'data';
    }
    if (state !== 'refused') line = '';
    return next;
  }

  /** @param {Buffer} bytes @param {(block: string) => void} onBlock */
  return function read(bytes, onBlock) {
    for (let at = 0; at < bytes.length && state !== 'end' && state !== 'refused'; )
      at = state === 'head' || state === 'size' ? readLine(bytes, at) : readData(bytes, at);
    if (state === 'refused') return `the server answered ${line.split('\r\n')[0]}`;
    let begin = 0;
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n', begin)) {
      onBlock(text.slice(begin, end));
      begin = end + 2;
    }
    if (begin > 0) text = text.slice(begin);
    return '';
  };
}
