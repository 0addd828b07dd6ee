/** The header `Idempotency-Key` (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/), and the digest of what is asked for. */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';

const keyPattern = /^[\x21-\x7e]{1,255}$/;
const keyRule = '1 to 255 visible ASCII characters';

/** The key, or null without one. Throws `bad_request` for a malformed one. */
export function readIdempotencyKey({ headers }: IncomingMessage): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && keyPattern.test(key)) return key;
  throw wrongHeader('Idempotency-Key', 'the key is malformed', keyRule);
}

/** Two requests with the same digest ask for the same write. `said` is all that the write depends on; what is undefined counts as null. */
export function fingerprintOf(said: readonly (JsonValue | undefined | Record<string, unknown>)[]): string {
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url');
}

/** `bad_request` for a header. */
export function wrongHeader(field: string, message: string, allowed: string): Problem {
  return new Problem('bad_request', `The header ${field}: ${message} (allowed: ${allowed}).`, {
    errors: [{ field, message, allowed }],
  });
}
