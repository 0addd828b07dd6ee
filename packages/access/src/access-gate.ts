/** Passport around the keys of applications: strategy `apikey`, and the Express handler that only runs with a good key. */
import type { IncomingMessage } from 'node:http';
import type { NextFunction, Request, RequestHandler, Response } from 'express';
import { Passport } from 'passport';
import { Strategy } from 'passport-strategy';
import { type KeyAuthenticator, type KeyOutcome, keyProblem, type VerifiedAccess } from './authenticate-key.js';
import { noRequestLimits, type RequestLimits } from './request-limits.js';

/** Who calls, and what the caller may, by the snapshot in which it was verified. */
export type Access = Omit<VerifiedAccess, 'status'>;

/** What runs for a verified key. What it throws or rejects with goes to Express's error handlers. */
export type AccessHandler = (access: Access, request: Request, response: Response) => void | Promise<void>;

/** Makes an Express handler of a key handler. Without a good key it passes the Problem (400 or 401) on instead, above a limit that of 429. */
export type AccessGate = (handler: AccessHandler) => RequestHandler;

/** Succeeds with the `Access`, fails with the Problem; errors of the catalog's reads go to `error`. */
export class ApiKeyStrategy extends Strategy {
  // No #private members: Passport calls the strategy through Object.create, which does not have them.
  constructor(private readonly keys: KeyAuthenticator) {
    super();
  }

  override authenticate(request: IncomingMessage): void {
    const outcome = this.keys.authenticate(request);
    if (outcome instanceof Promise) outcome.then((settled) => this.settle(settled)).catch((error) => this.error(error));
    else this.settle(outcome);
  }

  private settle(outcome: KeyOutcome): void {
    if (outcome.status === 'verified') {
      this.success(outcome);
      return;
    }
    const problem = keyProblem(outcome);
    this.fail(problem, problem.status);
  }
}

/**
 * A Passport of its own, without sessions, for keys that have to be looked up and for refusals. A key that was verified lately goes past it:
 * Passport hangs its methods on each request, which was measured to make a write cost a sixth more CPU.
 */
export function createAccessGate(keys: KeyAuthenticator, limits: RequestLimits = noRequestLimits): AccessGate {
  const passport = new Passport();
  passport.use('apikey', new ApiKeyStrategy(keys));

  /** Runs the handler unless the caller is above its limit. */
  function admit(handler: AccessHandler, access: Access, request: Request, response: Response, next: NextFunction) {
    try {
      const counted = limits.admit(access, response);
      if (counted === undefined) return run(handler, access, request, response, next);
      counted.then(() => run(handler, access, request, response, next), next);
    } catch (refusal) {
      next(refusal);
    }
  }

  return (handler) => (request, response, next) => {
    const recalled = keys.recall(request);
    if (recalled !== null) return admit(handler, recalled, request, response, next);
    const settle = (error: unknown, access: Access | false | undefined, problem: unknown) => {
      if (error || !access) next(error ?? problem);
      else admit(handler, access, request, response, next);
    };
    const authenticate = () => passport.authenticate('apikey', { session: false }, settle)(request, response, next);
    try {
      const counted = limits.attempt(request);
      if (counted === undefined) authenticate();
      else counted.then(authenticate, next);
    } catch (refusal) {
      next(refusal);
    }
  };
}

function run(handler: AccessHandler, access: Access, request: Request, response: Response, next: NextFunction): void {
  try {
    handler(access, request, response)?.catch(next);
  } catch (error) {
    next(error);
  }
}
