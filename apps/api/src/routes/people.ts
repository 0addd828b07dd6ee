/** For owners: the admins, their sessions, and invitations. That owners alone come here is the admin gate's matter. */
import type { AdminAccount } from '@tidewire/access/admin-account';
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AdminPeople } from '@tidewire/access/admin-people';
import type { AdminSessions } from '@tidewire/access/admin-sessions';
import { doerOf } from '@tidewire/access/audit-log';
import { createInviteRequestSchema, updateAdminRequestSchema } from '@tidewire/protocol/admins';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendNothing } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type PeopleRoutesDeps = {
  adminGate: AdminGate;
  people: AdminPeople;
  account: Pick<AdminAccount, 'endSession'>;
  sessions: Pick<AdminSessions, 'list'>;
};

/** To be mounted at `/api`. */
export function createPeopleRoutes({ adminGate, people, account, sessions }: PeopleRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/admins')
    .get(adminGate(async (_admin, _request, response) => sendValue(response, 200, { data: await people.list() })))
    .all(methodNotAllowed('GET'));

  router
    .route('/admins/:admin')
    .patch(
      adminGate(async (admin, request, response) => {
        const { role } = await readInput(request, updateAdminRequestSchema);
        sendValue(response, 200, await people.setRole(parameter(request, 'admin'), role, doerOf(admin)));
      }),
    )
    .delete(
      adminGate(async (admin, request, response) => {
        await people.remove(parameter(request, 'admin'), doerOf(admin));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('PATCH, DELETE'));

  router
    .route('/admins/:admin/sessions')
    .get(
      adminGate(async ({ sessionId }, request, response) => {
        const { id } = await people.get(parameter(request, 'admin'));
        const data = (await sessions.list(id)).map((session) => ({ ...session, isCurrent: session.id === sessionId }));
        sendValue(response, 200, { data });
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/admins/:admin/sessions/:session')
    .delete(
      adminGate(async (admin, request, response) => {
        const { id } = await people.get(parameter(request, 'admin'));
        await account.endSession(id, parameter(request, 'session'), doerOf(admin));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('DELETE'));

  router
    .route('/invites')
    .get(adminGate(async (_admin, _request, response) => sendValue(response, 200, { data: await people.invites() })))
    .post(
      adminGate(async (admin, request, response) => {
        const asked = await readInput(request, createInviteRequestSchema);
        sendValue(response, 201, await people.invite(asked, doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/invites/:invite')
    .delete(
      adminGate(async (admin, request, response) => {
        await people.takeBackInvite(parameter(request, 'invite'), doerOf(admin));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('DELETE'));

  return router;
}

function parameter(request: Request, name: string): string {
  return String(request.params[name]);
}
