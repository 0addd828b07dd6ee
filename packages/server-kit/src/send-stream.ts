/** Answers with text that is made while it is sent. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { apiHeaders } from './api-headers.js';
import { requestIdOf } from './request-id.js';

export type StreamedText = {
  /** With the charset. */
  type: string;
  /** Names and values, alternating. */
  headers: readonly string[];
  chunks: AsyncIterable<string>;
  /** Milliseconds after which a client that takes nothing is given up. Default 120,000. */
  stallLimitMs?: number;
};

/**
 * 200, then the text as fast as the client takes it. Resolves when all has been handed to the socket or the client has gone. Rejects with what the chunks throw;
 * the connection is then cut, so that nobody takes a part for the whole.
 */
export async function sendStream(
  response: ServerResponse,
  { type, headers, chunks, stallLimitMs = 120_000 }: StreamedText,
): Promise<void> {
  response.writeHead(200, ['Content-Type', type, ...apiHeaders, 'X-Request-Id', requestIdOf(response), ...headers]);
  try {
    for await (const chunk of chunks) {
      if (response.destroyed) return;
      if (!response.write(chunk) && !(await hasDrained(response, stallLimitMs))) return;
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

/** False when the client has gone, or was given up. */
async function hasDrained(response: ServerResponse, stallLimitMs: number): Promise<boolean> {
  const abort = new AbortController();
  const stalled = setTimeout(() => response.destroy(), stallLimitMs);
  const events = ['drain', 'close'].map((name) =>
    once(response, name, { signal: abort.signal }).catch(() => undefined),
  );
  if (!response.destroyed) await Promise.race(events);
  clearTimeout(stalled);
  abort.abort();
  return !response.destroyed;
}
