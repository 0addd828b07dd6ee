/** What each admin does with the own account: password, one-time codes, sessions. */
import type { AdminAccount } from '@tidewire/access/admin-account';
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { AdminPeople } from '@tidewire/access/admin-people';
import { doerOf } from '@tidewire/access/audit-log';
import {
  changePasswordRequestSchema,
  confirmTotpRequestSchema,
  passwordAgainRequestSchema,
} from '@tidewire/protocol/admins';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendNothing } from '@tidewire/server-kit/send-json';
import { Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type AccountRoutesDeps = { adminGate: AdminGate; account: AdminAccount; people: Pick<AdminPeople, 'get'> };

/** To be mounted at `/api`. */
export function createAccountRoutes({ adminGate, account, people }: AccountRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  router
    .route('/admin')
    .get(adminGate(async ({ adminId }, _request, response) => sendValue(response, 200, await people.get(adminId))))
    .all(methodNotAllowed('GET'));

  router
    .route('/admin/password')
    .post(
      adminGate(async (admin, request, response) => {
        await account.changePassword(admin, await readInput(request, changePasswordRequestSchema));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/admin/totp')
    .post(
      adminGate(async (admin, request, response) =>
        sendValue(response, 200, await account.beginTotp(admin, await readInput(request, passwordAgainRequestSchema))),
      ),
    )
    .put(
      adminGate(async (admin, request, response) => {
        const recoveryCodes = await account.confirmTotp(admin, await readInput(request, confirmTotpRequestSchema));
        sendValue(response, 200, { recoveryCodes });
      }),
    )
    .all(methodNotAllowed('POST, PUT'));

  router
    .route('/admin/totp/disable')
    .post(
      adminGate(async (admin, request, response) => {
        await account.endTotp(admin, await readInput(request, passwordAgainRequestSchema));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/admin/sessions')
    .get(
      adminGate(async (admin, _request, response) => sendValue(response, 200, { data: await account.sessions(admin) })),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/admin/sessions/:session')
    .delete(
      adminGate(async (admin, request, response) => {
        await account.endSession(admin.adminId, String(request.params.session), doerOf(admin));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('DELETE'));

  return router;
}
