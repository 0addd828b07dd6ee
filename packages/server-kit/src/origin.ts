/** The address under which a request reached this server. */
import { Problem } from '@tidewire/protocol/problem';
import type { Request } from 'express';

/** A host name or address, with a port or without (RFC 9110, section 7.2). */
const hostPattern = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * `https://api.example:8443`, without a slash at the end. Behind proxies that `trust proxy` believes, their `X-Forwarded-Proto` and `X-Forwarded-Host` count. Throws
 * `bad_request` when the host is none.
 */
export function originOf(request: Request): string {
  // Express's types say that there is always a host; a request of HTTP/1.0 has none.
  const host = String(request.host);
  if (hostPattern.test(host)) return `${request.protocol === 'https' ? 'https' : 'http'}://${host}`;
  throw new Problem('bad_request', 'Links cannot be made: the request has no Host header that names a host.');
}
