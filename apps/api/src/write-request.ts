/** The headers of writes: `If-Match`, `Idempotency-Key`, `Prefer`. */
import { parseIfMatch } from '@tidewire/collections/precondition';
import type { WriteOptions } from '@tidewire/collections/writing';
import type { JsonValue } from '@tidewire/protocol/json';
import { fingerprintOf, readIdempotencyKey, wrongHeader } from '@tidewire/server-kit/idempotency-key';
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

/** Parses the headers. Throws `bad_request` for malformed ones, and for If-Match where there is no document that it could be about. */
export function writeOptionsOf(request: Request, subject: WriteSubject): WriteOptions {
  const { 'if-match': ifMatch } = request.headers;
  const key = readIdempotencyKey(request);
  if (ifMatch === undefined && key === null) return {};
  if (ifMatch !== undefined && !subject.isOne)
    throw wrongHeader('If-Match', 'this request is not about one document', 'no If-Match here');
  return {
    ifMatch: ifMatch === undefined ? undefined : parseIfMatch(ifMatch),
    idempotency: key === null ? undefined : { key, fingerprint: fingerprintOf(saidBy(request, subject)) },
  };
}

/** Whether the client wants no body (RFC 7240, section 4.2). */
export function wantsMinimal({ headers: { prefer } }: Request): boolean {
  if (prefer === undefined) return false;
  const preferences = (Array.isArray(prefer) ? prefer.join() : String(prefer)).toLowerCase().split(/[,;]/);
  const returned = preferences.map((one) => one.trim()).find((one) => one.startsWith('return='));
  return returned === 'return=minimal';
}

/** All that the write depends on. */
function saidBy(request: Request, { parameters = {}, body = null }: WriteSubject) {
  const { collection, id = null, field, childId = null } = request.params;
  const said = [request.method, collection, id, parameters, mediaTypeOf(request), body];
  if (field !== undefined) said.push(field, childId);
  return said;
}
