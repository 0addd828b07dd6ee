/** The headers of writes: `If-Match`, `Idempotency-Key`, `Prefer`. */
import { createHash } from 'node:crypto';
import { parseIfMatch } from '@tidewire/collections/precondition';
import type { WriteOptions } from '@tidewire/collections/writing';
import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { mediaTypeOf } from '@tidewire/server-kit/json-body';
import type { Request } from 'express';

/** What the write is about, beside its headers: what the fingerprint of an idempotency key is made of. */
export type WriteSubject = {
  /** The parsed query parameters, without the key. */
  parameters?: Record<string, unknown> | undefined;
  body?: JsonValue;
  /** Whether one document is meant, so that If-Match says something. */
  isOne: boolean;
};

const keyPattern = /^[\x21-\x7e]{1,255}$/;
const keyRule = '1 to 255 visible ASCII characters';

/** Parses the headers. Throws `bad_request` for malformed ones, and for If-Match where there is no document that it could be about. */
export function writeOptionsOf(request: Request, subject: WriteSubject): WriteOptions {
  const { 'if-match': ifMatch, 'idempotency-key': key } = request.headers;
  if (ifMatch === undefined && key === undefined) return {};
  if (ifMatch !== undefined && !subject.isOne)
    throw wrongHeader('If-Match', 'this request is not about one document', 'no If-Match here');
  return {
    ifMatch: ifMatch === undefined ? undefined : parseIfMatch(ifMatch),
    idempotency: key === undefined ? undefined : { key: checkKey(key), fingerprint: fingerprintOf(request, subject) },
  };
}

/** Whether the client wants no body (RFC 7240, section 4.2). */
export function wantsMinimal({ headers: { prefer } }: Request): boolean {
  if (prefer === undefined) return false;
  const preferences = (Array.isArray(prefer) ? prefer.join() : String(prefer)).toLowerCase().split(/[,;]/);
  const returned = preferences.map((one) => one.trim()).find((one) => one.startsWith('return='));
  return returned === 'return=minimal';
}

function checkKey(key: string | string[]): string {
  if (typeof key === 'string' && keyPattern.test(key)) return key;
  throw wrongHeader('Idempotency-Key', 'the key is malformed', keyRule);
}

/** Two requests with the same digest ask for the same write. */
function fingerprintOf(request: Request, { parameters = {}, body = null }: WriteSubject): string {
  const { collection, id = null } = request.params;
  const said = [request.method, collection, id, parameters, mediaTypeOf(request), body];
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url');
}

function wrongHeader(field: string, message: string, allowed: string): Problem {
  return new Problem('bad_request', `The header ${field}: ${message} (allowed: ${allowed}).`, {
    errors: [{ field, message, allowed }],
  });
}
