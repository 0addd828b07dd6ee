/** Where a subscriber's bytes go. */
import type { Socket } from 'node:net';
import { type Chunk, lastChunk } from '@tidewire/sse/chunk';

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

/** A sink over a socket whose response headers are sent. `isChunked` is false for HTTP/1.0, which knows no chunks. */
export class SocketSink implements Sink {
  readonly #socket: Socket;
  readonly #isChunked: boolean;

  constructor(socket: Socket, isChunked: boolean) {
    this.#socket = socket;
    this.#isChunked = isChunked;
  }

  write(chunk: Chunk): void {
    this.#socket.write(this.#isChunked ? chunk.framed : chunk.bare);
  }

  get pendingBytes(): number {
    return this.#socket.writableLength;
  }

  end(): void {
    if (this.#isChunked) this.#socket.end(lastChunk);
    else this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
