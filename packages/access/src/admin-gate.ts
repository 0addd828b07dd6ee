/** Passport around the sessions of admins: passport-jwt on the cookie, and the Express handler that only runs for an admin. */
import type { IncomingMessage } from 'node:http';
import { Problem } from '@tidewire/protocol/problem';
import type { Request, RequestHandler, Response } from 'express';
import { Passport } from 'passport';
import { Strategy as JwtStrategy } from 'passport-jwt';
import { type AdminSessions, sessionTokenAudience, sessionTokenIssuer, sessionTokenKey } from './admin-sessions.js';
import type { AdminPrincipal } from './principal.js';
import { readSessionCookie } from './session-cookie.js';

/** What runs for an admin. What it throws or rejects with goes to Express's error handlers. */
export type AdminHandler = (admin: AdminPrincipal, request: Request, response: Response) => void | Promise<void>;

/** Makes an Express handler of an admin handler. Without a session that is still good it passes the Problem (401) on instead. */
export type AdminGate = (handler: AdminHandler) => RequestHandler;

export type AdminGateDeps = { sessions: AdminSessions; serverSecret: string };

/** The token must be signed by HS256 and nothing else, be ours, and not be over; then its row must still be there. */
export function createAdminGate({ sessions, serverSecret }: AdminGateDeps): AdminGate {
  const passport = new Passport();
  passport.use(
    'admin',
    new JwtStrategy(
      {
        jwtFromRequest: (request: IncomingMessage) => readSessionCookie(request.headers.cookie),
        secretOrKey: sessionTokenKey(serverSecret),
        algorithms: ['HS256'],
        issuer: sessionTokenIssuer,
        audience: sessionTokenAudience,
      },
      (payload: { sid?: unknown }, done) => {
        if (!isSessionId(payload.sid)) return done(null, false);
        sessions.find(payload.sid).then((principal) => done(null, principal ?? false), done);
      },
    ),
  );

  return (handler) => (request, response, next) => {
    const settle = async (error: unknown, admin?: AdminPrincipal | false) => {
      try {
        if (error) throw error;
        if (!admin) throw new Problem('unauthenticated', 'Nobody is signed in. Sign in at the dashboard.');
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
