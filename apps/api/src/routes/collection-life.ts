/** For admins: a collection gets another name, is emptied, or ends. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import { type ApiKeys, keysThatName } from '@tidewire/access/api-keys';
import { doerOf } from '@tidewire/access/audit-log';
import { type AdminPrincipal, authorOf } from '@tidewire/access/principal';
import { type Roles, rolesThatName } from '@tidewire/access/roles';
import type { CollectionLife, LifeTarget } from '@tidewire/collections/collection-life';
import { parseParameters, text, wrongParameters } from '@tidewire/collections/query-parameters';
import { relationFieldsOf } from '@tidewire/collections/relation-fields';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { type RenamedCollectionAnswer, renameCollectionRequestSchema } from '@tidewire/protocol/admin-api';
import { collectionNamePattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { queryOf, readInput } from '../parse-input.js';
import { sendProgress } from '../send-progress.js';
import { createDatabaseRoute } from './database-route.js';

export type CollectionLifeRoutesDeps = {
  adminGate: AdminGate;
  catalog: Catalog;
  apiKeys: Pick<ApiKeys, 'list'>;
  roles: Pick<Roles, 'list'>;
  collectionLife: CollectionLife;
};

/** To be mounted at `/api`, behind the routes that show and make collections, which have the other methods of the same path. */
export function createCollectionLifeRoutes(deps: CollectionLifeRoutesDeps): Router {
  const { apiKeys, roles: allRoles, catalog, collectionLife } = deps;
  const router = Router({ caseSensitive: true });
  const within = createDatabaseRoute(deps);

  router
    .route('/databases/:database/collections/:collection')
    .patch(
      within(async (database, request, response, admin) => {
        const target = targetOf(database, request, admin);
        const { name } = await readInput(request, renameCollectionRequestSchema);
        const eventId = await collectionLife.rename(target, name);
        const keys = keysThatName(await apiKeys.list(database.id), target.collection);
        const roles = rolesThatName(await allRoles.list(database.id), target.collection);
        const schemas = schemasThatName((await catalog.byId(database.id)) ?? database, target.collection);
        const answer: RenamedCollectionAnswer = { name, eventId, keys, roles, schemas };
        sendJson(response, 200, JSON.stringify(answer), ['X-Event-Id', String(eventId)]);
      }),
    )
    .delete(
      within(async (database, request, response, admin) => {
        const target = targetOf(database, request, admin);
        checkConfirmation(request, target.collection);
        await sendProgress(response, collectionLife.drop(target));
      }),
    )
    .all(methodNotAllowed('GET, PUT, PATCH, DELETE'));

  router
    .route('/databases/:database/collections/:collection/truncate')
    .post(
      within(async (database, request, response, admin) => {
        const target = targetOf(database, request, admin);
        checkConfirmation(request, target.collection);
        await sendProgress(response, collectionLife.truncate(target));
      }),
    )
    .all(methodNotAllowed('POST'));

  return router;
}

function targetOf({ id }: CatalogDatabase, request: Request, admin: AdminPrincipal): LifeTarget {
  const collection = String(request.params.collection);
  if (!collectionNamePattern.test(collection)) throw new Problem('not_found', 'There is no collection with this name.');
  return { collection, scope: { databaseId: id, author: authorOf(admin) }, doer: doerOf(admin) };
}

/** Whoever deletes everything has typed what it is. */
function checkConfirmation(request: Request, collection: string): void {
  const { confirm } = parseParameters(queryOf(request), { confirm: text });
  if (confirm === collection) return;
  const message = 'deleting all documents needs the name of the collection, typed again';
  throw wrongParameters([{ field: 'confirm', message, allowed: collection }]);
}

/** The fields of schemas that say that their documents belong to those of the collection: they do not follow either. */
function schemasThatName(database: CatalogDatabase, collection: string): RenamedCollectionAnswer['schemas'] {
  return [...database.collections].flatMap(([name, id]) => {
    const { relations, children } = relationFieldsOf(database, id);
    const naming = [...relations, ...children].filter(([, other]) => other === collection);
    return naming.length === 0 ? [] : [{ collection: name, fields: naming.map(([field]) => field) }];
  });
}
