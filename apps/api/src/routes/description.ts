/** `GET /openapi.json`, and the reference page `/docs` that shows it: from this server alone, without anything inline. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AccessGate } from '@tidewire/access/access-gate';
import { keyParameters, readKeyCredentials } from '@tidewire/access/key-credentials';
import type { Rights } from '@tidewire/access/rights';
import { parseParameters } from '@tidewire/collections/query-parameters';
import { relationFieldsOf } from '@tidewire/collections/relation-fields';
import { type PublishedSchema, publishedSchemaOf } from '@tidewire/collections/schema/json-schema';
import type { CatalogDatabase } from '@tidewire/db/catalog';
import { allowsRest } from '@tidewire/protocol/channel';
import { preflight } from '@tidewire/server-kit/browser-access';
import { admitOrigin, allowReadingRefusal } from '@tidewire/server-kit/cors';
import { createPageHeaders } from '@tidewire/server-kit/page-headers';
import { methodNotAllowed } from '@tidewire/server-kit/problem-handler';
import { sendJson } from '@tidewire/server-kit/send-json';
import { type RequestHandler, type Response, Router } from 'express';
import { describeApi } from '../openapi/describe-api.js';
import { queryOf } from '../parse-input.js';
import { sendValue } from '../send-value.js';

export type DescriptionRoutesDeps = {
  /** The handler of `GET /openapi.json`. */
  describe: RequestHandler;
};

const ownFolder = fileURLToPath(new URL('../../public/docs', import.meta.url));
const viewerFolder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
const version = String((manifest as { version: unknown }).version);

/** The files of the page; nothing else of the folders is served. */
const files: readonly { name: string; folder: string }[] = [
  { name: 'start.js', folder: ownFolder },
  { name: 'swagger-ui.css', folder: viewerFolder },
  { name: 'swagger-ui-bundle.js', folder: viewerFolder },
  { name: 'favicon-32x32.png', folder: viewerFolder },
];

/** As for the dashboard's pages; the viewer's stylesheet draws its arrows from `data:` images. */
const pageHeaders = createPageHeaders({ images: ['data:'], forms: "'none'" });

/** Answers with the general description, or for a key with that of its own collections. */
export function createDescribeHandler(accessGate: AccessGate): RequestHandler {
  const general = JSON.stringify(describeApi(version, null));

  const ofKey = accessGate(({ database, rights }, request, response) => {
    admitOrigin(rights, request, response);
    const collections = [...database.collections.keys()].sort();
    const children = new Map(
      [...database.collections].map(([name, id]) => [name, relationFieldsOf(database, id).children]),
    );
    const reach = {
      database: database.name,
      collections,
      rest: rights.rest,
      children,
      schemas: schemasOf(database, rights),
    };
    sendValue(response, 200, describeApi(version, reach));
  });

  return (request, response, next) => {
    parseParameters(queryOf(request), {}, keyParameters);
    if (readKeyCredentials(request).status !== 'none') {
      return ofKey(request, response, (error) => {
        allowReadingRefusal(error, request, response);
        next(error);
      });
    }
    allowReadingRefusal(null, request, response);
    sendJson(response, 200, general);
  };
}

/** Of the collections that the key may read or write. */
function schemasOf({ collections, shapes }: CatalogDatabase, { rest }: Rights): Map<string, PublishedSchema> {
  const found = new Map<string, PublishedSchema>();
  for (const [name, id] of collections) {
    const schema = shapes.get(id)?.schema ?? null;
    const isReached = (['GET', 'POST', 'PUT', 'PATCH'] as const).some((method) => allowsRest(rest, method, name));
    if (schema !== null && isReached) found.set(name, publishedSchemaOf(schema));
  }
  return found;
}

/** To be mounted at the root. */
export function createDescriptionRoutes({ describe }: DescriptionRoutesDeps): Router {
  const router = Router({ caseSensitive: true });
  router.route('/openapi.json').options(preflight).get(describe).all(methodNotAllowed('GET'));
  router
    .route('/docs')
    .get(pageHeaders, (_request, response, next) => sendFile(response, 'index.html', ownFolder, next))
    .all(methodNotAllowed('GET'));
  for (const { name, folder } of files) {
    router
      .route(`/docs/${name}`)
      .get(pageHeaders, (_request, response, next) => sendFile(response, name, folder, next))
      .all(methodNotAllowed('GET'));
  }
  return router;
}

function sendFile(response: Response, name: string, folder: string, next: (error?: unknown) => void): void {
  response
    .set('Cache-Control', 'no-cache')
    .sendFile(join(folder, name), { cacheControl: false, dotfiles: 'allow' }, (error) => {
      if (error && !response.headersSent) next(error);
    });
}
