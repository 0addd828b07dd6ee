/** The way in for admins: the first one's setup, invitations, signing in and out. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { SessionClient } from '@tidewire/access/admin-sessions';
import type { Admins, SignedIn } from '@tidewire/access/admins';
import { endedSessionCookie, sessionCookie } from '@tidewire/access/session-cookie';
import { setupRequestSchema, signInRequestSchema } from '@tidewire/protocol/admin-api';
import { acceptInviteRequestSchema } from '@tidewire/protocol/admins';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendNothing } from '@tidewire/server-kit/send-json';
import { type Request, type Response, Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type SessionRoutesDeps = { adminGate: AdminGate; admins: Admins };

export function createSessionRoutes({ adminGate, admins }: SessionRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/setup')
    .get(async (_request, response) => {
      sendValue(response, 200, { needed: await admins.isSetupNeeded() });
    })
    .post(async (request, response) => {
      sendSession(
        request,
        response,
        201,
        await admins.setUp(await readInput(request, setupRequestSchema), clientOf(request)),
      );
    })
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/session')
    .get(
      adminGate(({ adminId, email, role }, _request, response) => {
        sendValue(response, 200, { admin: { id: adminId, email, role } });
      }),
    )
    .post(async (request, response) => {
      const credentials = await readInput(request, signInRequestSchema);
      sendSession(request, response, 200, await admins.signIn({ ...credentials, ...clientOf(request) }));
    })
    .delete(
      adminGate(async (admin, request, response) => {
        await admins.signOut(admin);
        response.setHeader('Set-Cookie', endedSessionCookie(request.secure));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('GET, POST, DELETE'));

  router
    .route('/invites/accept')
    .post(async (request, response) => {
      const accepted = await readInput(request, acceptInviteRequestSchema);
      sendSession(request, response, 201, await admins.acceptInvite(accepted, clientOf(request)));
    })
    .all(methodNotAllowed('POST'));

  return router;
}

function clientOf(request: Request): SessionClient {
  return { address: request.ip ?? '', userAgent: request.get('user-agent') ?? '' };
}

function sendSession(
  request: Request,
  response: Response,
  status: number,
  { admin, token, expiresAt }: SignedIn,
): void {
  response.setHeader('Set-Cookie', sessionCookie(token, expiresAt, request.secure));
  sendValue(response, status, { admin });
}
