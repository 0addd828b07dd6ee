/** The collections API: `/rest/{collection}[/{id}]`, for applications with a key. */
import { mayRest } from '@tidewire/access/admission';
import { keyParameters } from '@tidewire/access/key-credentials';
import type { KeyAccess, KeyGate } from '@tidewire/access/key-gate';
import { authorOf } from '@tidewire/access/principal';
import {
  type Collections,
  defaultMax,
  documentsLimit,
  type Target,
  type Written,
} from '@tidewire/collections/collections';
import { flag, parseParameters, wholeNumber } from '@tidewire/collections/query-parameters';
import type { RestMethod } from '@tidewire/protocol/channel';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin, allowReadingRefusal, answerPreflight, isPreflight } from '@tidewire/server-kit/cors';
import { readJsonBody } from '@tidewire/server-kit/json-body';
import { methodOverride } from '@tidewire/server-kit/method-override';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from 'express';
import { queryOf } from '../parse-input.js';

export type RestRoutesDeps = { keyGate: KeyGate; collections: Collections };

const listParameters = {
  max: wholeNumber(defaultMax, 0, documentsLimit),
  skip: wholeNumber(0, 0, Number.MAX_SAFE_INTEGER),
  metafields: flag,
  totals: flag,
};
const getParameters = { metafields: flag };

/** To be mounted at `/rest`. */
export function createRestRoutes({ keyGate, collections }: RestRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  /** The steps that every route takes in this order: key, origin, name, grant; then the work. */
  function route(
    method: RestMethod,
    work: (target: Target, request: Request, response: Response) => Promise<void>,
  ): RequestHandler {
    return keyGate((access, request, response) => {
      admitOrigin(access.key, request, response);
      return work(admit(access, method, request), request, response);
    });
  }

  const update = (method: 'PUT' | 'PATCH') =>
    route(method, async (target, request, response) => {
      refuseParameters(request);
      sendWritten(response, 200, await collections.update(target, idOf(request), await readJsonBody(request)));
    });

  router.use((request, response, next) => {
    if (isPreflight(request)) answerPreflight(response);
    else next();
  });
  router.use(methodOverride);

  router
    .route('/:collection')
    .get(
      route('GET', async (target, request, response) => {
        const { text, totals } = await collections.list(
          target,
          parseParameters(queryOf(request), listParameters, keyParameters),
        );
        sendJson(response, 200, text, totals === null ? [] : ['X-Pagination', totals]);
      }),
    )
    .post(
      route('POST', async (target, request, response) => {
        refuseParameters(request);
        sendWritten(response, 201, await collections.create(target, await readJsonBody(request)));
      }),
    )
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/:collection/:id')
    .get(
      route('GET', async (target, request, response) => {
        const options = parseParameters(queryOf(request), getParameters, keyParameters);
        sendJson(response, 200, await collections.get(target, idOf(request), options));
      }),
    )
    .put(update('PUT'))
    .patch(update('PATCH'))
    .delete(
      route('DELETE', async (target, request, response) => {
        refuseParameters(request);
        const id = idOf(request);
        const deleted =
          id === '*' ? collections.deleteMany(target, await readJsonBody(request)) : collections.delete(target, id);
        sendWritten(response, 200, await deleted);
      }),
    )
    .all(methodNotAllowed('GET, PUT, PATCH, DELETE'));

  const letRefusalBeRead: ErrorRequestHandler = (error, request, response, next) => {
    allowReadingRefusal(error, request, response);
    next(error);
  };
  router.use(letRefusalBeRead);
  return router;
}

function admit({ principal, database, key }: KeyAccess, method: RestMethod, request: Request): Target {
  const collection = String(request.params.collection);
  if (!collectionNamePattern.test(collection)) {
    throw new Problem('bad_request', `This cannot be the name of a collection (allowed: ${collectionNameRule}).`, {
      errors: [
        { field: 'collection', message: 'this cannot be the name of a collection', allowed: collectionNameRule },
      ],
    });
  }
  if (!mayRest(database, key, method, collection)) {
    throw new Problem(
      'forbidden',
      `The key may not ${method} ${collection}. It needs ${method}:${collection} in its rest list.`,
    );
  }
  return { database, collection, scope: { databaseId: database.id, author: authorOf(principal) } };
}

function idOf(request: Request): string {
  return String(request.params.id);
}

/** Routes without parameters take the key there and nothing else. */
function refuseParameters(request: Request): void {
  parseParameters(queryOf(request), {}, keyParameters);
}

function sendWritten(response: Response, status: number, { text, eventId }: Written): void {
  sendJson(response, status, text, eventId === null ? [] : ['X-Event-Id', String(eventId)]);
}
