/** Databases for admins: settings, collections and their documents, keys, and the event log. */
import type { AdminGate } from '@tidewire/access/admin-gate';
import type { ApiKeys } from '@tidewire/access/api-keys';
import { doerOf } from '@tidewire/access/audit-log';
import type { Databases } from '@tidewire/access/databases';
import { authorOf } from '@tidewire/access/principal';
import type { Settings } from '@tidewire/access/settings';
import type { EventLog } from '@tidewire/change-log/event-log';
import type { Collections } from '@tidewire/collections/collections';
import { adminListDefaults, parseListRequest } from '@tidewire/collections/read-request';
import type { Catalog } from '@tidewire/db/catalog';
import {
  createDatabaseRequestSchema,
  createKeyRequestSchema,
  deleteDatabaseRequestSchema,
  renameDatabaseRequestSchema,
  rotateKeyRequestSchema,
  updateKeyRequestSchema,
} from '@tidewire/protocol/admin-api';
import { collectionNamePattern } from '@tidewire/protocol/names';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { databaseSettingsPatchSchema } from '@tidewire/protocol/settings';
import { originOf } from '@tidewire/server-kit/origin';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { listEvents } from '../list-events.js';
import { queryOf, readInput } from '../parse-input.js';
import { sendValue } from '../send-value.js';
import { createDatabaseRoute } from './database-route.js';

export type DatabaseRoutesDeps = {
  adminGate: AdminGate;
  catalog: Catalog;
  databases: Databases;
  settings: Settings;
  apiKeys: ApiKeys;
  collections: Collections;
  log: EventLog;
};

export function createDatabaseRoutes(deps: DatabaseRoutesDeps): Router {
  const { adminGate, catalog, databases, settings, apiKeys, collections, log } = deps;
  const router = Router({ caseSensitive: true });

  const within = createDatabaseRoute({ adminGate, catalog });

  router
    .route('/databases')
    .get(adminGate(async (_admin, _request, response) => sendValue(response, 200, { data: await databases.list() })))
    .post(
      adminGate(async (admin, request, response) => {
        const { name } = await readInput(request, createDatabaseRequestSchema);
        await databases.create(name, doerOf(admin));
        sendValue(response, 201, await databases.get(name));
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/databases/:database')
    // Not within the database: one that is being deleted tells how far that is.
    .get(adminGate(async (_admin, request, response) => sendValue(response, 200, await databases.get(nameOf(request)))))
    .patch(
      adminGate(async (admin, request, response) => {
        const { name } = await readInput(request, renameDatabaseRequestSchema);
        sendValue(response, 200, await databases.rename(nameOf(request), name, doerOf(admin)));
      }),
    )
    .delete(
      adminGate(async (admin, request, response) => {
        const { confirm } = await readInput(request, deleteDatabaseRequestSchema);
        const { name } = await databases.get(nameOf(request));
        if (confirm !== name) throw invalid('/confirm', 'deleting a database needs its name, typed again', name);
        sendValue(response, 202, await databases.beginDeletion(name, doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('GET, PATCH, DELETE'));

  router
    .route('/databases/:database/settings')
    .patch(
      within(async ({ id, name }, request, response, admin) => {
        await settings.patch(id, await readInput(request, databaseSettingsPatchSchema), doerOf(admin));
        sendValue(response, 200, await databases.get(name));
      }),
    )
    .all(methodNotAllowed('PATCH'));

  router
    .route('/databases/:database/collections')
    .get(
      within(async ({ id }, _request, response) => sendValue(response, 200, { data: await databases.collections(id) })),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/databases/:database/collections/:collection/documents')
    .get(
      within(async (database, request, response, admin) => {
        const page = parseListRequest(queryOf(request), adminListDefaults);
        const collection = parameter(request, 'collection');
        if (!collectionNamePattern.test(collection))
          throw new Problem('not_found', 'There is no collection with this name.');
        const scope = { databaseId: database.id, author: authorOf(admin) };
        const origin = page.related.links ? originOf(request) : undefined;
        const target = { database, collection, scope, mayGet: () => true, origin };
        const { text, next } = await collections.list(target, page);
        sendJson(response, 200, text, next === null ? [] : ['X-Next-Cursor', next]);
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/databases/:database/keys')
    .get(within(async ({ id }, _request, response) => sendValue(response, 200, { data: await apiKeys.list(id) })))
    .post(
      within(async ({ id }, request, response, admin) => {
        sendValue(
          response,
          201,
          await apiKeys.create(id, await readInput(request, createKeyRequestSchema), doerOf(admin)),
        );
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/databases/:database/keys/:key')
    .get(
      within(async ({ id }, request, response) =>
        sendValue(response, 200, await apiKeys.get(id, parameter(request, 'key'))),
      ),
    )
    .patch(
      within(async ({ id }, request, response, admin) => {
        const changes = await readInput(request, updateKeyRequestSchema);
        sendValue(response, 200, await apiKeys.update(id, parameter(request, 'key'), changes, doerOf(admin)));
      }),
    )
    .delete(
      within(async ({ id }, request, response, admin) =>
        sendValue(response, 200, await apiKeys.revoke(id, parameter(request, 'key'), doerOf(admin))),
      ),
    )
    .all(methodNotAllowed('GET, PATCH, DELETE'));

  router
    .route('/databases/:database/keys/:key/rotate')
    .post(
      within(async ({ id }, request, response, admin) => {
        const rotation = await readInput(request, rotateKeyRequestSchema);
        sendValue(response, 200, await apiKeys.rotate(id, parameter(request, 'key'), rotation, doerOf(admin)));
      }),
    )
    .all(methodNotAllowed('POST'));

  router
    .route('/databases/:database/events')
    .get(
      within(async ({ id }, request, response) => sendJson(response, 200, await listEvents(log, id, queryOf(request)))),
    )
    .all(methodNotAllowed('GET'));

  return router;
}

function nameOf(request: Request): string {
  return parameter(request, 'database');
}

function parameter(request: Request, name: string): string {
  return String(request.params[name]);
}
