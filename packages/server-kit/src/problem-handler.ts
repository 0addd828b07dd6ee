/** The only place where errors become answers. */
import { encodeProblem, Problem } from '@tidewire/protocol/problem';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import { requestIdOf } from './request-id.js';
import { sendProblemJson } from './send-json.js';

/** Where accidents are written; pino's loggers fit. */
export interface ErrorLog {
  error(fields: Record<string, unknown>, message: string): void;
}

export type ProblemHandlerOptions = {
  log: ErrorLog;
  /** The Problem that stands for an error of an adapter (Postgres is away), or null when it is an accident. */
  translate?: ((error: unknown) => Problem | null) | undefined;
};

/**
 * Express's error handler, the last of an app: a Problem is sent as it is, a malformed URL becomes 400, and anything else is logged with the request's id
 * and answered with 500 `internal`, which tells nothing but that id. When the answer has begun already, the connection is cut.
 */
export function createProblemHandler({ log, translate }: ProblemHandlerOptions): ErrorRequestHandler {
  return (error, request, response, _next) => {
    const requestId = requestIdOf(response);
    const problem = toProblem(error, translate);
    if (problem.code === 'internal')
      log.error({ err: error, requestId, method: request.method, path: request.path }, 'request failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const body = JSON.stringify(encodeProblem(problem, requestId));
    sendProblemJson(response, problem.status, body, Object.entries(problem.headers).flat());
  };
}

/** The handler for what no route took. */
export const notFoundHandler: RequestHandler = (_request, _response, next) => {
  next(
    new Problem('not_found', 'There is no such route. The collections API is under /rest, the admin API under /api.'),
  );
};

/** The handler for the methods that a route does not have. `allowed` as in GET, POST. */
export function methodNotAllowed(allowed: string): RequestHandler {
  return (_request, _response, next) => {
    next(
      new Problem('method_not_allowed', `The method is not allowed here. Allowed: ${allowed}.`, {
        headers: { Allow: allowed },
      }),
    );
  };
}

function toProblem(error: unknown, translate: ProblemHandlerOptions['translate']): Problem {
  if (error instanceof Problem) return error;
  const translated = translate?.(error);
  if (translated) return translated;
  if (error instanceof URIError)
    return new Problem('bad_request', 'The URL has a broken percent-escape.', { cause: error });
  if (isClientError(error)) return new Problem('bad_request', 'The request is malformed.', { cause: error });
  return new Problem('internal', 'An error on our side. Tell us the requestId when you report it.', { cause: error });
}

/** Express's own refusals (of a path with NUL, a bad range) come as errors with a status. */
function isClientError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('status' in error)) return false;
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500;
}
