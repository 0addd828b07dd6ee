/** `/auth`: users of an application make accounts, sign in and out; its servers make tokens for them. Which database is meant says the key that is sent. */
import type { Access, AccessGate } from '@tidewire/access/access-gate';
import { mayRest } from '@tidewire/access/admission';
import type { JwtMaker } from '@tidewire/access/create-jwt';
import type { UserPrincipal } from '@tidewire/access/principal';
import type { UserAccounts } from '@tidewire/access/user-accounts';
import { userCookie } from '@tidewire/access/user-credentials';
import { usersCollection } from '@tidewire/access/user-document';
import {
  createJwtRequestSchema,
  logInRequestSchema,
  logOutRequestSchema,
  passwordRequestSchema,
  refreshRequestSchema,
  resetRequestSchema,
  resetTokenRequestSchema,
  signUpRequestSchema,
  type UserTokensAnswer,
} from '@tidewire/protocol/auth-api';
import { Problem } from '@tidewire/protocol/problem';
import { preflight, readableRefusal } from '@tidewire/server-kit/browser-access';
import { admitOrigin } from '@tidewire/server-kit/cors';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendNothing } from '@tidewire/server-kit/send-json';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type AuthRoutesDeps = { accessGate: AccessGate; userAccounts: UserAccounts; jwtMaker: JwtMaker };

/** To be mounted at `/auth`. */
export function createAuthRoutes({ accessGate, userAccounts, jwtMaker }: AuthRoutesDeps): Router {
  const router = Router({ caseSensitive: true });
  router.use(preflight);

  /** With a key or a token, from an origin that may use it; no answer is kept anywhere. */
  function post(work: (access: Access, request: Request, response: Response) => Promise<void>): RequestHandler {
    return accessGate(async (access, request, response) => {
      admitOrigin(access.rights, request, response);
      await work(access, request, response);
    });
  }

  router
    .route('/signup')
    .post(
      post(async ({ database }, request, response) => {
        const { cookie, ...person } = await readInput(request, signUpRequestSchema);
        const answer = await userAccounts.signUp(database, person, request.ip ?? '');
        sendTokens(request, response, { status: 201, answer, cookie });
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/login')
    .post(
      post(async ({ database }, request, response) => {
        const { cookie, ...credentials } = await readInput(request, logInRequestSchema);
        const answer = await userAccounts.logIn(database, credentials, request.ip ?? '');
        sendTokens(request, response, { status: 200, answer, cookie });
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/refresh')
    .post(
      post(async ({ database }, request, response) => {
        const { cookie, refresh } = await readInput(request, refreshRequestSchema);
        const answer = await userAccounts.refresh(database, refresh);
        sendTokens(request, response, { status: 200, answer, cookie });
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/logout')
    .post(
      post(async ({ database, principal }, request, response) => {
        const { refresh } = await readInput(request, logOutRequestSchema);
        await userAccounts.logOut(database, refresh, principal.kind === 'user' ? principal : null);
        response.setHeader('Set-Cookie', userCookie(null, 0, request.secure));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/reset-token')
    .post(
      post(async (access, request, response) => {
        refuseOthersThanServers(access, request);
        refuseWithoutUsers(access);
        const { email } = await readInput(request, resetTokenRequestSchema);
        sendValue(response, 201, await userAccounts.createReset(access.database, email, null));
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/reset')
    .post(
      post(async ({ database }, request, response) => {
        await userAccounts.reset(database, await readInput(request, resetRequestSchema));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/password')
    .post(
      post(async (access, request, response) => {
        const passwords = await readInput(request, passwordRequestSchema);
        const asked = { ...passwords, address: request.ip ?? '' };
        await userAccounts.changePassword(access.database, userOf(access), asked);
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/me')
    .get(
      post(async (access, _request, response) => {
        sendValue(response, 200, userAccounts.describe(access.database, userOf(access)));
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/jwt')
    .post(
      post(async (access, request, response) => {
        refuseOthersThanServers(access, request);
        const asked = await readInput(request, createJwtRequestSchema);
        // With the database's own secret one may become anybody: that is for those who may give themselves any role in `users` anyway.
        if (asked.secret === undefined && asked.refresh === undefined) refuseWithoutUsers(access);
        sendValue(response, 200, await jwtMaker.create(access.database, asked));
      }),
    )
    .all(methodNotAllowed('POST'));

  router.use(readableRefusal);
  return router;
}

function sendTokens(
  request: Request,
  response: Response,
  { status, answer, cookie }: { status: number; answer: UserTokensAnswer; cookie: boolean },
): void {
  if (cookie) response.setHeader('Set-Cookie', userCookie(answer.jwt, answer.expiresIn, request.secure));
  sendValue(response, status, answer);
}

function userOf({ principal }: Access): UserPrincipal {
  if (principal.kind === 'user') return principal;
  throw new Problem('forbidden', 'This is about the user who is signed in. Send the access token.');
}

/** A key for pages has origins, and stands in what everybody can read. */
function refuseOthersThanServers({ principal, rights }: Access, request: Request): void {
  if (principal.kind === 'key' && rights.origins.length === 0 && request.headers.origin === undefined) return;
  throw new Problem('forbidden', 'This is for servers: send a key that has no origins, and not from a page.');
}

function refuseWithoutUsers({ database, rights }: Access): void {
  if (mayRest(database, rights, 'PUT', usersCollection)) return;
  throw new Problem(
    'forbidden',
    `The key may not PUT ${usersCollection}. It needs PUT:${usersCollection} in its rest list.`,
  );
}
