/** Reads the body of a request as text, piece by piece: for bodies without a bound, which nobody may hold as a whole. */
import type { IncomingMessage } from 'node:http';
import { TextDecoder } from 'node:util';
import { Problem } from '@tidewire/protocol/problem';
import { pauseLimitMs, tooSlowBody } from './body-time.js';

/** What is read and thrown away after the reader has left, so that the client sees the answer; then the socket is closed. */
const discardLimitBytes = 64 * 1024 * 1024;

/**
 * The text in UTF-8, as fast as it is taken. When the reader leaves, the rest of the body runs into nothing and the answer can still be sent. Throws a Problem:
 * `unsupported_media_type` (compressed), `request_timeout` (no further piece within a minute), `bad_request` (no UTF-8, or the client went away).
 */
export async function* readTextBody(request: IncomingMessage): AsyncGenerator<string> {
  let isComplete = false;
  request.on('error', ignore);
  try {
    refuseCompressed(request);
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    for await (const chunk of withPauseLimit(request.iterator({ destroyOnReturn: false })))
      yield decode(decoder, chunk, true);
    isComplete = request.complete;
    if (!isComplete) throw broken();
    yield decode(decoder, undefined, false);
  } catch (error) {
    throw error instanceof Problem ? error : broken(error);
  } finally {
    if (!isComplete) discard(request);
  }
}

/** The time in which the reader is busy does not count. */
async function* withPauseLimit(pieces: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  let isWaiting = false;
  try {
    for (;;) {
      isWaiting = true;
      const piece = await within(pauseLimitMs, pieces.next());
      isWaiting = false;
      if (piece.done === true) return;
      yield piece.value;
    }
  } finally {
    // Who waits for a piece would have to wait for it here, too.
    if (!isWaiting) await pieces.return?.();
  }
}

function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooSlowBody(limitMs)), limitMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function decode(decoder: TextDecoder, chunk: Buffer | undefined, stream: boolean): string {
  try {
    return decoder.decode(chunk, { stream });
  } catch (cause) {
    throw new Problem('bad_request', 'The body is not valid UTF-8.', { cause });
  }
}

function refuseCompressed({ headers }: IncomingMessage): void {
  const encoding = headers['content-encoding'];
  if (encoding === undefined || encoding.toLowerCase() === 'identity') return;
  throw new Problem(
    'unsupported_media_type',
    'Compressed bodies are not taken. Send the body without Content-Encoding.',
    { headers: { 'Accept-Encoding': 'identity' } },
  );
}

function broken(cause?: unknown): Problem {
  return new Problem('bad_request', 'The connection broke before the body was complete.', { cause });
}

function discard(request: IncomingMessage): void {
  let discarded = 0;
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > discardLimitBytes) request.destroy();
  });
  request.resume();
}

function ignore(): void {}
