/** The reading half of the collections API. */
import { keyParameters } from '@tidewire/access/key-credentials';
import type { KeyGate } from '@tidewire/access/key-gate';
import type { Collections } from '@tidewire/collections/collections';
import { includesEntityTag } from '@tidewire/collections/entity-tag';
import { type Format, formats, parseGetRequest, parseListRequest } from '@tidewire/collections/read-request';
import type { Request, RequestHandler } from 'express';
import { nextPageQuery } from '../next-page.js';
import { queryOf } from '../parse-input.js';
import { sendFormatted, sendNotModified } from '../send-formatted.js';
import { createRestRoute } from './rest-route.js';

export type ReadRoutesDeps = { keyGate: KeyGate; collections: Pick<Collections, 'list' | 'get'> };

/** Longer ones would not fit into the headers that clients take; the cursor stands in a header of its own. */
const LINK_LIMIT_CHARS = 4_096;

/** The handlers of GET (and HEAD): of a collection, and of a document. Both take `.json`, `.csv` or `.html` at the end of the path. */
export function createReadRoutes({ keyGate, collections }: ReadRoutesDeps): {
  list: RequestHandler;
  get: RequestHandler;
} {
  const route = createRestRoute(keyGate);
  return {
    list: route(
      'GET',
      async (target, request, response) => {
        const { format } = splitSuffix(request.params.collection);
        const asked = parseListRequest(queryOf(request), { ignored: keyParameters, format });
        const { text, format: answered, pagination, next } = await collections.list(target, asked);
        const headers = ['X-Pagination', JSON.stringify(pagination)];
        if (next !== null) headers.push(...nextPageHeaders(request, next));
        sendFormatted(response, { text, format: answered, name: target.collection }, headers);
      },
      (request) => splitSuffix(request.params.collection).name,
    ),

    get: route('GET', async (target, request, response) => {
      const { name: id, format } = splitSuffix(request.params.id);
      const asked = parseGetRequest(queryOf(request), { ignored: keyParameters, format });
      const { text, format: answered, entityTag } = await collections.get(target, id, asked);
      const headers = ['ETag', entityTag];
      if (includesEntityTag(request.headers['if-none-match'] ?? '', entityTag)) sendNotModified(response, headers);
      else sendFormatted(response, { text, format: answered, name: `${target.collection}-${id}` }, headers);
    }),
  };
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
