/** Cross-origin requests (WHATWG Fetch, section 3.2) to the routes that are called with a key. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { mayUseFromOrigin } from '@tidewire/access/admission';
import type { Rights } from '@tidewire/access/rights';
import { Problem } from '@tidewire/protocol/problem';
import { requestIdOf } from './request-id.js';

const allowedHeaders = [
  'content-type',
  'x-apikey',
  'authorization',
  'last-event-id',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'prefer',
  'cache-control',
  'x-http-method-override',
  'x-request-id',
].join(', ');
const exposedHeaders =
  'X-Event-Id, X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, X-Pagination, X-Next-Cursor, Link, ETag, Location, Preference-Applied';
/** Two hours, the most that Chromium keeps it. */
const MAX_AGE_S = '7200';

/** True for the question that a browser asks before a request of another origin. */
export function isPreflight(request: IncomingMessage): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.headers.origin !== undefined &&
    request.headers['access-control-request-method'] !== undefined
  );
}

/**
 * Answers a preflight, for any origin: it carries no key, so nobody can know yet which origins are allowed. The real request decides
 * (`mayUseFromOrigin`). Without cookies, so `*` is enough and every cache may share the answer.
 */
export function answerPreflight(response: ServerResponse): void {
  response.writeHead(204, {
    'Access-Control-Allow-Origin': '*',
    'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
    'Access-Control-Allow-Headers': allowedHeaders,
    'Access-Control-Max-Age': MAX_AGE_S,
    'X-Request-Id': requestIdOf(response),
  });
  response.end();
}

/**
 * Decides on the origin of a request whose caller is known, and lets the page read the answer when it is allowed. Call it before the answer
 * begins. Throws `origin_refused`; that answer then carries no CORS headers.
 */
export function admitOrigin(rights: Rights, request: IncomingMessage, response: ServerResponse): void {
  const { origin, host } = request.headers;
  if (origin === undefined) return;
  if (!mayUseFromOrigin(rights, origin, host)) {
    throw new Problem(
      'origin_refused',
      'The key may not be used by pages of this origin. Add the origin to the list of the key.',
    );
  }
  allowOrigin(response, origin);
  // A page may ask with credentials (`EventSource` with `withCredentials`), and may then read only what says so. Not by the `*` of a list: that is for use without.
  if (rights.origins.includes(origin)) response.setHeader('Access-Control-Allow-Credentials', 'true');
}

/**
 * Lets any page read a refusal that came before the key was known (a missing or wrong key, an unknown route), so that a developer sees
 * the reason and not only that something failed.
 */
export function allowReadingRefusal(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  const isRefusedOrigin = error instanceof Problem && error.code === 'origin_refused';
  if (request.headers.origin === undefined || isRefusedOrigin || response.headersSent) return;
  if (!response.hasHeader('Access-Control-Allow-Origin')) allowOrigin(response, '*');
}

/**
 * Lets any page read an answer that only says when to come back, before the key is known, with credentials or without. An `EventSource` that may not read its answer
 * gives up for good, as on a refusal (WHATWG HTML, section 9.2.3). Nothing when the origin was admitted already.
 */
export function allowReadingRetry(request: IncomingMessage, response: ServerResponse): void {
  const { origin } = request.headers;
  if (origin === undefined || response.hasHeader('Access-Control-Allow-Origin')) return;
  allowOrigin(response, origin);
  response.setHeader('Access-Control-Allow-Credentials', 'true');
}

/** Lets the page of this origin read the answer. Call it before the answer begins, once the origin is known to be allowed. */
export function allowOrigin(response: ServerResponse, origin: string): void {
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', exposedHeaders);
  response.setHeader('Vary', 'Origin');
}
