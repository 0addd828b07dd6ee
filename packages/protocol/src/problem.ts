/**
 * Problems: every refusal of the API is one of these codes, sent as an RFC 9457 body (application/problem+json) that also
 * carries what restdb.io's clients read (`message`, `name`, `list`).
 */

import type { JsonObject } from './json.js';

/** Code → HTTP status and title. The code is stable; texts may change. */
export const problemCodes = {
  bad_request: { status: 400, title: 'The request is malformed' },
  invalid_json: { status: 400, title: 'The body is not valid JSON' },
  unauthenticated: { status: 401, title: 'Credentials are missing or not valid' },
  code_needed: { status: 401, title: 'A one-time code is needed' },
  forbidden: { status: 403, title: 'The credentials do not allow this' },
  realtime_off: { status: 403, title: 'Realtime is off for this key' },
  origin_refused: { status: 403, title: 'This origin may not do this' },
  not_found: { status: 404, title: 'Nothing was found there' },
  method_not_allowed: { status: 405, title: 'The method is not allowed here' },
  not_acceptable: { status: 406, title: 'No acceptable representation' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  conflict: { status: 409, title: 'The request conflicts with what is there' },
  precondition_failed: { status: 412, title: 'The document is not the one that you have seen' },
  body_too_large: { status: 413, title: 'The body is too large' },
  unsupported_media_type: { status: 415, title: 'The content type is not supported' },
  query_too_slow: { status: 422, title: 'The query takes too long' },
  validation_failed: { status: 422, title: 'The input is not valid' },
  idempotency_mismatch: { status: 422, title: 'The idempotency key belongs to another request' },
  too_many_requests: { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'An error on our side' },
  unavailable: { status: 503, title: 'The service cannot answer now' },
  outcome_unknown: { status: 503, title: 'It is not known whether the write was stored' },
} as const satisfies Record<string, { status: number; title: string }>;

/** The code of a refusal; clients may branch on it. */
export type ProblemCode = keyof typeof problemCodes;

/**
 * One wrong place of the input: where (JSON Pointer or parameter name), what is wrong, and what is allowed. `word` is restdb.io's for it: `REQUIRED` for
 * a field that is missing, else `INVALID`.
 */
export type ProblemField = { field: string; message: string; allowed?: string; word?: 'REQUIRED' };

/** The body of a refusal, RFC 9457 with our extensions and restdb.io's `message`, `name`, `list`. */
export type ProblemBody = {
  type: string;
  title: string;
  status: number;
  code: ProblemCode;
  detail: string;
  errors: ProblemField[];
  requestId?: string;
  message: string;
  name: string;
  list: { field: string; message: [string, string] }[];
};

/** An expected refusal. `detail` is public: it is shown to the caller as it is, so it never holds internals or secrets. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ProblemCode;
  readonly status: number;
  readonly detail: string;
  readonly errors: ProblemField[];
  readonly headers: Record<string, string>;
  /** Further members of the body (RFC 9457, section 3.2); none has a name that the body has already. */
  readonly extension: JsonObject;

  constructor(
    code: ProblemCode,
    detail: string,
    options: {
      errors?: ProblemField[];
      headers?: Record<string, string>;
      extension?: JsonObject;
      cause?: unknown;
    } = {},
  ) {
    super(detail, { cause: options.cause });
    this.code = code;
    this.status = problemCodes[code].status;
    this.detail = detail;
    this.errors = options.errors ?? [];
    this.headers = options.headers ?? {};
    this.extension = options.extension ?? {};
  }
}

/** The JSON body that stands for a problem on the wire. */
export function encodeProblem(problem: Problem, requestId?: string): ProblemBody {
  const { status, title } = problemCodes[problem.code];
  return {
    ...problem.extension,
    type: `urn:tidewire:problem:${problem.code}`,
    title,
    status,
    code: problem.code,
    detail: problem.detail,
    errors: problem.errors.map(({ word: _word, ...error }) => error),
    ...(requestId === undefined ? {} : { requestId }),
    message: problem.detail,
    name: problem.code === 'validation_failed' ? 'ValidationError' : title,
    list: problem.errors.map(({ field, message, word = 'INVALID' }) => ({
      field: fieldName(field),
      message: [word, message],
    })),
  };
}

/** As restdb.io names fields: `/address/city` is `address.city`. */
function fieldName(pointer: string): string {
  if (!pointer.startsWith('/')) return pointer;
  const tokens = pointer.slice(1).split('/');
  return tokens.map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~')).join('.');
}

/** A `validation_failed` problem for one field. */
export function invalid(field: string, message: string, allowed?: string): Problem {
  return invalidFields([{ field, message, ...(allowed ? { allowed } : {}) }]);
}

/** A `validation_failed` problem for several fields; its detail names them all. */
export function invalidFields(errors: ProblemField[]): Problem {
  const sentences = errors.map(
    ({ field, message, allowed }) => `${field}: ${message}${allowed ? ` (allowed: ${allowed})` : ''}`,
  );
  return new Problem('validation_failed', sentences.join('; '), { errors });
}

/** The token of a JSON Pointer (RFC 6901) for a name, with the `/` before it; a long name is cut. */
export function pointerTo(name: string | number): string {
  return `/${String(name).replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100)}`;
}
