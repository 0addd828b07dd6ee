/** Passport around the sessions of admins: passport-jwt on the cookie, and the Express handler that only runs for an admin. */
import type { AdminRole } from '@tidewire/protocol/admins';
import { Problem } from '@tidewire/protocol/problem';
import type { Request, RequestHandler, Response } from 'express';
import { Passport } from 'passport';
import { Strategy as JwtStrategy, type VerifiedCallback } from 'passport-jwt';
import { mayAdmin } from './admin-roles.js';
import { type AdminSessions, sessionTokenAudience, sessionTokenIssuer, sessionTokenKey } from './admin-sessions.js';
import type { AdminPrincipal } from './principal.js';
import { readSessionCookie } from './session-cookie.js';

/** What runs for an admin. What it throws or rejects with goes to Express's error handlers. */
export type AdminHandler = (admin: AdminPrincipal, request: Request, response: Response) => void | Promise<void>;

/**
 * Makes an Express handler of an admin handler. Without a session that is still good it passes the Problem (401) on instead, and 403 when the admin's role may not do what the
 * route does: the one place in which that is decided (admin-roles.ts), by the route's own pattern.
 */
export type AdminGate = (handler: AdminHandler) => RequestHandler;

export type AdminGateDeps = { sessions: AdminSessions; serverSecret: string };

/** The token must be signed by HS256 and nothing else, be ours, and not be over; then its row must still be there. */
export function createAdminGate({ sessions, serverSecret }: AdminGateDeps): AdminGate {
  const passport = new Passport();
  passport.use(
    'admin',
    new JwtStrategy(
      {
        jwtFromRequest: (request: Request) => readSessionCookie(request.headers.cookie, request.secure),
        secretOrKey: sessionTokenKey(serverSecret),
        algorithms: ['HS256'],
        issuer: sessionTokenIssuer,
        audience: sessionTokenAudience,
        passReqToCallback: true,
      },
      (request: Request, payload: { sid?: unknown }, done: VerifiedCallback) => {
        if (!isSessionId(payload.sid)) return done(null, false);
        const address = request.ip ?? '';
        sessions.find(payload.sid).then((session) => done(null, session !== null && { ...session, address }), done);
      },
    ),
  );

  return (handler) => (request, response, next) => {
    const settle = async (error: unknown, admin?: AdminPrincipal | false) => {
      try {
        if (error) throw error;
        if (!admin) throw new Problem('unauthenticated', 'Nobody is signed in. Sign in at the dashboard.');
        if (!mayAdmin(admin.role, request.method, patternOf(request))) throw notAllowed(admin.role);
        await handler(admin, request, response);
      } catch (refusal) {
        next(refusal);
      }
    };
    passport.authenticate('admin', { session: false }, settle)(request, response, next);
  };
}

const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function isSessionId(value: unknown): value is string {
  return typeof value === 'string' && uuidPattern.test(value);
}

/** The route as it was registered, as in `/api/databases/:database`: no spelling of a path gets past it. */
function patternOf({ baseUrl, route }: Request): string {
  return `${baseUrl}${String(route?.path ?? '')}`;
}

function notAllowed(role: AdminRole): Problem {
  const who = role === 'viewer' ? 'Viewers may only look' : 'Only owners may do this';
  return new Problem('forbidden', `${who}; you are signed in as ${role}. Ask an owner.`);
}
