/** Refuses what another site makes a browser send with our cookie (CSRF). */
import { isOwnOrigin } from '@tidewire/access/admission';
import { Problem } from '@tidewire/protocol/problem';
import type { RequestHandler } from 'express';

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Express middleware for routes with cookies: a request that changes something must come from our own pages, or from no browser at all.
 * Browsers say where it comes from in `Sec-Fetch-Site` (Fetch Metadata) or else in `Origin`; that the body must be JSON, which no form can
 * send, is seen to by the routes. Throws `origin_refused`.
 */
export const requireSameOrigin: RequestHandler = (request, _response, next) => {
  if (safeMethods.has(request.method) || isSameOrigin(request.headers)) next();
  else
    next(
      new Problem(
        'origin_refused',
        'This can only be done from the dashboard itself, not from a page of another origin.',
      ),
    );
};

function isSameOrigin(headers: {
  'sec-fetch-site'?: string | string[] | undefined;
  origin?: string | undefined;
  host?: string | undefined;
}): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false;
  const { origin, host } = headers;
  return origin === undefined || isOwnOrigin(origin, host);
}
