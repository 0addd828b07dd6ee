/** Where a subscriber's bytes go. */
import type { Socket } from 'node:net';
import { type Chunk, lastChunk } from '@tidewire/sse/chunk';
import type { Outbox, Sender } from './outbox.js';

export interface Sink {
  /** Hands bytes to the socket; never waits, never throws. */
  write(chunk: Chunk): void;
  /** Bytes that the kernel has not taken yet: what a slow reader costs in memory. */
  readonly pendingBytes: number;
  /** Ends the response properly, after what was written. */
  end(): void;
  /** Ends it at once, losing what is pending; the client comes back with its cursor. */
  destroy(): void;
}

/**
 * A sink over a socket whose response headers are sent. `isChunked` is false for HTTP/1.0, which knows no chunks. What is written goes out when the outbox comes to it, in one
 * write together with what has come until then.
 */
export class SocketSink implements Sink, Sender {
  readonly #socket: Socket;
  readonly #isChunked: boolean;
  readonly #outbox: Outbox;
  #first: Chunk | null = null;
  #more: Chunk[] | null = null;

  constructor(socket: Socket, isChunked: boolean, outbox: Outbox) {
    this.#socket = socket;
    this.#isChunked = isChunked;
    this.#outbox = outbox;
  }

  write(chunk: Chunk): void {
    if (this.#first !== null) {
      this.#more ??= [];
      this.#more.push(chunk);
      return;
    }
    this.#first = chunk;
    this.#outbox.add(this);
  }

  send(): void {
    const first = this.#first;
    const more = this.#more;
    this.#first = null;
    this.#more = null;
    if (first === null || this.#socket.destroyed) return;
    if (more === null) {
      this.#socket.write(this.#bytesOf(first));
      return;
    }
    this.#socket.cork();
    this.#socket.write(this.#bytesOf(first));
    for (const chunk of more) this.#socket.write(this.#bytesOf(chunk));
    this.#socket.uncork();
  }

  /** Chunks that still wait are shared with the other sinks and cost nothing here. */
  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  end(): void {
    this.send();
    if (this.#isChunked) this.#socket.end(lastChunk);
    else this.#socket.end();
  }

  destroy(): void {
    this.#first = null;
    this.#more = null;
    this.#socket.destroy();
  }

  #bytesOf({ framed, bare }: Chunk): Buffer {
    return this.#isChunked ? framed : bare;
  }
}
