/** Streams of results: `GET /rest/{collection}/stream`, of a document, and of a document's children. The parameters are those of the routes without `/stream`. */
import { isRealtimeOn, mayListen, mayRest } from '@tidewire/access/admission';
import { endedProblem, type VerifiedAccess } from '@tidewire/access/authenticate-key';
import { keyParameters } from '@tidewire/access/key-credentials';
import { type Rights, standingOf } from '@tidewire/access/rights';
import type { LiveSources, LiveTarget } from '@tidewire/collections/live-sources';
import { parseGetRequest, parseListRequest, type Shape } from '@tidewire/collections/read-request';
import { childCollectionOf } from '@tidewire/collections/relation-fields';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { Onlooker, ViewerStanding, ViewerVerdict } from '@tidewire/delivery/live-query';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { Problem } from '@tidewire/protocol/problem';
import type { LiveSource } from '@tidewire/query/live-source';
import { allowReadingRefusal, answerPreflight, isPreflight } from '@tidewire/server-kit/cors';
import { originOf } from '@tidewire/server-kit/origin';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { ownParameters, parseLiveForm, queryOf, refuseStepsWithoutRows } from '../live-parameters.js';
import { realtimeOff, type StreamDoors } from '../stream-doors.js';

export type QueryStreamRoutesDeps = { doors: StreamDoors; liveSources: LiveSources };

const paths = ['/rest/:collection/stream', '/rest/:collection/:id/stream', '/rest/:collection/:id/:field/stream'];
const defaults = { ignored: [...keyParameters, ...ownParameters] };

export function createQueryStreamRoutes({ doors, liveSources }: QueryStreamRoutesDeps): Router {
  const router = Router({ caseSensitive: true });

  /** `collections`: those that the key must be able to read and hear. */
  function stream(
    access: VerifiedAccess,
    request: Request,
    response: Response,
    asked: { target: LiveTarget; shape: Shape; collections: readonly string[]; source: LiveSource },
  ) {
    const { target, shape, collections, source } = asked;
    const form = parseLiveForm(queryOf(request));
    refuseStepsWithoutRows(form, source);
    const { database, principal } = access;
    const bounds = liveSources.boundsOf(target, shape);
    const judge: ViewerVerdict = (newest) => {
      const standing = standingOf(principal, newest);
      if (standing.status === 'ended') return { status: 'ended', event: standing.ended, reason: standing.reason };
      const { rights, until } = standing;
      const missing = collections.flatMap((collection) => missingGrants(newest, rights, collection));
      if (missing.length > 0)
        return { status: 'ended', event: 'revoked', reason: `the ${principal.kind} lacks ${missing.join(', ')}` };
      const now = { ...target, database: newest, visible: visibleTo(rights), ruleOf: ruleOf(rights) };
      return liveSources.boundsOf(now, shape) === bounds ? { status: 'open', until } : { status: 'return' };
    };
    const onlooker: Onlooker =
      principal.kind === 'key'
        ? {
            verdict: rememberedFor(JSON.stringify([principal.keyId, collections, shape.related, bounds]), judge),
            user: null,
          }
        : { verdict: judge, user: principal.user };
    return doors.live(request, response, { databaseId: database.id, source, form, onlooker });
  }

  router.options(paths, (request, response, next) => {
    if (isPreflight(request)) answerPreflight(response);
    else next();
  });

  router
    .route('/rest/:collection/stream')
    .get(
      doors.forApplications((access, request, response) => {
        const collection = admit(access, request.params.collection);
        const shape = parseListRequest(queryOf(request), defaults);
        const target = targetOf(access, collection, request, shape);
        const source = liveSources.list(target, shape);
        return stream(access, request, response, { target, shape, collections: [collection], source });
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/rest/:collection/:id/stream')
    .get(
      doors.forApplications((access, request, response) => {
        const collection = admit(access, request.params.collection);
        const shape = parseGetRequest(queryOf(request), defaults);
        const target = targetOf(access, collection, request, shape);
        const source = liveSources.document(target, String(request.params.id), shape);
        return stream(access, request, response, { target, shape, collections: [collection], source });
      }),
    )
    .all(methodNotAllowed('GET'));

  router
    .route('/rest/:collection/:id/:field/stream')
    .get(
      doors.forApplications((access, request, response) => {
        const parent = admit(access, request.params.collection);
        const [id, field] = [String(request.params.id), String(request.params.field)];
        const children = childCollectionOf(access.database, parent, field);
        if (children === null)
          throw new Problem('not_found', `The schema of ${parent} has no field of the type child with this name.`);
        const collection = admit(access, children);
        const shape = parseListRequest(queryOf(request), defaults);
        const target = { ...targetOf(access, collection, request, shape), parent: { collection: parent, id, field } };
        const source = liveSources.list(target, shape);
        return stream(access, request, response, { target, shape, collections: [parent, collection], source });
      }),
    )
    .all(methodNotAllowed('GET'));

  const letRefusalBeRead: ErrorRequestHandler = (error, request, response, next) => {
    allowReadingRefusal(error, request, response);
    next(error);
  };
  router.use(letRefusalBeRead);
  return router;
}

/** Thousands of streams of one key ask the same of one configuration. */
const remembered = new WeakMap<CatalogDatabase, Map<string, ViewerStanding>>();

function rememberedFor(question: string, judge: ViewerVerdict): ViewerVerdict {
  return (newest) => {
    const standings = remembered.get(newest) ?? new Map<string, ViewerStanding>();
    remembered.set(newest, standings);
    const known = standings.get(question);
    if (known !== undefined && !isOver(known)) return known;
    const standing = judge(newest);
    standings.set(question, standing);
    return standing;
  };
}

function isOver(standing: ViewerStanding): boolean {
  return standing.status === 'open' && standing.until <= Date.now();
}

/** The collection's name, if the key may read it and hear each of its changes. Throws `bad_request`, `realtime_off` or `forbidden`. */
function admit({ database, rights, principal }: VerifiedAccess, name: unknown): string {
  const collection = String(name);
  if (!collectionNamePattern.test(collection)) {
    const message = 'this cannot be the name of a collection';
    throw new Problem('bad_request', `This cannot be the name of a collection (allowed: ${collectionNameRule}).`, {
      errors: [{ field: 'collection', message, allowed: collectionNameRule }],
    });
  }
  const standing = standingOf(principal, database);
  if (standing.status === 'ended') throw endedProblem(principal, standing.ended);
  if (!isRealtimeOn(database, rights)) throw realtimeOff();
  const missing = missingGrants(database, rights, collection);
  if (missing.length > 0)
    throw new Problem(
      'forbidden',
      `A stream of ${collection} needs to read it and to hear all of its changes. The ${principal.kind} lacks ${missing.join(', ')}.`,
    );
  return collection;
}

function missingGrants(database: CatalogDatabase, rights: Rights, collection: string): string[] {
  const changes = (['post', 'put', 'delete'] as const).filter((type) => !mayListen(database, rights, type, collection));
  return [
    ...(mayRest(database, rights, 'GET', collection) ? [] : [`GET:${collection} in rest`]),
    ...changes.map((type) => `${type.toUpperCase()}:${collection} in listen`),
  ];
}

function targetOf(
  { database, rights }: VerifiedAccess,
  collection: string,
  request: Request,
  shape: Shape,
): LiveTarget {
  return {
    database,
    collection,
    mayGet: (other) => mayRest(database, rights, 'GET', other),
    visible: visibleTo(rights),
    ruleOf: ruleOf(rights),
    origin: shape.related.links ? originOf(request) : undefined,
  };
}

function ruleOf({ rules }: Rights): LiveTarget['ruleOf'] {
  return rules === undefined ? undefined : (collection) => rules.of('GET', collection);
}

/** The grants to read, in one order, and the rules of reading. */
function visibleTo({ rest, rules }: Rights): string {
  const names = rest.filter((grant) => /^(?:GET|\*):/.test(grant)).map((grant) => grant.slice(grant.indexOf(':') + 1));
  const grants = names.includes('*') ? '*' : [...new Set(names)].sort().join(' ');
  const bound = [...(rules?.collections ?? [])].sort().map((name) => [name, rules?.of('GET', name)?.signature]);
  return bound.length === 0 ? grants : `${grants} ${JSON.stringify(bound)}`;
}
