/** What a document was: `GET /rest/{collection}/{id}/history` and `GET /rest/{collection}/{id}/asof/{eventId}`. */

import type { AccessGate } from '@tidewire/access/access-gate';
import { keyParameters } from '@tidewire/access/key-credentials';
import type { Collections, Target } from '@tidewire/collections/collections';
import {
  type DocumentVersion,
  listVersions,
  listVersionsBy,
  type Subject,
  withinReach,
} from '@tidewire/collections/document-history';
import { findCollection } from '@tidewire/collections/find-collection';
import { parseParameters, wholeNumber, wrongParameters } from '@tidewire/collections/query-parameters';
import { parseGetRequest } from '@tidewire/collections/read-request';
import { checkId, noDocument } from '@tidewire/collections/refusals';
import type { SqlPool } from '@tidewire/db/sql-pool';
import { Problem } from '@tidewire/protocol/problem';
import { preflight, readableRefusal } from '@tidewire/server-kit/browser-access';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type Request, Router } from 'express';
import { queryOf } from '../parse-input.js';
import { sendFormatted } from '../send-formatted.js';
import { withOrigin } from './rest-read.js';
import { createRestRoute, idOf } from './rest-route.js';

export type HistoryRoutesDeps = { accessGate: AccessGate; pool: SqlPool; collections: Pick<Collections, 'get'> };

const historyParameters = {
  max: wholeNumber(20, 1, 100),
  before: wholeNumber(Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER),
};
const eventIds = wholeNumber(0, 0, Number.MAX_SAFE_INTEGER);

/** To be mounted at `/rest`, before the routes of documents. */
export function createHistoryRoutes({ accessGate, pool, collections }: HistoryRoutesDeps): Router {
  const router = Router({ caseSensitive: true });
  const route = createRestRoute(accessGate);

  async function subjectOf({ database, collection }: Target, request: Request): Promise<Subject> {
    const id = String(request.params.id);
    checkId(id);
    const collectionId = await findCollection(pool, database, collection);
    if (collectionId === null) throw noDocument(collection, id);
    return { collectionId, id };
  }

  async function versionsOf(target: Target, subject: Subject, page: { before: number; max: number }) {
    const { rule = null } = target;
    if (rule === null) return listVersions(pool, subject, page);
    const isThere = await collections.get(target, subject.id, parseGetRequest('')).then(
      () => true,
      (error: unknown) => {
        if (error instanceof Problem && error.code === 'not_found') return false;
        throw error;
      },
    );
    return listVersionsBy(rule, pool, subject, { ...page, isThere });
  }

  router.use(preflight);
  router
    .route('/:collection/:id/history')
    .get(
      route('GET', async (target, request, response) => {
        const page = parseParameters(queryOf(request), historyParameters, keyParameters);
        const subject = await subjectOf(target, request);
        const found = await versionsOf(target, subject, page);
        if (found === null) throw noDocument(target.collection, subject.id);
        const { versions, oldest } = await withinReach(pool, target.database.id, found);
        const next = versions.at(-1)?.eventId ?? null;
        sendJson(response, 200, `{"data":[${versions.map(encodeVersion).join()}],"next":${next},"oldest":${oldest}}`);
      }),
    )
    .all(methodNotAllowed('GET'));
  router
    .route('/:collection/:id/asof/:eventId')
    .get(
      route('GET', async (target, request, response) => {
        const asked = parseGetRequest(queryOf(request), { ignored: keyParameters });
        if (asked.asOf !== null) throw wrongParameters([{ field: 'asof', message: 'the path says it already' }]);
        const asOf = parseEventId(String(request.params.eventId));
        const id = idOf(request);
        const { entityTag, ...answer } = await collections.get(withOrigin(target, request, asked), id, {
          ...asked,
          asOf,
        });
        sendFormatted(response, { ...answer, name: `${target.collection}-${id}` }, ['ETag', entityTag]);
      }),
    )
    .all(methodNotAllowed('GET'));
  router.use(readableRefusal);
  return router;
}

function encodeVersion({ eventId, type, at, document }: DocumentVersion): string {
  return `${JSON.stringify({ eventId, type, at }).slice(0, -1)},"document":${document}}`;
}

function parseEventId(text: string): number {
  const eventId = eventIds.parse(text);
  if (eventId !== undefined) return eventId;
  throw new Problem('bad_request', `This is not the number of an event (allowed: ${eventIds.allowed}).`, {
    errors: [{ field: 'eventId', message: 'this is not the number of an event', allowed: eventIds.allowed }],
  });
}
