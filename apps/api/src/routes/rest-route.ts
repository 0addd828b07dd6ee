/** What every route of the collections API does before its work: key, origin, name, grant. */
import { mayRest } from '@tidewire/access/admission';
import type { KeyAccess, KeyGate } from '@tidewire/access/key-gate';
import { authorOf } from '@tidewire/access/principal';
import type { Target } from '@tidewire/collections/collections';
import { childCollectionOf } from '@tidewire/collections/relation-fields';
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

/** The id of a child in the path, as it was sent. */
export function childIdOf(request: Request): string {
  return String(request.params.childId);
}

/**
 * The same for the children of a document, at `/:collection/:id/:field`: the target is the collection of the children, with their parent. The key needs GET on the
 * parent's collection and the method on theirs.
 */
export function createChildRoute(
  keyGate: KeyGate,
): (method: RestMethod, work: RestWork, fieldOf?: FieldOf) => RequestHandler {
  return (method, work, fieldOf = (request) => String(request.params.field)) =>
    keyGate((access, request, response) => {
      admitOrigin(access.key, request, response);
      const field = fieldOf(request);
      const { collection, database } = admit(access, 'GET', String(request.params.collection));
      const childCollection = childCollectionOf(database, collection, field);
      if (childCollection === null) throw noChildren(collection, field);
      const parent = { collection, id: idOf(request), field };
      return work({ ...admit(access, method, childCollection), parent }, request, response);
    });
}

/** How the field is found in a request. */
export type FieldOf = (request: Request) => string;

function noChildren(collection: string, field: string): Problem {
  const shown = JSON.stringify(field.slice(0, 100));
  return new Problem(
    'not_found',
    `The documents of ${collection} have no children under ${shown}: its schema has no such field of the type child.`,
  );
}

/** Throws `bad_request` for what is no collection's name, `forbidden` without the grant. */
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
  const mayGet = (other: string) => mayRest(database, key, 'GET', other);
  return { database, collection, scope: { databaseId: database.id, author: authorOf(principal) }, mayGet };
}
