/** Users of a database for admins: accounts, their sessions, tokens for new passwords, and the secret of the tokens of another service. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import { doerOf } from '@tidewire/access/audit-log';
import type { AuthSecrets } from '@tidewire/access/auth-secrets';
import { authorOf } from '@tidewire/access/principal';
import type { UserAccounts } from '@tidewire/access/user-accounts';
import type { Catalog } from '@tidewire/db/catalog';
import { authSecretRequestSchema, createUserRequestSchema } from '@tidewire/protocol/auth-api';
import { documentIdPattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { type Request, Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';
import { createDatabaseRoute } from './database-route.js';

export type UserRoutesDeps = {
  adminGate: AdminGate;
  catalog: Catalog;
  userAccounts: UserAccounts;
  authSecrets: AuthSecrets;
};

/** To be mounted at `/api`. */
export function createUserRoutes({ adminGate, catalog, userAccounts, authSecrets }: UserRoutesDeps): Router {
  const router = Router({ caseSensitive: true });
  const within = createDatabaseRoute({ adminGate, catalog });

  router
    .route('/databases/:database/users')
    .get(within(async ({ id }, _request, response) => sendValue(response, 200, { data: await userAccounts.list(id) })))
    .post(
      within(async (database, request, response, admin) => {
        const asked = await readInput(request, createUserRequestSchema);
        sendValue(response, 201, await userAccounts.create(database, asked, authorOf(admin), doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/databases/:database/users/:user/reset-token')
    .post(
      within(async (database, request, response, admin) => {
        sendValue(response, 201, await userAccounts.createResetOf(database, userIdOf(request), doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/databases/:database/users/:user/sessions')
    .delete(
      within(async ({ id }, request, response, admin) => {
        sendValue(response, 200, { ended: await userAccounts.endSessions(id, userIdOf(request), doerOf(admin)) });
      }),
    )
    .all(methodNotAllowed('DELETE'));

  router
    .route('/databases/:database/auth/secret')
    .get(within(async ({ id }, _request, response) => sendValue(response, 200, await authSecrets.describe(id))))
    .put(
      within(async ({ id }, request, response, admin) => {
        const { secret } = await readInput(request, authSecretRequestSchema);
        sendValue(response, 200, await authSecrets.set(id, secret, doerOf(admin)));
      }),
    )
    .delete(
      within(async ({ id }, _request, response, admin) => {
        sendValue(response, 200, await authSecrets.set(id, null, doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, PUT, DELETE'));

  return router;
}

function userIdOf(request: Request): string {
  const id = String(request.params.user);
  if (documentIdPattern.test(id)) return id;
  throw new Problem('not_found', 'There is no account of this user.');
}
