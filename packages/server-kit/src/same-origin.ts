/** Refuses what another site makes a browser send with our cookie (CSRF). */
import { isOwnOrigin } from '@tidewire/access/admission';
import { Problem } from '@tidewire/protocol/problem';
import type { Request, RequestHandler } from 'express';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Express middleware for routes with cookies: a request that changes something must come from our own pages, or from no browser at all.
 * Browsers say where it comes from in `Sec-Fetch-Site` (Fetch Metadata) or else in `Origin`; that the body must be JSON, which no form can
 * send, is seen to by the routes. Throws `origin_refused`.
 */
export const requireSameOrigin: RequestHandler = (request, _response, next) => {
  if (safeMethods.has(request.method) || isSameOrigin(request)) next();
  else
    next(
      new Problem(
        'origin_refused',
        'This can only be done from the dashboard itself, not from a page of another origin.',
      ),
    );
};

/** Over https, a page of the same host on http is another origin: whoever is on the line can write it. (On http it may be the other way round: a proxy has taken the TLS off.) */
function isSameOrigin({ headers, secure }: Pick<Request, 'headers' | 'secure'>): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return isOwnOrigin(origin, host) && !(secure && origin.startsWith('http:'));
}
