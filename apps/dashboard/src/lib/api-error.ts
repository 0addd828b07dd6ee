/** What can go wrong with a request to the admin API, in the two shapes that pages show. */
import type { ProblemField } from '@tidewire/protocol/problem';
import { z } from 'zod';

const problemSchema = z.object({
  code: z.string(),
  title: z.string().default('The server refused'),
  detail: z.string(),
  errors: z.array(z.object({ field: z.string(), message: z.string(), allowed: z.string().optional() })).default([]),
  requestId: z.string().optional(),
});

/** The server refused: `detail` and `fields` are its own public words, `requestId` finds the request in its log. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string;
  /** What kind of refusal it is, in a few words. */
  readonly title: string;
  readonly detail: string;
  readonly fields: ProblemField[];
  readonly requestId: string | undefined;
  /** Seconds of the Retry-After header, when there was one. */
  readonly retryAfterSeconds: number | undefined;
  /** The whole body, for what a refusal says beyond these. */
  readonly body: unknown;

  constructor(parts: {
    status: number;
    code: string;
    title: string;
    detail: string;
    fields?: ProblemField[];
    requestId?: string | undefined;
    retryAfterSeconds?: number | undefined;
    body?: unknown;
  }) {
    super(parts.detail);
    this.status = parts.status;
    this.code = parts.code;
    this.title = parts.title;
    this.detail = parts.detail;
    this.fields = parts.fields ?? [];
    this.requestId = parts.requestId;
    this.retryAfterSeconds = parts.retryAfterSeconds;
    this.body = parts.body;
  }
}

/** The server could not be reached, so it is not known what it would have said. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** An answer in several lines ended without its last one, so it is not known how far the work came. */
export class CutOffError extends Error {
  override readonly name = 'CutOffError';
}

/** Reads a refusal. A body that is not a problem (a proxy's page, say) still gives its status in words. */
export function readRefusal(status: number, body: unknown, headers: Headers): ApiError {
  const problem = problemSchema.safeParse(body);
  const retryAfter = Number.parseInt(headers.get('retry-after') ?? '', 10);
  const shared = {
    status,
    body,
    requestId: headers.get('x-request-id') ?? undefined,
    retryAfterSeconds: Number.isFinite(retryAfter) ? retryAfter : undefined,
  };
  if (!problem.success) {
    return new ApiError({
      ...shared,
      code: 'unknown',
      title: 'The server refused',
      detail: `The server answered ${status} without an explanation.`,
    });
  }
  const { code, title, detail, errors, requestId } = problem.data;
  const fields = errors.map(({ field, message, allowed }) => ({ field, message, ...(allowed ? { allowed } : {}) }));
  return new ApiError({ ...shared, code, title, detail, fields, requestId: requestId ?? shared.requestId });
}

/** True when the session is gone and signing in again is the way on. */
export function isSignedOut(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401;
}

/** True when the server is up but this admin may not see the thing. */
export function isForbidden(error: unknown): boolean {
  return error instanceof ApiError && error.status === 403;
}
