/** restdb.io's generated client: `_jsapi.js`, its page `_jsapi.doc`, and the description under the name that it has there. */
import { createHash } from 'node:crypto';
import type { Access, AccessGate } from '@tidewire/access/access-gate';
import { mayListen, mayRest } from '@tidewire/access/admission';
import { keyParameters, readKeyCredentials } from '@tidewire/access/key-credentials';
import { documentationStyle, writeRestdbDocumentation } from '@tidewire/client/restdb-documentation';
import { type ScriptReach, writeRestdbScript } from '@tidewire/client/restdb-script';
import { includesEntityTag } from '@tidewire/collections/entity-tag';
import { flag, parseParameters } from '@tidewire/collections/query-parameters';
import { collectionNamePattern } from '@tidewire/protocol/names';
import { preflight, readableRefusal } from '@tidewire/server-kit/browser-access';
import { admitOrigin, allowReadingRefusal } from '@tidewire/server-kit/cors';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { requestIdOf } from '@tidewire/server-kit/request-id';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { queryOf } from '../parse-input.js';

export type RestdbClientDeps = {
  accessGate: AccessGate;
  /** The handler of `GET /openapi.json`. */
  describe: RequestHandler;
};

/** jQuery or not is all one: the script needs none. */
const scriptParameters = { plainjs: flag };
/** Without a key nobody can know which database is meant: any name is a collection then. */
const anything: ScriptReach = { collections: [], isOpen: true };
const restMethods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const documentEvents = ['post', 'put', 'delete'] as const;

const styleHash = createHash('sha256').update(documentationStyle).digest('base64');
const scriptPolicy = "default-src 'none'; frame-ancestors 'none'";
const pagePolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** To be mounted at `/rest`, before the routes of collections: their names begin with a letter, so none can be meant. */
export function createRestdbClientRoutes({ accessGate, describe }: RestdbClientDeps): Router {
  const router = Router({ caseSensitive: true });
  const script = forReach(accessGate, (reach, request, response) => {
    parseParameters(queryOf(request), scriptParameters, keyParameters);
    send(response, 'text/javascript; charset=utf-8', scriptPolicy, writeRestdbScript(reach));
  });
  const documentation = forReach(accessGate, (reach, request, response) => {
    parseParameters(queryOf(request), scriptParameters, keyParameters);
    const url = `${request.protocol}://${request.headers.host ?? 'localhost'}`;
    send(response, 'text/html; charset=utf-8', pagePolicy, writeRestdbDocumentation({ ...reach, url }));
  });

  router.route('/_jsapi.js').options(preflight).get(script).all(methodNotAllowed('GET'));
  router.route('/_jsapi.doc').options(preflight).get(documentation).all(methodNotAllowed('GET'));
  router.route('/_swagger.json').options(preflight).get(describe).all(methodNotAllowed('GET'));
  router.use(readableRefusal);
  return router;
}

/** With a key what it reaches, without one anything. A wrong key is refused, as everywhere. */
function forReach(
  accessGate: AccessGate,
  answer: (reach: ScriptReach, request: Request, response: Response) => void,
): RequestHandler {
  const ofKey = accessGate((access, request, response) => {
    admitOrigin(access.rights, request, response);
    response.set('Cache-Control', 'private, no-cache').vary('x-apikey').vary('Authorization');
    answer(reachOf(access), request, response);
  });
  return (request, response, next) => {
    if (readKeyCredentials(request).status !== 'none') return ofKey(request, response, next);
    allowReadingRefusal(null, request, response);
    response.set('Cache-Control', 'no-cache').vary('x-apikey').vary('Authorization');
    answer(anything, request, response);
  };
}

/** The collections that are there and those that the key's lists name, in the order of their names. */
function reachOf({ database, rights }: Access): ScriptReach {
  const grants = [...rights.rest, ...rights.listen.filter((grant) => !grant.startsWith('PUBLISH:'))];
  const granted = grants.map((grant) => grant.slice(grant.indexOf(':') + 1));
  const names = [...database.collections.keys(), ...granted.filter((name) => collectionNamePattern.test(name))];
  const isReached = (name: string) =>
    restMethods.some((method) => mayRest(database, rights, method, name)) ||
    documentEvents.some((type) => mayListen(database, rights, type, name));
  return { collections: [...new Set(names)].filter(isReached).sort(), isOpen: granted.includes('*') };
}

/** 304 when the browser has this very text already. */
function send(response: Response, type: string, policy: string, text: string): void {
  const entityTag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  response.set({ 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer', ETag: entityTag });
  response.set({ 'Content-Security-Policy': policy, 'X-Request-Id': requestIdOf(response) });
  if (includesEntityTag(response.req.headers['if-none-match'] ?? '', entityTag)) response.status(304).end();
  else response.set('Content-Type', type).send(text);
}
