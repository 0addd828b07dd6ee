/** The description of the API in OpenAPI 3.1, made from the table of routes. */
import { allowsRest } from '@tidewire/protocol/channel';
import { collectionNamePattern, documentIdPattern } from '@tidewire/protocol/names';
import { type ProblemCode, problemCodes } from '@tidewire/protocol/problem';
import { type RouteEntry, routeTable, type Schema } from './route-table.js';
import { schemas } from './schemas.js';

/** Collections of a database, with the `rest` list of the key that asks. */
export type Reach = { database: string; collections: readonly string[]; rest: readonly string[] };

/** Most collections that are spelled out; more would make a page that nobody can open. */
const collectionsLimit = 200;

/**
 * Without `reach` the general description, with `{collection}` for the name. With it, each collection that the key reaches has paths of its own with the
 * methods that it may use (at most 200 collections), and the admin API is left out.
 */
export function describeApi(version: string, reach: Reach | null): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  const add = (path: string, entry: RouteEntry, operation: Schema) => {
    paths[path] = { ...paths[path], [entry.method.toLowerCase()]: operation };
  };
  for (const entry of routeTable) {
    const isOfCollection = entry.path.startsWith('/rest/{collection}');
    if (reach === null) add(entry.path, entry, describe(entry, null));
    else if (isOfCollection) {
      for (const name of reach.collections.slice(0, collectionsLimit)) {
        if (!allowsRest(reach.rest, entry.method, name)) continue;
        add(entry.path.replace('{collection}', name), entry, describe(entry, name));
      }
    } else if (entry.tag !== 'admin') add(entry.path, entry, describe(entry, null));
  }
  return {
    openapi: '3.1.0',
    info: {
      title: reach === null ? 'Tidewire' : `Tidewire: ${reach.database}`,
      version,
      description: 'JSON collections over HTTP where every committed change is an event.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routeTable.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        apikey: { type: 'apiKey', in: 'header', name: 'x-apikey', description: 'The key of an application.' },
        bearer: { type: 'http', scheme: 'bearer', description: 'The same key, as a bearer token.' },
        session: { type: 'apiKey', in: 'cookie', name: 'tidewire_session', description: 'The session of an admin.' },
      },
    },
  };
}

const securityOf: Record<RouteEntry['security'], Schema[]> = {
  key: [{ apikey: [] }, { bearer: [] }],
  admin: [{ session: [] }],
  none: [],
};
const problemsOf: Record<RouteEntry['security'], readonly ProblemCode[]> = {
  key: ['bad_request', 'unauthenticated', 'forbidden', 'unavailable'],
  admin: ['bad_request', 'unauthenticated', 'origin_refused', 'not_found', 'validation_failed', 'unavailable'],
  none: ['bad_request'],
};

function describe(entry: RouteEntry, collection: string | null): Schema {
  const { id, tag, summary, security, query = [], body, answer, problems = [] } = entry;
  const codes = [...problemsOf[security], ...problems];
  const inPath = [...entry.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  return {
    operationId: collection === null ? id : `${id}_${collection}`,
    tags: [collection ?? tag],
    summary,
    security: securityOf[security],
    parameters: [
      ...inPath
        .filter((name) => collection === null || name !== 'collection')
        .map((name) => ({ name, in: 'path', required: true, schema: pathSchema(name, entry) })),
      ...query.map(({ name, schema, description, required = false }) => ({
        name,
        in: 'query',
        required,
        description,
        schema,
      })),
    ],
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body) } }),
    responses: {
      [answer.status]: {
        description: answer.description,
        ...(answer.content === undefined ? {} : { content: contentOf(answer.content) }),
      },
      ...describeProblems(codes),
    },
  };
}

function pathSchema(name: string, { method }: RouteEntry): Schema {
  if (name === 'collection') return { type: 'string', pattern: collectionNamePattern.source };
  if (name !== 'id') return { type: 'string' };
  return { type: 'string', pattern: method === 'DELETE' ? '^([0-9a-f]{24}|\\*)$' : documentIdPattern.source };
}

/** One response for each status, which names the codes that come with it. */
function describeProblems(codes: readonly ProblemCode[]): Record<string, Schema> {
  const byStatus = new Map<number, Set<ProblemCode>>();
  for (const code of codes) {
    const { status } = problemCodes[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return Object.fromEntries(
    [...byStatus].map(([status, found]) => [status, { description: `A problem: ${[...found].join(', ')}.`, content }]),
  );
}

function contentOf(content: Readonly<Record<string, Schema>>): Schema {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}
