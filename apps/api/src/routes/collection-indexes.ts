/** For admins: the declared indexes of a collection. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import { doerOf } from '@tidewire/access/audit-log';
import type { CollectionIndexes, IndexTarget } from '@tidewire/collections/indexes/collection-indexes';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { createIndexRequestSchema, indexNamePattern } from '@tidewire/protocol/collection-schema';
import { collectionNamePattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { type Request, Router } from 'express';
import { readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';
import { createDatabaseRoute } from './database-route.js';

export type CollectionIndexRoutesDeps = {
  adminGate: AdminGate;
  catalog: Catalog;
  collectionIndexes: CollectionIndexes;
};

/** To be mounted at `/api`. What takes time is answered with 202: the index tells how far it is. */
export function createCollectionIndexRoutes(deps: CollectionIndexRoutesDeps): Router {
  const { collectionIndexes } = deps;
  const router = Router({ caseSensitive: true });
  const within = createDatabaseRoute(deps);

  router
    .route('/databases/:database/collections/:collection/indexes')
    .get(
      within(async (database, request, response) => {
        sendValue(response, 200, { data: await collectionIndexes.list(targetOf(database, request)) });
      }),
    )
    .post(
      within(async (database, request, response, admin) => {
        const target = targetOf(database, request);
        const asked = await readInput(request, createIndexRequestSchema);
        sendValue(response, 202, await collectionIndexes.create(target, asked, doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/databases/:database/collections/:collection/indexes/:index')
    .get(
      within(async (database, request, response) => {
        sendValue(response, 200, await collectionIndexes.get(targetOf(database, request), nameOf(request)));
      }),
    )
    .delete(
      within(async (database, request, response, admin) => {
        const target = targetOf(database, request);
        sendValue(response, 202, await collectionIndexes.drop(target, nameOf(request), doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, DELETE'));

  return router;
}

function targetOf(database: CatalogDatabase, request: Request): IndexTarget {
  const collection = String(request.params.collection);
  if (!collectionNamePattern.test(collection)) throw new Problem('not_found', 'There is no collection with this name.');
  return { databaseId: database.id, collection };
}

function nameOf(request: Request): string {
  const name = String(request.params.index);
  if (!indexNamePattern.test(name)) throw new Problem('not_found', 'The collection has no index with this name.');
  return name;
}
