/** A name for each request, by which a caller and the log speak of the same one. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

const pattern = /^[\w-]{8,64}$/;
const ids = new WeakMap<ServerResponse, string>();

/**
 * The id of the request that this response answers: the caller's `X-Request-Id` when it is 8 to 64 letters, digits, `_` or `-`, so that
 * it can stand in headers and logs; else a new UUID. The same one each time it is asked for.
 */
export function requestIdOf(response: ServerResponse<IncomingMessage>): string {
  const present = ids.get(response);
  if (present !== undefined) return present;
  const given = response.req.headers['x-request-id'];
  const id = typeof given === 'string' && pattern.test(given) ? given : randomUUID();
  ids.set(response, id);
  return id;
}
