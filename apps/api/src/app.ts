/** The API service: the collections API and the admin API. */
import { requireSameOrigin } from '@tidewire/server-kit/same-origin';
import { Router } from 'express';
import { createDatabaseRoutes, type DatabaseRoutesDeps } from './routes/databases.js';
import { createRestRoutes, type RestRoutesDeps } from './routes/rest.js';
import { createSessionRoutes, type SessionRoutesDeps } from './routes/setup-and-session.js';

export type ApiDeps = RestRoutesDeps & DatabaseRoutesDeps & SessionRoutesDeps;

/**
 * The routes of the API, to be put into `createHttpApp`. What is not theirs falls through: mount the realtime service's routes beside them and the
 * dashboard's files after them. Nothing listens, and there is nothing to close.
 */
export function createApi(deps: ApiDeps): Router {
  const router = Router({ caseSensitive: true });
  router.use('/rest', createRestRoutes(deps));
  router.use('/api', requireSameOrigin, createSessionRoutes(deps), createDatabaseRoutes(deps));
  return router;
}
