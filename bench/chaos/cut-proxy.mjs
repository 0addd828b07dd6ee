/**
 * A TCP proxy on the loopback address that breaks connections on purpose: cut after so many bytes, gone silent in both directions without
 * a word (half open), or slow.
 */
import { connect, createServer } from 'node:net';

/** @typedef {Awaited<ReturnType<typeof startCutProxy>>} CutProxy */

/** @param {number} targetPort */
export async function startCutProxy(targetPort) {
  /** @type {Set<Link>} */
  const links = new Set();
  const server = createServer((client) => {
    const link = new Link(client, connect(targetPort, '127.0.0.1'));
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
    /** Lets so many more bytes through to the client, then resets both sides. */
    cutAfter: (bytes) => newest()?.cutAfter(bytes),
    /** From now on nothing goes through, and nobody is told. */
    silence: () => newest()?.silence(),
    /** Holds back what goes to the client. */
    delay: (ms) => newest()?.delay(ms),
    close() {
      server.close();
      for (const link of links) link.destroy();
    },
  };
}

class Link {
  #client;
  #server;
  #left = Number.POSITIVE_INFINITY;
  isSilent = false;
  onClosed = () => {};

  constructor(client, server) {
    this.#client = client;
    this.#server = server;
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
    if (this.#left === 0) this.destroy();
  }

  cutAfter(bytes) {
    this.#left = bytes;
    if (bytes === 0) this.destroy();
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
    this.#client.destroy();
    this.#server.destroy();
    this.onClosed();
  }
}
