/** For admins: one collection, and the schema of its documents. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import { doerOf } from '@tidewire/access/audit-log';
import { readCollectionDetail } from '@tidewire/collections/collection-detail';
import type { CollectionIndexes } from '@tidewire/collections/indexes/collection-indexes';
import { flag, parseParameters } from '@tidewire/collections/query-parameters';
import type { CollectionSchemas, SchemaTarget } from '@tidewire/collections/schema/collection-schemas';
import type { Catalog, CatalogDatabase } from '@tidewire/db/catalog';
import { collectionNamePattern } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { readJsonBody } from '@tidewire/server-kit/json-body';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendNothing } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { queryOf } from '../parse-input.js';
import { sendValue } from '../send-value.js';
import { createDatabaseRoute } from './database-route.js';

export type CollectionShapeRoutesDeps = {
  adminGate: AdminGate;
  catalog: Catalog;
  collectionSchemas: CollectionSchemas;
  collectionIndexes: Pick<CollectionIndexes, 'list'>;
};

const putParameters = { dryRun: flag, acceptFailing: flag };
const mediaTypes = ['application/json', 'application/schema+json'];

/** To be mounted at `/api`, before the routes that rename and drop collections: they answer for the other methods of the same path. */
export function createCollectionShapeRoutes(deps: CollectionShapeRoutesDeps): Router {
  const { collectionSchemas } = deps;
  const router = Router({ caseSensitive: true });
  const within = createDatabaseRoute(deps);

  const detailOf = (target: SchemaTarget) => readCollectionDetail(deps, target);

  router
    .route('/databases/:database/collections/:collection')
    .get(
      within(async (database, request, response) => {
        parseParameters(queryOf(request), {});
        sendValue(response, 200, await detailOf(targetOf(database, request)));
      }),
    )
    .put(
      within(async (database, request, response, admin) => {
        parseParameters(queryOf(request), {});
        const target = { databaseId: database.id, collection: String(request.params.collection) };
        const isNew = await collectionSchemas.create(target, doerOf(admin));
        sendValue(response, isNew ? 201 : 200, await detailOf(target));
      }),
    );

  router
    .route('/databases/:database/collections/:collection/schema')
    .get(
      within(async (database, request, response) => {
        parseParameters(queryOf(request), {});
        const { schema } = await collectionSchemas.get(targetOf(database, request));
        if (schema === null) throw new Problem('not_found', 'The collection has no schema: it takes any JSON object.');
        sendValue(response, 200, schema);
      }),
    )
    .put(
      within(async (database, request, response, admin) => {
        const { dryRun, acceptFailing } = parseParameters(queryOf(request), putParameters);
        const target = targetOf(database, request);
        const schema = await readJsonBody(request, mediaTypes);
        const check = dryRun
          ? collectionSchemas.check(target, schema)
          : collectionSchemas.put(target, schema, { acceptFailing }, doerOf(admin));
        sendValue(response, 200, await check);
      }),
    )
    .delete(
      within(async (database, request, response, admin) => {
        parseParameters(queryOf(request), {});
        await collectionSchemas.remove(targetOf(database, request), doerOf(admin));
        sendNothing(response);
      }),
    )
    .all(methodNotAllowed('GET, PUT, DELETE'));

  return router;
}

function targetOf(database: CatalogDatabase, request: Request): SchemaTarget {
  const collection = String(request.params.collection);
  if (!collectionNamePattern.test(collection)) throw new Problem('not_found', 'There is no collection with this name.');
  return { databaseId: database.id, collection };
}
