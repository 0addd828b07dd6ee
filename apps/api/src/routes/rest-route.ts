/** What every route of the collections API does before its work: key, origin, name, grant. */

import type { Access, AccessGate } from '@tidewire/access/access-gate';
import { mayRest } from '@tidewire/access/admission';
import { type ApplicationPrincipal, authorOf } from '@tidewire/access/principal';
import type { Target } from '@tidewire/collections/collections';
import { childCollectionOf } from '@tidewire/collections/relation-fields';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { RestMethod } from '@tidewire/protocol/channel';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import { admitOrigin } from '@tidewire/server-kit/cors';
import type { Request, RequestHandler, Response } from 'express';

/** Where and by whom. */
export type RestTarget = Target & { database: CatalogDatabase; principal: ApplicationPrincipal };

/** The work of a route, for a caller who may do it. */
export type RestWork = (target: RestTarget, request: Request, response: Response) => Promise<void>;

/** Makes an Express handler of the work of a method. `collectionOf` finds the collection in the request; by default the path's `:collection`. */
export type RestRoute = (
  method: RestMethod,
  work: RestWork,
  collectionOf?: (request: Request) => string,
) => RequestHandler;

/** Refusals (400, 401, 403) are passed on before the work begins. */
export function createRestRoute(accessGate: AccessGate): RestRoute {
  return (method, work, collectionOf = (request) => String(request.params.collection)) =>
    accessGate((access, request, response) => {
      admitOrigin(access.rights, request, response);
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
  accessGate: AccessGate,
): (method: RestMethod, work: RestWork, fieldOf?: FieldOf) => RequestHandler {
  return (method, work, fieldOf = (request) => String(request.params.field)) =>
    accessGate((access, request, response) => {
      admitOrigin(access.rights, request, response);
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
function admit({ principal, database, rights }: Access, method: RestMethod, collection: string): RestTarget {
  if (!collectionNamePattern.test(collection)) {
    throw new Problem('bad_request', `This cannot be the name of a collection (allowed: ${collectionNameRule}).`, {
      errors: [
        { field: 'collection', message: 'this cannot be the name of a collection', allowed: collectionNameRule },
      ],
    });
  }
  if (!mayRest(database, rights, method, collection)) {
    throw new Problem(
      'forbidden',
      `The ${principal.kind} may not ${method} ${collection}. It needs ${method}:${collection} in its rest list.`,
    );
  }
  const mayGet = (other: string) => mayRest(database, rights, 'GET', other);
  const scope = { databaseId: database.id, author: authorOf(principal) };
  const { rules } = rights;
  if (rules === undefined) return { database, collection, principal, scope, mayGet };
  const ruleOf = (other: string) => rules.of('GET', other);
  return { database, collection, principal, scope, mayGet, ruleOf, rule: rules.of(method, collection) };
}
