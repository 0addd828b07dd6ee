/** Every route of the server, in one table: what the API's description is made of. A test holds it against the routers. */
import { exportFormats } from '@tidewire/collections/export-documents';
import { importFormats } from '@tidewire/collections/import/import-row';
import type { RestMethod } from '@tidewire/protocol/channel';
import type { ProblemCode } from '@tidewire/protocol/problem';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has them. */
export type Schema = { readonly [key: string]: unknown };
export type QueryParameter = { name: string; schema: Schema; description: string; required?: boolean };
/** `content`: media type → schema; none for an answer without a body. */
export type Answer = { status: number; description: string; content?: Readonly<Record<string, Schema>> };

export type RouteEntry = {
  method: RestMethod;
  /** With `{name}` for the parts that vary. */
  path: string;
  /** Unique; `operationId`. */
  id: string;
  tag: 'documents' | 'collections' | 'events' | 'admin' | 'server';
  summary: string;
  /** Who may: an application by its key, an admin by the session, or anybody. */
  security: 'key' | 'admin' | 'none';
  query?: readonly QueryParameter[];
  body?: Readonly<Record<string, Schema>>;
  answer: Answer;
  /** Besides those that every route of its kind of security has. */
  problems?: readonly ProblemCode[];
};

const whole = (minimum: number, maximum: number, fallback?: number): Schema => ({
  type: 'integer',
  minimum,
  maximum,
  ...(fallback === undefined ? {} : { default: fallback }),
});
const bool: Schema = { type: 'boolean', default: false };
const words = (values: readonly string[]): Schema => ({ type: 'string', enum: values });
const parameter = (name: string, schema: Schema, description: string): QueryParameter => ({
  name,
  schema,
  description,
});
const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: Schema) => ({ 'application/json': schema });
const listOf = (schema: Schema): Schema => ({ type: 'array', items: schema });
const dataOf = (schema: Schema): Schema => ({
  type: 'object',
  required: ['data'],
  properties: { data: listOf(schema) },
});
const ok = (description: string, schema: Schema): Answer => ({ status: 200, description, content: json(schema) });
const textIn = (types: readonly string[]) => Object.fromEntries(types.map((type) => [type, { type: 'string' }]));

const since = parameter('since', whole(0, Number.MAX_SAFE_INTEGER), 'The id of the last event that was considered.');
const metafields = parameter('metafields', bool, 'With the fields of the server: _created, _changed and so on.');
const shape = [
  parameter('format', words(['json', 'csv', 'html']), 'The form of the answer; json unless given.'),
  metafields,
  parameter('flatten', bool, 'Properties of nested objects at the root, under dotted names.'),
  parameter('escapeformulas', bool, 'Marks texts that a spreadsheet could take for a formula (CSV and HTML).'),
];
const readParameters = [...shape, parameter('h', { type: 'string' }, 'Hints as JSON, such as {"$fields":{"name":1}}.')];
const listParameters = [
  parameter('q', { type: 'string' }, 'A query as JSON, such as {"city":"London"}.'),
  ...readParameters,
  parameter('filter', { type: 'string' }, 'Words that all stand in the document.'),
  parameter('sort', { type: 'string' }, 'The field to sort by.'),
  parameter('dir', { type: 'string' }, 'The direction of the sort: 1 or -1.'),
  parameter('max', whole(0, 10_000, 1_000), 'Most documents of the page.'),
  parameter('skip', whole(0, Number.MAX_SAFE_INTEGER, 0), 'Documents to pass over.'),
  parameter('cursor', { type: 'string' }, 'Where the page begins: X-Next-Cursor of the one before.'),
  parameter('totals', bool, 'The page in an object with totals.'),
  parameter('groupby', { type: 'string' }, 'The field to group by.'),
  parameter('aggregate', { type: 'string' }, 'An aggregate, such as SUM:price.'),
];
const ids: Schema = { type: 'object', required: ['result'], properties: { result: listOf({ type: 'string' }) } };
const setup: Schema = { type: 'object', required: ['admin'], properties: { admin: ref('Admin') } };
const credentials: Schema = {
  type: 'object',
  required: ['email', 'password'],
  properties: { email: { type: 'string' }, password: { type: 'string' } },
};

/** In the order in which the description shows them. */
export const routeTable: readonly RouteEntry[] = [
  {
    method: 'GET',
    path: '/rest/{collection}',
    id: 'listDocuments',
    tag: 'documents',
    summary: 'A page of documents',
    security: 'key',
    query: listParameters,
    answer: ok('An array of documents, in the order that was asked for.', {
      oneOf: [listOf(ref('Document')), { type: 'object' }],
    }),
    problems: ['not_found'],
  },
  {
    method: 'POST',
    path: '/rest/{collection}',
    id: 'createDocuments',
    tag: 'documents',
    summary: 'Create a document, or all of an array or none',
    security: 'key',
    body: json({ oneOf: [{ type: 'object' }, { type: 'array', items: { type: 'object' }, minItems: 1 }] }),
    answer: {
      status: 201,
      description: 'What was created, with metafields.',
      content: json({ oneOf: [ref('Document'), listOf(ref('Document'))] }),
    },
    problems: ['invalid_json', 'body_too_large', 'unsupported_media_type', 'validation_failed', 'not_found'],
  },
  {
    method: 'GET',
    path: '/rest/{collection}/{id}',
    id: 'getDocument',
    tag: 'documents',
    summary: 'One document',
    security: 'key',
    query: readParameters,
    answer: ok('The document.', ref('Document')),
    problems: ['not_found'],
  },
  ...(['PUT', 'PATCH'] as const).map(
    (method): RouteEntry => ({
      method,
      path: '/rest/{collection}/{id}',
      id: method === 'PUT' ? 'updateDocument' : 'patchDocument',
      tag: 'documents',
      summary: 'Change a document',
      security: 'key',
      body: json({ type: 'object' }),
      answer: ok('The whole document, with metafields.', ref('Document')),
      problems: ['invalid_json', 'body_too_large', 'unsupported_media_type', 'validation_failed', 'not_found'],
    }),
  ),
  {
    method: 'DELETE',
    path: '/rest/{collection}/{id}',
    id: 'deleteDocuments',
    tag: 'documents',
    summary: 'Delete a document; with * for the id, those of a list of ids in the body',
    security: 'key',
    answer: ok('The ids of what was deleted.', ids),
    problems: ['not_found', 'validation_failed'],
  },
  {
    method: 'GET',
    path: '/rest/{collection}/{id}/history',
    id: 'listVersions',
    tag: 'documents',
    summary: 'The versions of a document, the newest first',
    security: 'key',
    query: [
      parameter('max', whole(1, 100, 20), 'Most versions of the page.'),
      parameter('before', whole(1, Number.MAX_SAFE_INTEGER), 'Only versions of events before this one.'),
    ],
    answer: ok('The versions, and the next before; null at the end.', ref('Versions')),
    problems: ['not_found'],
  },
  {
    method: 'GET',
    path: '/rest/{collection}/{id}/asof/{eventId}',
    id: 'getDocumentAsOf',
    tag: 'documents',
    summary: 'A document as it was after an event',
    security: 'key',
    query: [metafields],
    answer: ok('The document of that time.', ref('Document')),
    problems: ['not_found'],
  },
  {
    method: 'GET',
    path: '/rest/{collection}/export',
    id: 'exportCollection',
    tag: 'collections',
    summary: 'The whole collection, as it is at one moment',
    security: 'key',
    query: [parameter('format', { ...words(exportFormats), default: 'ndjson' }, 'The form of the text.'), metafields],
    answer: {
      status: 200,
      description: 'The documents in the order of _id; X-Total-Count says how many.',
      content: textIn(['application/x-ndjson', 'application/json', 'text/csv']),
    },
    problems: ['not_found', 'too_many_requests'],
  },
  {
    method: 'POST',
    path: '/rest/{collection}/import',
    id: 'importDocuments',
    tag: 'collections',
    summary: 'Write the rows of a text as documents, batch by batch',
    security: 'key',
    query: [
      parameter('format', words(importFormats), 'The form of the body; else its Content-Type tells.'),
      parameter('keepIds', bool, 'Documents keep the _id of their row; a taken one is refused.'),
    ],
    body: textIn(['application/x-ndjson', 'application/json', 'text/csv']),
    answer: ok('What was imported, and the rows that were not.', ref('ImportAnswer')),
    problems: ['not_found', 'unsupported_media_type'],
  },
  {
    method: 'GET',
    path: '/events',
    id: 'pollEvents',
    tag: 'events',
    summary: 'A page of the events that the key may hear',
    security: 'key',
    query: [since, parameter('max', whole(1, 1_000, 100), 'Most events to consider.')],
    answer: ok('The events in order and where to go on, or a reset.', {
      oneOf: [ref('EventPage'), ref('EventReset')],
    }),
    problems: ['realtime_off'],
  },
  {
    method: 'GET',
    path: '/realtime',
    id: 'openStream',
    tag: 'events',
    summary: 'A stream of the events that the key may hear',
    security: 'key',
    query: [
      since,
      parameter('lastEventId', { type: 'string' }, 'As since.'),
      parameter('last_event_id', { type: 'string' }, 'As since.'),
    ],
    answer: {
      status: 200,
      description: 'Server-sent events, without an end.',
      content: { 'text/event-stream': { type: 'string' } },
    },
    problems: ['realtime_off', 'not_acceptable'],
  },
  {
    method: 'POST',
    path: '/realtime',
    id: 'publishEvent',
    tag: 'events',
    summary: 'Publish a custom event',
    security: 'key',
    body: json({
      type: 'object',
      required: ['event'],
      properties: { event: { type: 'string' }, data: {} },
    }),
    answer: ok('It is stored and numbered.', {
      type: 'object',
      required: ['message'],
      properties: { message: { const: 'OK' } },
    }),
    problems: ['invalid_json', 'body_too_large', 'unsupported_media_type', 'validation_failed'],
  },
  admin('GET', '/api/setup', 'getSetup', 'Whether the first admin is still to be made', { type: 'object' }, 'none'),
  admin('POST', '/api/setup', 'setUp', 'Make the first admin', setup, 'none', { ...credentials }),
  admin('GET', '/api/session', 'getSession', 'Who is signed in', setup),
  admin('POST', '/api/session', 'signIn', 'Sign in', setup, 'none', credentials),
  {
    method: 'DELETE',
    path: '/api/session',
    id: 'signOut',
    tag: 'admin',
    summary: 'Sign out',
    security: 'admin',
    answer: { status: 204, description: 'The session has ended.' },
  },
  admin('GET', '/api/databases', 'listDatabases', 'The databases', dataOf({ type: 'object' })),
  admin('GET', '/api/databases/{database}', 'getDatabase', 'A database', { type: 'object' }),
  admin(
    'PATCH',
    '/api/databases/{database}/settings',
    'patchSettings',
    'Change settings',
    { type: 'object' },
    'admin',
    {
      type: 'object',
    },
  ),
  admin(
    'GET',
    '/api/databases/{database}/collections',
    'listCollections',
    'The collections',
    dataOf({ type: 'object' }),
  ),
  admin(
    'GET',
    '/api/databases/{database}/collections/{collection}/documents',
    'listDocumentsAsAdmin',
    'A page of documents',
    dataOf(ref('Document')),
  ),
  admin('GET', '/api/databases/{database}/keys', 'listKeys', 'The keys', dataOf({ type: 'object' })),
  admin('POST', '/api/databases/{database}/keys', 'createKey', 'Make a key', { type: 'object' }, 'admin', {
    type: 'object',
  }),
  admin('PATCH', '/api/databases/{database}/keys/{key}', 'updateKey', 'Change a key', { type: 'object' }, 'admin', {
    type: 'object',
  }),
  admin('DELETE', '/api/databases/{database}/keys/{key}', 'revokeKey', 'Revoke a key', { type: 'object' }),
  admin('GET', '/api/databases/{database}/events', 'listEvents', 'A page of the log', dataOf({ type: 'object' })),
  {
    ...admin('GET', '/api/databases/{database}/events/stream', 'streamEvents', 'A stream of all events', {}),
    answer: {
      status: 200,
      description: 'Server-sent events, without an end.',
      content: { 'text/event-stream': { type: 'string' } },
    },
  },
  server(
    '/openapi.json',
    'getDescription',
    'This description; with a key, that of its own collections',
    json({ type: 'object' }),
  ),
  server('/docs', 'getReference', 'This description as a page', textIn(['text/html'])),
  server('/health', 'getHealth', 'Whether the process lives', json({ type: 'object' })),
  server('/ready', 'getReadiness', 'Whether it can do its work; 503 when it cannot', json({ type: 'object' })),
];

function admin(
  method: RestMethod,
  path: string,
  id: string,
  summary: string,
  answer: Schema,
  security: 'admin' | 'none' = 'admin',
  body?: Schema,
): RouteEntry {
  const isCreation = method === 'POST' && id !== 'signIn';
  return {
    method,
    path,
    id,
    tag: 'admin',
    summary,
    security,
    ...(body === undefined ? {} : { body: json(body) }),
    answer: { status: isCreation ? 201 : 200, description: summary, content: json(answer) },
  };
}

function server(path: string, id: string, summary: string, content: Readonly<Record<string, Schema>>): RouteEntry {
  return {
    method: 'GET',
    path,
    id,
    tag: 'server',
    summary,
    security: 'none',
    answer: { status: 200, description: summary, content },
  };
}
