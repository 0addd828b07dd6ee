/** The description of the API in OpenAPI 3.1, made from the table of routes. */
import type { PublishedSchema } from '@tidewire/collections/schema/json-schema';
import { allowsRest } from '@tidewire/protocol/channel';
import { collectionNamePattern, documentIdPattern } from '@tidewire/protocol/names';
import { type ProblemCode, problemCodes } from '@tidewire/protocol/problem';
import { type AnswerHeader, answerHeaders, requestHeaders } from './headers.js';
import { type Answer, type RouteEntry, routeTable, type Schema } from './route-table.js';
import { schemas } from './schemas.js';

/** Collections of a database, with the `rest` list of the key that asks. `children`: of a collection, the fields of children and their collections. */
export type Reach = {
  database: string;
  collections: readonly string[];
  rest: readonly string[];
  children?: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** The schemas of those collections that have one. */
  schemas?: ReadonlyMap<string, PublishedSchema>;
};

type Components = Readonly<Record<string, Readonly<Record<string, Schema>>>>;
type Description = { paths: Schema; components: Components } & Schema;

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
        if (entry.path.includes('{field}')) {
          for (const [path, operation] of describeChildren(entry, name, reach)) add(path, entry, operation);
          continue;
        }
        if (!allowsRest(reach.rest, entry.method, name)) continue;
        const operation = describe(entry, name);
        const isSchema = reach.schemas?.has(name) === true;
        add(entry.path.replace('{collection}', name), entry, isSchema ? withOwnSchemas(operation, name) : operation);
      }
    } else if (entry.tag !== 'admin') add(entry.path, entry, describe(entry, null));
  }
  return withReferenced({
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
      schemas: { ...schemas, ...describeSchemas(reach) },
      headers: answerHeaders,
      responses: describeProblems(),
      securitySchemes: {
        apikey: { type: 'apiKey', in: 'header', name: 'x-apikey', description: 'The key of an application.' },
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The same key, or the token of a user, as a bearer token.',
        },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: 'tidewire_session',
          description: 'The session of an admin; over https __Host-tidewire_session.',
        },
      },
    },
  });
}

/** The paths of the children of a collection: for each field, as the key reaches both collections. Names that cannot stand in an `operationId` are left out. */
function describeChildren(entry: RouteEntry, collection: string, { rest, children }: Reach): [string, Schema][] {
  if (!allowsRest(rest, 'GET', collection)) return [];
  return [...(children?.get(collection) ?? [])]
    .filter(([field, other]) => /^\w+$/.test(field) && allowsRest(rest, entry.method, other))
    .map(([field]) => {
      const path = entry.path.replace('{collection}', collection).replace('{field}', field);
      const operation = describe({ ...entry, id: `${entry.id}_${field}` }, collection);
      const parameters = operation.parameters as { name: string }[];
      return [path, { ...operation, parameters: parameters.filter(({ name }) => name !== 'field') }];
    });
}

/** The components of collections with a schema: what stands in them, and what may be sent to them. */
function describeSchemas(reach: Reach | null): Record<string, Schema> {
  const components: Record<string, Schema> = {};
  for (const [name, { document, fields }] of reach?.schemas ?? []) {
    const own = moved(document, `Document_${name}`);
    components[`Document_${name}`] = { allOf: [{ $ref: '#/components/schemas/Document' }, own] };
    components[`Fields_${name}`] = moved(fields, `Fields_${name}`);
  }
  return components;
}

/** `$ref` counts from the root of the description: definitions of the schema become parts of the component. */
function moved(schema: Schema, component: string): Schema {
  const inAllOf = component.startsWith('Document_') ? '/allOf/1' : '';
  return JSON.parse(JSON.stringify(schema), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string'
      ? value.replace('#/$defs/', `#/components/schemas/${component}${inAllOf}/$defs/`)
      : value,
  );
}

/** The operation with the collection's own components in the place of the general ones. */
function withOwnSchemas(operation: Schema, collection: string): Schema {
  return JSON.parse(JSON.stringify(operation), (key, value: unknown) =>
    key === '$ref' && (value === '#/components/schemas/Document' || value === '#/components/schemas/Fields')
      ? `${value}_${collection}`
      : value,
  );
}

const securityOf: Record<RouteEntry['security'], Schema[]> = {
  key: [{ apikey: [] }, { bearer: [] }],
  caller: [{ apikey: [] }, { bearer: [] }],
  user: [{ bearer: [] }],
  server: [{ apikey: [] }],
  admin: [{ session: [] }],
  none: [],
  optional: [{}, { apikey: [] }, { bearer: [] }],
};
const ofCallers = [
  'bad_request',
  'unauthenticated',
  'forbidden',
  'origin_refused',
  'too_many_requests',
  'internal',
  'unavailable',
] as const;
const problemsOf: Record<RouteEntry['security'], readonly ProblemCode[]> = {
  caller: ofCallers,
  user: ofCallers,
  server: ofCallers,
  key: ofCallers,
  admin: ['bad_request', 'unauthenticated', 'forbidden', 'origin_refused', 'internal', 'unavailable'],
  none: ['bad_request', 'internal'],
  optional: ['bad_request', 'unauthenticated', 'origin_refused', 'too_many_requests', 'internal', 'unavailable'],
};

function describe(entry: RouteEntry, collection: string | null): Schema {
  const { id, tag, summary, security, query = [], headers = [], body, answer, otherAnswers = [] } = entry;
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
      ...headers.map((name) => ({ name, in: 'header', required: false, ...requestHeaders[name] })),
    ],
    ...(body === undefined
      ? {}
      : { requestBody: { required: entry.isBodyOptional !== true, content: contentOf(body) } }),
    responses: {
      ...Object.fromEntries([answer, ...otherAnswers].map((one) => [one.status, describeAnswer(one)])),
      ...Object.fromEntries(
        [...problemsByStatus(entry)].map(([status, codes]) => [
          status,
          { $ref: `#/components/responses/${codes.join('.')}` },
        ]),
      ),
    },
  };
}

function describeAnswer({ description, content, headers = [] }: Answer): Schema {
  const named: readonly AnswerHeader[] = [...headers, 'X-Request-Id'];
  return {
    description,
    headers: Object.fromEntries(named.map((name) => [name, { $ref: `#/components/headers/${name}` }])),
    ...(content === undefined ? {} : { content: contentOf(content) }),
  };
}

function pathSchema(name: string, { method, path }: RouteEntry): Schema {
  if (name === 'collection') return { type: 'string', pattern: collectionNamePattern.source };
  if (name === 'eventId') return { type: 'integer', minimum: 0 };
  if (name === 'childId') return { type: 'string', pattern: documentIdPattern.source };
  if (name !== 'id') return { type: 'string' };
  const isBulk = path === '/rest/{collection}/{id}' && (method === 'DELETE' || method === 'PATCH');
  return { type: 'string', pattern: isBulk ? '^([0-9a-f]{24}|\\*)$' : documentIdPattern.source };
}

/** What a route may answer with when it does not do its work: the codes of each status. */
function problemsByStatus({ security, problems = [] }: RouteEntry): Map<number, ProblemCode[]> {
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of new Set([...problemsOf[security], ...problems])) {
    const { status } = problemCodes[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code].sort());
  }
  return byStatus;
}

const headersOfStatus: Readonly<Record<number, readonly AnswerHeader[]>> = {
  401: ['WWW-Authenticate'],
  412: ['ETag'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
};

/** Responses by the codes that come with them, as `#/components/responses/…` refers to them: most routes share them. */
function describeProblems(): Record<string, Schema> {
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  const found = routeTable.flatMap((entry) => [...problemsByStatus(entry)]);
  return Object.fromEntries(
    found.map(([status, codes]) => {
      const named: readonly AnswerHeader[] = ['X-Request-Id', ...(headersOfStatus[status] ?? [])];
      const headers = Object.fromEntries(named.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
      return [codes.join('.'), { description: `A problem: ${codes.join(', ')}.`, headers, content }];
    }),
  );
}

function contentOf(content: Readonly<Record<string, Schema>>): Schema {
  return Object.fromEntries(Object.entries(content).map(([type, schema]) => [type, { schema }]));
}

/** Leaves out the schemas, headers and responses that nothing refers to. */
function withReferenced(description: Description): Schema {
  const { components } = description;
  const used = new Set<string>();
  const collect = (value: unknown): void => {
    for (const [, kind = '', name = ''] of JSON.stringify(value).matchAll(/"#\/components\/(\w+)\/([^"]+)"/g)) {
      if (used.has(`${kind}/${name}`)) continue;
      used.add(`${kind}/${name}`);
      collect(components[kind]?.[name] ?? null);
    }
  };
  collect(description.paths);
  const kept = Object.entries(components).map(([kind, entries]) => [
    kind,
    kind === 'securitySchemes'
      ? entries
      : Object.fromEntries(Object.entries(entries).filter(([name]) => used.has(`${kind}/${name}`))),
  ]);
  return { ...description, components: Object.fromEntries(kept) };
}
