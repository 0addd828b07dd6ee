/**
 * A TCP proxy on the loopback address that breaks connections on purpose: cut after so many bytes, gone silent in both directions without
 * a word (half open), slow, or lossy. A lost segment cannot be shown to a TCP socket: what the socket sees of it is that bytes come late, by the
 * time after which the sender repeats them, twice as long for each repetition that is lost, too (RFC 6298, 200 ms at least on Linux).
 */
import { connect, createServer } from 'node:net';

/** @typedef {Awaited<ReturnType<typeof startCutProxy>>} CutProxy */

/** Of the segments of a lossy line, so many are lost. */
const lossProbability = 0.1;
const repetitionMs = 200;

/**
 * @param {{ chooseTarget: () => import('./node-process.mjs').NodeProcess, random: import('./random.mjs').Random }} options
 *   `chooseTarget`: to whom the next connection goes, whether it is up or not
 */
export async function startCutProxy({ chooseTarget, random }) {
  /** @type {Set<Link>} */
  const links = new Set();
  const server = createServer((client) => {
    const target = chooseTarget();
    const link = new Link({ client, server: connect(target.port, '127.0.0.1'), target, random });
    links.add(link);
    link.onClosed = () => links.delete(link);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const newest = () => [...links].reverse().find((link) => !link.isSilent);
  return {
    port: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    /** Whether there is a connection that can still be broken. */
    get isUsed() {
      return newest() !== undefined;
    },
    /** Whether the newest connection is one on which something can be expected to come. */
    get isWorking() {
      const link = [...links].at(-1);
      return link !== undefined && !link.isSilent && link.target.isServing;
    },
    /** Lets so many more bytes through to the client, then ends both sides, with a reset (RST) or without. */
    cutAfter: (bytes, isReset) => newest()?.cutAfter(bytes, isReset),
    /** From now on nothing goes through, and nobody is told. */
    silence: () => newest()?.silence(),
    /** Holds back what goes to the client. */
    delay: (ms) => newest()?.delay(ms),
    /** For so long a tenth of what goes to the client is lost and repeated. */
    lose: (ms) => newest()?.lose(ms),
    close() {
      server.close();
      for (const link of links) link.destroy();
    },
  };
}

class Link {
  #client;
  #server;
  #random;
  #left = Number.POSITIVE_INFINITY;
  #isReset = false;
  #lossyUntil = 0;
  target;
  isSilent = false;
  onClosed = () => {};

  constructor({ client, server, target, random }) {
    this.#client = client;
    this.#server = server;
    this.#random = random;
    this.target = target;
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.destroy());
    }
    client.on('data', (bytes) => this.isSilent || server.write(bytes));
    server.on('data', (bytes) => this.#forward(bytes));
    server.on('end', () => this.isSilent || client.end());
    // A client that goes away while the line is silent cannot tell the server: its side stays open.
    client.on('close', () => this.isSilent || this.destroy());
    server.on('close', () => this.isSilent || this.destroy());
  }

  #forward(bytes) {
    if (this.isSilent) return;
    const passed = bytes.subarray(0, Math.min(bytes.length, this.#left));
    this.#left -= passed.length;
    if (passed.length > 0 && !this.#client.write(passed)) {
      this.#server.pause();
      this.#client.once('drain', () => this.#server.resume());
    }
    if (this.#left === 0) return this.destroy();
    let ms = 0;
    if (performance.now() < this.#lossyUntil)
      for (let wait = repetitionMs; this.#random.chance(lossProbability); wait *= 2) ms += wait;
    if (ms > 0) this.delay(ms);
  }

  cutAfter(bytes, isReset) {
    this.#left = bytes;
    this.#isReset = isReset;
    if (bytes === 0) this.destroy();
  }

  lose(ms) {
    this.#lossyUntil = performance.now() + ms;
  }

  silence() {
    this.isSilent = true;
    this.#server.pause();
  }

  delay(ms) {
    this.#server.pause();
    setTimeout(() => this.isSilent || this.#server.resume(), ms);
  }

  destroy() {
    if (this.#isReset) this.#client.resetAndDestroy();
    else this.#client.destroy();
    this.#server.destroy();
    this.onClosed();
  }
}
