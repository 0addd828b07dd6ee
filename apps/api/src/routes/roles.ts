/** The roles of a database, for admins. */
import { doerOf } from '@tidewire/access/audit-log';
import type { Roles } from '@tidewire/access/roles';
import { createRoleRequestSchema, updateRoleRequestSchema } from '@tidewire/protocol/roles';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendNothing } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';
import { createDatabaseRoute } from './database-route.js';

export type RoleRoutesDeps = Parameters<typeof createDatabaseRoute>[0] & { roles: Roles };

/** To be mounted at `/api`. */
export function createRoleRoutes({ roles, ...deps }: RoleRoutesDeps): Router {
  const router = Router({ caseSensitive: true });
  const within = createDatabaseRoute(deps);

  router
    .route('/databases/:database/roles')
    .get(within(async ({ id }, _request, response) => sendValue(response, 200, { data: await roles.list(id) })))
    .post(
      within(async ({ id }, request, response, admin) => {
        const asked = await readInput(request, createRoleRequestSchema);
        sendValue(response, 201, await roles.create(id, asked, doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/databases/:database/roles/:role')
    .get(within(async ({ id }, request, response) => sendValue(response, 200, await roles.get(id, nameOf(request)))))
    .patch(
      within(async ({ id }, request, response, admin) => {
        const changes = await readInput(request, updateRoleRequestSchema);
        sendValue(response, 200, await roles.update(id, nameOf(request), changes, doerOf(admin)));
      }),
    )
    .delete(
      within(async ({ id }, request, response, admin) => {
        await roles.delete(id, nameOf(request), doerOf(admin));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('GET, PATCH, DELETE'));

  return router;
}

function nameOf(request: Request): string {
  return String(request.params.role);
}
