/** What every route of the collections API does before its work: key, origin, name, grant. */
import { mayRest } from '@tidewire/access/admission';
import type { KeyAccess, KeyGate } from '@tidewire/access/key-gate';
import { authorOf } from '@tidewire/access/principal';
import type { Target } from '@tidewire/collections/collections';
import type { RestMethod } from '@tidewire/protocol/channel';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin } from '@tidewire/server-kit/cors';
import type { Request, RequestHandler, Response } from 'express';

/** The work of a route, for a caller who may do it. */
export type RestWork = (target: Target, request: Request, response: Response) => Promise<void>;

/** Makes an Express handler of the work of a method. `collectionOf` finds the collection in the request; by default the path's `:collection`. */
export type RestRoute = (
  method: RestMethod,
  work: RestWork,
  collectionOf?: (request: Request) => string,
) => RequestHandler;

/** Refusals (400, 401, 403) are passed on before the work begins. */
export function createRestRoute(keyGate: KeyGate): RestRoute {
  return (method, work, collectionOf = (request) => String(request.params.collection)) =>
    keyGate((access, request, response) => {
      admitOrigin(access.key, request, response);
      return work(admit(access, method, collectionOf(request)), request, response);
    });
}

/** The id in the path, as it was sent. */
export function idOf(request: Request): string {
  return String(request.params.id);
}

function admit({ principal, database, key }: KeyAccess, method: RestMethod, collection: string): Target {
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
