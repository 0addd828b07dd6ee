/**
 * How long the body of a request may take to arrive. Node's own limit (`requestTimeout`) is one for all requests and would end an import of many minutes, so
 * the server runs without it, and each reader of a body asks here.
 */
import type { IncomingMessage } from 'node:http';
import { Problem } from '@tidewire/protocol/problem';
import type { RequestHandler } from 'express';

/** For a whole body of the ordinary size. */
export const bodyLimitMs = 60_000;
/** For the next piece of a body without a bound. */
export const pauseLimitMs = 60_000;
/** For what a client still sends after it has its answer. */
const restLimitMs = 10_000;

/** `request_timeout`: what was expected within the time did not come. */
export function tooSlowBody(limitMs: number): Problem {
  return new Problem(
    'request_timeout',
    `The body did not arrive within ${limitMs / 1000} s. Nothing of this request was stored, unless it says so here.`,
    { headers: { Connection: 'close' } },
  );
}

/** Closes the connection of a client that goes on sending a body after its request was answered. */
export const closeAfterAnswer: RequestHandler = (request, response, next) => {
  if (hasBody(request)) response.once('finish', () => closeUnlessComplete(request));
  next();
};

function closeUnlessComplete(request: IncomingMessage): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => {
    if (!request.complete) request.destroy();
  }, restLimitMs);
  request.once('close', () => clearTimeout(timer));
}

/** Whether a body comes with the request (RFC 9112, section 6.3). */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
