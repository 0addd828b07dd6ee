/** The reading half of the collections API. */

import type { AccessGate } from '@tidewire/access/access-gate';
import { keyParameters } from '@tidewire/access/key-credentials';
import type { Collections, Target } from '@tidewire/collections/collections';
import { includesEntityTag } from '@tidewire/collections/entity-tag';
import {
  type Format,
  formats,
  parseGetRequest,
  parseListRequest,
  type Shape,
} from '@tidewire/collections/read-request';
import { originOf } from '@tidewire/server-kit/origin';
import type { Request, RequestHandler } from 'express';
import { nextPageQuery } from '../next-page.js';
import { queryOf } from '../parse-input.js';
import { sendFormatted, sendNotModified } from '../send-formatted.js';
import { createChildRoute, createRestRoute, type RestWork } from './rest-route.js';

export type ReadRoutesDeps = { accessGate: AccessGate; collections: Pick<Collections, 'list' | 'get'> };

/** Longer ones would not fit into the headers that clients take; the cursor stands in a header of its own. */
const LINK_LIMIT_CHARS = 4_096;

/**
 * The handlers of GET (and HEAD): of a collection, of a document, of a document's children and of one of them. All take `.json`, `.csv` or `.html` at the end of the
 * path.
 */
export function createReadRoutes({ accessGate, collections }: ReadRoutesDeps): {
  list: RequestHandler;
  get: RequestHandler;
  listChildren: RequestHandler;
  getChild: RequestHandler;
} {
  const route = createRestRoute(accessGate);
  const childRoute = createChildRoute(accessGate);

  const list = (parameter: 'collection' | 'field'): RestWork => {
    return async (target, request, response) => {
      const { format } = splitSuffix(request.params[parameter]);
      const asked = parseListRequest(queryOf(request), { ignored: keyParameters, format });
      const answer = await collections.list(withOrigin(target, request, asked), asked);
      const headers = ['X-Pagination', JSON.stringify(answer.pagination)];
      if (answer.next !== null) headers.push(...nextPageHeaders(request, answer.next));
      sendFormatted(response, { text: answer.text, format: answer.format, name: target.collection }, headers);
    };
  };
  const get = (parameter: 'id' | 'childId'): RestWork => {
    return async (target, request, response) => {
      const { name: id, format } = splitSuffix(request.params[parameter]);
      const asked = parseGetRequest(queryOf(request), { ignored: keyParameters, format });
      const answer = await collections.get(withOrigin(target, request, asked), id, asked);
      const headers = ['ETag', answer.entityTag];
      if (includesEntityTag(request.headers['if-none-match'] ?? '', answer.entityTag))
        sendNotModified(response, headers);
      else sendFormatted(response, { ...answer, name: `${target.collection}-${id}` }, headers);
    };
  };
  return {
    list: route('GET', list('collection'), (request) => splitSuffix(request.params.collection).name),
    get: route('GET', get('id')),
    listChildren: childRoute('GET', list('field'), (request) => splitSuffix(request.params.field).name),
    getChild: childRoute('GET', get('childId')),
  };
}

/** Links need to know what the server is called. */
export function withOrigin(target: Target, request: Request, { related }: Shape): Target {
  return related.links ? { ...target, origin: originOf(request) } : target;
}

/** The last part of a path without the suffix of a format. */
function splitSuffix(parameter: unknown): { name: string; format: Format | null } {
  const part = String(parameter);
  const format = formats.find((name) => part.endsWith(`.${name}`));
  return format === undefined ? { name: part, format: null } : { name: part.slice(0, -format.length - 1), format };
}

/** The cursor alone, and a link to the same request with it (RFC 8288), relative to the server, without the key. */
function nextPageHeaders(request: Request, next: string): string[] {
  const [path = ''] = request.originalUrl.split('?', 1);
  const link = `<${path}?${nextPageQuery(queryOf(request), next)}>; rel="next"`;
  return ['X-Next-Cursor', next, ...(link.length > LINK_LIMIT_CHARS ? [] : ['Link', link])];
}
