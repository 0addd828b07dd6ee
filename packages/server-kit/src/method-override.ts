/** The verb in a header, for clients that can only GET and POST (restdb.io's contract). */
import { Problem } from '@tidewire/protocol/problem';
import type { RequestHandler } from 'express';

const overrides: ReadonlySet<string> = new Set(['PUT', 'PATCH', 'DELETE']);

/** Express middleware: a POST with `X-HTTP-Method-Override: PUT`, `PATCH` or `DELETE` is that request from here on, in every respect. Throws `bad_request`. */
export const methodOverride: RequestHandler = (request, _response, next) => {
  const override = request.headers['x-http-method-override'];
  if (override === undefined || request.method !== 'POST') return next();
  const method = String(override).toUpperCase();
  if (!overrides.has(method)) {
    return next(
      new Problem('bad_request', 'The header X-HTTP-Method-Override names no method (allowed: PUT, PATCH, DELETE).'),
    );
  }
  request.method = method;
  next();
};
