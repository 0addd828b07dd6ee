/** The API service: the collections API and the admin API. */
import { requireSameOrigin } from '@tidewire/server-kit/same-origin';
import { Router } from 'express';
import { type AccountRoutesDeps, createAccountRoutes } from './routes/account.js';
import { type AuditRoutesDeps, createAuditRoutes } from './routes/audit.js';
import { type AuthRoutesDeps, createAuthRoutes } from './routes/auth.js';
import { type CollectionIndexRoutesDeps, createCollectionIndexRoutes } from './routes/collection-indexes.js';
import { type CollectionLifeRoutesDeps, createCollectionLifeRoutes } from './routes/collection-life.js';
import { type CollectionShapeRoutesDeps, createCollectionShapeRoutes } from './routes/collection-shape.js';
import { createDatabaseRoutes, type DatabaseRoutesDeps } from './routes/databases.js';
import { createDescribeHandler, createDescriptionRoutes } from './routes/description.js';
import { createEventRoutes, type EventRoutesDeps } from './routes/events.js';
import { createExplainRoutes, type ExplainRoutesDeps } from './routes/explain.js';
import { createHistoryRoutes, type HistoryRoutesDeps } from './routes/history.js';
import { createPeopleRoutes, type PeopleRoutesDeps } from './routes/people.js';
import { createRestRoutes, type RestRoutesDeps } from './routes/rest.js';
import { createRestdbClientRoutes } from './routes/restdb-client.js';
import { createRoleRoutes, type RoleRoutesDeps } from './routes/roles.js';
import { createSessionRoutes, type SessionRoutesDeps } from './routes/setup-and-session.js';
import { createTransferRoutes, type TransferRoutesDeps } from './routes/transfer.js';
import { createUserRoutes, type UserRoutesDeps } from './routes/users.js';

export type ApiDeps = RestRoutesDeps &
  HistoryRoutesDeps &
  TransferRoutesDeps &
  EventRoutesDeps &
  DatabaseRoutesDeps &
  CollectionShapeRoutesDeps &
  CollectionLifeRoutesDeps &
  CollectionIndexRoutesDeps &
  SessionRoutesDeps &
  AccountRoutesDeps &
  PeopleRoutesDeps &
  AuditRoutesDeps &
  RoleRoutesDeps &
  ExplainRoutesDeps &
  AuthRoutesDeps &
  UserRoutesDeps;

/**
 * The routes of the API, to be put into `createHttpApp`. What is not theirs falls through: mount the realtime service's routes beside them and the
 * dashboard's files after them. Nothing listens, and there is nothing to close.
 */
export function createApi(deps: ApiDeps): Router {
  const router = Router({ caseSensitive: true });
  const describe = createDescribeHandler(deps.accessGate);
  router.use('/rest', createRestdbClientRoutes({ accessGate: deps.accessGate, describe }));
  // The paths of whole collections and of histories come before those of documents, which would take their last part for an _id.
  router.use('/rest', createTransferRoutes(deps), createHistoryRoutes(deps), createRestRoutes(deps));
  router.use('/events', createEventRoutes(deps));
  router.use('/auth', createAuthRoutes(deps));
  router.use(createDescriptionRoutes({ describe }));
  router.use(
    '/api',
    requireSameOrigin,
    createSessionRoutes(deps),
    createAccountRoutes(deps),
    createPeopleRoutes(deps),
    createAuditRoutes(deps),
    createDatabaseRoutes(deps),
    createCollectionShapeRoutes(deps),
    createCollectionLifeRoutes(deps),
    createCollectionIndexRoutes(deps),
    createRoleRoutes(deps),
    createExplainRoutes(deps),
    createUserRoutes(deps),
  );
  return router;
}
