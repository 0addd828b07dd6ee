/** The collections API: `/rest/{collection}[/{id}]`, for applications with a key. */
import { keyParameters } from '@tidewire/access/key-credentials';
import type { WriteAnswer } from '@tidewire/change-log/document-writes';
import type { Collections, Target } from '@tidewire/collections/collections';
import type { ChangeForm } from '@tidewire/collections/document-change';
import { mergePatchType } from '@tidewire/collections/json-merge-patch';
import { jsonPatchType } from '@tidewire/collections/json-patch';
import { flag, parseParameters, text, wrongParameters } from '@tidewire/collections/query-parameters';
import { parseListRequest } from '@tidewire/collections/read-request';
import { hasBody } from '@tidewire/server-kit/body-time';
import { allowReadingRefusal, answerPreflight, isPreflight } from '@tidewire/server-kit/cors';
import { mediaTypeOf, readJsonBody } from '@tidewire/server-kit/json-body';
import { methodOverride } from '@tidewire/server-kit/method-override';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson, sendNothing } from '@tidewire/server-kit/send-json';
import { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { queryOf } from '../parse-input.js';
import { wantsMinimal, writeOptionsOf } from '../write-request.js';
import { createReadRoutes, type ReadRoutesDeps } from './rest-read.js';
import { childIdOf, createChildRoute, createRestRoute, idOf, type RestWork } from './rest-route.js';

export type RestRoutesDeps = ReadRoutesDeps & { collections: Collections };

const createParameters = { validate: { ...flag, fallback: true } };
const putParameters = { replace: flag };
const matchingParameters = { q: text, confirm: flag };

const patchForms: Record<string, ChangeForm> = { [mergePatchType]: 'merge-patch', [jsonPatchType]: 'json-patch' };
const patchTypes = ['application/json', ...Object.keys(patchForms)];

/** To be mounted at `/rest`. */
export function createRestRoutes(deps: RestRoutesDeps): Router {
  const { accessGate, collections } = deps;
  const router = Router({ caseSensitive: true });
  const read = createReadRoutes(deps);
  const route = createRestRoute(accessGate);
  const childRoute = createChildRoute(accessGate);

  const create: RestWork = async (target, request, response) => {
    const parameters = parseParameters(queryOf(request), createParameters, keyParameters);
    const body = await readJsonBody(request);
    const options = {
      ...writeOptionsOf(request, { parameters, body, isOne: false }),
      isValidated: parameters.validate,
    };
    sendAnswer(request, response, await collections.create(target, body, options));
  };
  const put = (id: (request: Request) => string): RestWork => {
    return async (target, request, response) => {
      const parameters = parseParameters(queryOf(request), putParameters, keyParameters);
      const body = await readJsonBody(request);
      const change = { form: parameters.replace ? 'replace' : 'merge', body } as const;
      const options = writeOptionsOf(request, { parameters, body, isOne: true });
      sendAnswer(request, response, await collections.update(target, id(request), change, options));
    };
  };

  router.use((request, response, next) => {
    if (isPreflight(request)) answerPreflight(response);
    else next();
  });
  router.use(methodOverride);

  router.route('/:collection').get(read.list).post(route('POST', create)).all(methodNotAllowed('GET, POST'));

  router
    .route('/:collection/:id')
    .get(read.get)
    .put(route('PUT', put(idOf)))
    .patch(
      route('PATCH', async (target, request, response) => {
        const id = idOf(request);
        const matching = id === '*' ? parseMatching(request) : null;
        if (matching === null) parseParameters(queryOf(request), {}, keyParameters);
        const body = await readJsonBody(request, patchTypes);
        const change = { form: patchForms[mediaTypeOf(request)] ?? 'merge', body };
        const options = writeOptionsOf(request, { parameters: matching?.parameters, body, isOne: matching === null });
        const written =
          matching === null
            ? collections.update(target, id, change, options)
            : collections.updateMatching(target, matching.filter, change, options);
        sendAnswer(request, response, await written);
      }),
    )
    .delete(
      route('DELETE', async (target, request, response) => {
        sendAnswer(request, response, await deleteWhat(collections, target, request));
      }),
    )
    .all(methodNotAllowed('GET, PUT, PATCH, DELETE'));

  router
    .route('/:collection/:id/:field')
    .get(read.listChildren)
    .post(childRoute('POST', create))
    .all(methodNotAllowed('GET, POST'));

  router
    .route('/:collection/:id/:field/:childId')
    .get(read.getChild)
    .put(childRoute('PUT', put(childIdOf)))
    .patch(
      childRoute('PATCH', async (target, request, response) => {
        parseParameters(queryOf(request), {}, keyParameters);
        const body = await readJsonBody(request, patchTypes);
        const change = { form: patchForms[mediaTypeOf(request)] ?? 'merge', body };
        const options = writeOptionsOf(request, { body, isOne: true });
        sendAnswer(request, response, await collections.update(target, childIdOf(request), change, options));
      }),
    )
    .delete(
      childRoute('DELETE', async (target, request, response) => {
        parseParameters(queryOf(request), {}, keyParameters);
        const options = writeOptionsOf(request, { isOne: true });
        sendAnswer(request, response, await collections.delete(target, childIdOf(request), options));
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

/** One document, those that q is true for, or those whose ids stand in the body. */
async function deleteWhat(collections: Collections, target: Target, request: Request): Promise<WriteAnswer> {
  const id = idOf(request);
  if (id !== '*') {
    parseParameters(queryOf(request), {}, keyParameters);
    return collections.delete(target, id, writeOptionsOf(request, { isOne: true }));
  }
  if (!hasBody(request)) {
    const { parameters, filter } = parseMatching(request);
    return collections.deleteMatching(target, filter, writeOptionsOf(request, { parameters, isOne: false }));
  }
  if (parseParameters(queryOf(request), matchingParameters, keyParameters).q !== null) {
    throw wrongParameters([{ field: 'q', message: 'the body has ids already', allowed: 'q, or a body with ids' }]);
  }
  const body = await readJsonBody(request);
  return collections.deleteMany(target, body, writeOptionsOf(request, { body, isOne: false }));
}

/** Which documents `*` stands for. Whoever means all of them says so twice: `q={}&confirm=true`. */
function parseMatching(request: Request) {
  const parameters = parseParameters(queryOf(request), matchingParameters, keyParameters);
  const { q, confirm } = parameters;
  if (q === null) {
    const ids = request.method === 'DELETE' ? ', or a body with an array of ids' : '';
    throw wrongParameters([
      { field: 'q', message: 'it is not said which documents are meant', allowed: `a query, as in q={"n":1}${ids}` },
    ]);
  }
  const { filter } = parseListRequest(new URLSearchParams({ q }).toString());
  if (filter === null && !confirm) {
    throw wrongParameters([
      { field: 'q', message: 'every document would be meant', allowed: 'a condition, or confirm=true beside q={}' },
    ]);
  }
  return { parameters, filter };
}

function sendAnswer(request: Request, response: Response, answer: WriteAnswer): void {
  const { status, text: body, eventId, etag, documentId } = answer;
  const headers: string[] = [];
  if (eventId !== null) headers.push('X-Event-Id', String(eventId));
  if (etag !== null) headers.push('ETag', etag);
  if (status === 201 && documentId !== null) {
    const { collection, id, field } = request.params;
    const list = field === undefined ? collection : `${collection}/${id}/${encodeURIComponent(String(field))}`;
    headers.push('Location', `${request.baseUrl}/${list}/${documentId}`);
  }
  if (wantsMinimal(request))
    sendNothing(response, status === 201 ? 201 : 204, [...headers, 'Preference-Applied', 'return=minimal']);
  else sendJson(response, status, body, headers);
}
