/** The headers that the description of the API names: what requests may carry beside the key, and what answers carry beside their body. */
import type { Schema } from './route-table.js';

type Header = { description: string; schema: Schema };

const text: Schema = { type: 'string' };
const count: Schema = { type: 'integer', minimum: 0 };

/** Of requests, by name. */
export const requestHeaders = {
  'If-Match': { description: 'The ETag that the document must still have; else 412.', schema: text },
  'If-None-Match': { description: 'An ETag; 304 without a body when the document still has it.', schema: text },
  'Idempotency-Key': {
    description: 'The same request with the same key within 24 hours happens once and gets the same answer.',
    schema: { type: 'string', pattern: '^[\\x21-\\x7e]{1,255}$' },
  },
  Prefer: { description: 'return=minimal: an answer without a body.', schema: text },
  'X-HTTP-Method-Override': {
    description: 'The method that is meant, from clients that can only GET and POST.',
    schema: { type: 'string', enum: ['PUT', 'PATCH', 'DELETE'] },
  },
  'Last-Event-ID': { description: 'The cursor, as browsers send it when they come back.', schema: text },
} as const satisfies Record<string, Header>;

/** Of answers, by name. */
export const answerHeaders = {
  'X-Request-Id': {
    description: 'The name of the request: yours when it was a good one, else a new one.',
    schema: text,
  },
  'X-Event-Id': { description: 'The id of the last event of the write.', schema: count },
  ETag: { description: 'Changes with each write of the document.', schema: text },
  Location: { description: 'The path of the new document.', schema: text },
  'Preference-Applied': { description: 'return=minimal, when it was asked for.', schema: text },
  'X-Pagination': { description: 'total, count, skip and max as JSON; total when it is known.', schema: text },
  'X-Next-Cursor': { description: 'The cursor of the next page, when there is one.', schema: text },
  Link: { description: 'The next page, rel="next" (RFC 8288).', schema: text },
  'X-Total-Count': { description: 'How many documents come.', schema: count },
  'Content-Disposition': { description: 'A name for the file.', schema: text },
  'Set-Cookie': { description: 'The session.', schema: text },
  'Retry-After': { description: 'Seconds to wait before the next try.', schema: count },
  RateLimit: { description: 'Of a key with a limit: what is left, r, for so many seconds, t.', schema: text },
  'RateLimit-Policy': { description: 'Of a key with a limit: its requests, q, in so many seconds, w.', schema: text },
  'WWW-Authenticate': { description: 'Bearer: what is wanted is a key.', schema: text },
} as const satisfies Record<string, Header>;

/** A name of `requestHeaders`. */
export type RequestHeader = keyof typeof requestHeaders;
/** A name of `answerHeaders`. */
export type AnswerHeader = keyof typeof answerHeaders;
