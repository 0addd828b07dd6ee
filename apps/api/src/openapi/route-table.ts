/** Every route of the server, in one table: what the API's description is made of. A test holds it against the routers. */
import { exportFormats } from '@tidewire/collections/export-documents';
import { importFormats } from '@tidewire/collections/import/import-row';
import type { RestMethod } from '@tidewire/protocol/channel';
import type { ProblemCode } from '@tidewire/protocol/problem';
import type { AnswerHeader, RequestHeader } from './headers.js';

/** A JSON Schema (2020-12), as OpenAPI 3.1 has them. */
export type Schema = { readonly [key: string]: unknown };
export type QueryParameter = { name: string; schema: Schema; description: string; required?: boolean };
/** `content`: media type → schema; none for an answer without a body. `headers`: besides `X-Request-Id`, which every answer has. */
export type Answer = {
  status: number;
  description: string;
  content?: Readonly<Record<string, Schema>>;
  headers?: readonly AnswerHeader[];
};

export type RouteEntry = {
  method: RestMethod;
  /** With `{name}` for the parts that vary. */
  path: string;
  /** Unique; `operationId`. */
  id: string;
  tag: 'documents' | 'collections' | 'events' | 'users' | 'admin' | 'server';
  summary: string;
  /**
   * Who may: an application by its key or a user by a token, as far as their grants reach; `caller`: each of them, whatever their grants; `user`: with a token; `server`: with a key for
   * servers; an admin by the session; or anybody; `optional`: anybody, and with a key it is that key's answer.
   */
  security: 'key' | 'caller' | 'user' | 'server' | 'admin' | 'none' | 'optional';
  query?: readonly QueryParameter[];
  headers?: readonly RequestHeader[];
  body?: Readonly<Record<string, Schema>>;
  isBodyOptional?: boolean;
  answer: Answer;
  /** What it answers besides, when that is no problem. */
  otherAnswers?: readonly Answer[];
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
  parameter('fetchrelations', { ...bool, default: true }, 'Documents that are referred to, in the place of their ids.'),
  parameter('fetchchildren', bool, 'The children of each document, under the field of the schema.'),
  parameter('idtolink', bool, 'URLs in the place of the ids of documents, images and files.'),
];
const asOf = parameter('asof', whole(0, Number.MAX_SAFE_INTEGER), 'As it was after this event of the database.');
const documentParameters = [
  ...shape,
  parameter('referencedby', bool, 'With what refers to the document by a declared relation, by collection.'),
  asOf,
];
const listParameters = [
  parameter('q', { type: 'string' }, 'A query as JSON, such as {"city":"London"}.'),
  ...shape,
  parameter('h', { type: 'string' }, 'Hints as JSON, such as {"$fields":{"name":1}}; they override the parameters.'),
  parameter('filter', { type: 'string' }, 'Words that all stand in the document.'),
  parameter('sort', listOf({ type: 'string' }), 'The fields to sort by.'),
  parameter('dir', listOf({ type: 'string', enum: ['1', '-1'] }), 'The direction of each sort: 1 or -1.'),
  parameter('max', whole(0, 10_000, 1_000), 'Most documents of the page.'),
  parameter('skip', whole(0, Number.MAX_SAFE_INTEGER, 0), 'Documents to pass over.'),
  parameter('cursor', { type: 'string' }, 'Where the page begins: X-Next-Cursor of the one before.'),
  parameter('totals', bool, 'The page in an object with totals.'),
  parameter('groupby', listOf({ type: 'string' }), 'The fields to group by.'),
  parameter('aggregate', listOf({ type: 'string' }), 'Aggregates, such as SUM:price.'),
  asOf,
];
const matching = [
  parameter('q', { type: 'string' }, 'With * for the id: which documents are meant.'),
  parameter('confirm', bool, 'With * and q={}: that every document is meant.'),
];
const pageHeaders = ['X-Pagination', 'X-Next-Cursor', 'Link'] as const;
const writeHeaders = ['X-Event-Id', 'ETag', 'Preference-Applied'] as const;
const conditional = ['If-Match', 'Idempotency-Key', 'Prefer'] as const;
const readProblems = ['not_found', 'query_too_slow'] as const;
const writeProblems = [
  'invalid_json',
  'request_timeout',
  'body_too_large',
  'unsupported_media_type',
  'validation_failed',
  'not_found',
  'conflict',
  'idempotency_mismatch',
  'outcome_unknown',
] as const;
const withoutBody: Answer = {
  status: 204,
  description: 'The same without a body, with Prefer: return=minimal.',
  headers: writeHeaders,
};
const changes = ref('Changes');
const bodyProblems = [
  'invalid_json',
  'request_timeout',
  'body_too_large',
  'unsupported_media_type',
  'validation_failed',
] as const;
const cookie = ['Set-Cookie'] as const;
const plainjs = parameter('plainjs', bool, 'Taken from clients that send it: no script needs jQuery.');
const unchanged: Answer = { status: 304, description: 'It is still that of If-None-Match.', headers: ['ETag'] };
const stream: Answer = {
  status: 200,
  description: 'Server-sent events, without an end.',
  content: { 'text/event-stream': { type: 'string' } },
};

const cursors = [
  since,
  parameter('lastEventId', { type: 'string' }, 'As since.'),
  parameter('last_event_id', { type: 'string' }, 'As since.'),
  parameter('ticket', { type: 'string' }, 'A ticket instead of a key.'),
];
const eventFilters = [
  parameter('collections', { type: 'string' }, 'Names of collections, with commas between them.'),
  parameter('events', { type: 'string' }, 'Types and names of events, or prefixes as in chat.*, with commas.'),
  parameter('q', { type: 'string' }, 'A query on the document before or after, as JSON.'),
];
const published: Answer = {
  ...ok('It is published. Stored and numbered unless it is ephemeral.', {
    type: 'object',
    required: ['message'],
    properties: { message: { const: 'OK' } },
  }),
  headers: ['X-Event-Id'],
};
const liveParameters = [
  parameter('delta', bool, 'The state once, then what enters, changes and leaves, instead of whole bodies.'),
  parameter('interval', whole(0, 60_000, 0), 'Least milliseconds between two messages.'),
];
/** Those of the route without `/stream` that a stream takes. */
const liveOf = (query: readonly QueryParameter[]) => [
  ...query.filter(({ name }) => !['format', 'escapeformulas', 'asof'].includes(name)),
  ...liveParameters,
];
const streamProblems = ['realtime_off', 'not_acceptable', 'not_found', 'query_too_slow'] as const;

const confirmName: QueryParameter = {
  ...parameter('confirm', { type: 'string' }, 'The name of the collection, typed again.'),
  required: true,
};
const emptyingLines: Answer = {
  status: 200,
  description: 'NDJSON while it goes on: a line for each step; the last one has done and says how it ended.',
  content: { 'application/x-ndjson': ref('EmptyingLine') },
};

const childList = { path: '/rest/{collection}/{id}/{field}', tag: 'documents', security: 'key' } as const;
const childOne = { ...childList, path: '/rest/{collection}/{id}/{field}/{childId}' } as const;
const changedChild: Answer = { ...ok('The whole child, with metafields.', ref('Document')), headers: writeHeaders };

/** The same as for documents, below their parent; `field` is one of the type `child` in the schema of the collection. */
const childRoutes: readonly RouteEntry[] = [
  {
    ...childList,
    method: 'GET',
    id: 'listChildren',
    summary: 'A page of the children of a document',
    query: listParameters,
    answer: {
      status: 200,
      description: 'As the list of a collection.',
      content: {
        ...json({ anyOf: [listOf(ref('Document')), ref('DocumentPage'), listOf(ref('Group')), ref('Aggregates')] }),
        ...textIn(['text/csv', 'text/html']),
      },
      headers: pageHeaders,
    },
    problems: readProblems,
  },
  {
    ...childList,
    method: 'POST',
    id: 'createChildren',
    summary: 'Create a child, or all of an array or none',
    query: [parameter('validate', { ...bool, default: true }, 'Whether an array is held to the schema.')],
    headers: ['Idempotency-Key', 'Prefer'],
    body: json({ oneOf: [ref('Fields'), { ...listOf(ref('Fields')), minItems: 1, maxItems: 10_000 }] }),
    answer: {
      status: 201,
      description: 'What was created, with metafields.',
      content: json({ oneOf: [ref('Document'), listOf(ref('Document'))] }),
      headers: [...writeHeaders, 'Location'],
    },
    problems: writeProblems,
  },
  {
    ...childOne,
    method: 'GET',
    id: 'getChild',
    summary: 'A child of a document',
    query: documentParameters,
    headers: ['If-None-Match'],
    answer: {
      status: 200,
      description: 'The child.',
      content: { ...json(ref('Document')), ...textIn(['text/csv', 'text/html']) },
      headers: ['ETag'],
    },
    otherAnswers: [unchanged],
    problems: ['not_found', 'query_too_slow'],
  },
  {
    ...childOne,
    method: 'PUT',
    id: 'updateChild',
    summary: 'Change the fields of a child that are sent; with replace=true all of them',
    query: [parameter('replace', bool, 'The child has the fields that are sent and no others.')],
    headers: conditional,
    body: json(changes),
    answer: changedChild,
    otherAnswers: [withoutBody],
    problems: [...writeProblems, 'precondition_failed'],
  },
  {
    ...childOne,
    method: 'PATCH',
    id: 'patchChild',
    summary: 'Change a child',
    headers: conditional,
    body: {
      ...json(changes),
      'application/merge-patch+json': { type: 'object', description: 'A JSON Merge Patch (RFC 7396).' },
      'application/json-patch+json': ref('JsonPatch'),
    },
    answer: changedChild,
    otherAnswers: [withoutBody],
    problems: [...writeProblems, 'precondition_failed'],
  },
  {
    ...childOne,
    method: 'DELETE',
    id: 'deleteChild',
    summary: 'Delete a child',
    headers: conditional,
    answer: { ...ok('The id of what was deleted.', ref('Ids')), headers: ['X-Event-Id', 'Preference-Applied'] },
    otherAnswers: [withoutBody],
    problems: [...writeProblems, 'precondition_failed'],
  },
];

const auditFilter = [
  parameter('database', { type: 'string' }, 'Entries of this database.'),
  parameter('actor', { type: 'string' }, 'Entries of this actor, as admin:<id>, or of what people call them.'),
  parameter('action', { type: 'string' }, 'Entries of this action, or of a kind, as key.*.'),
];

/** What these lists answer, at their path with `/stream` behind it. */
const adminTwins: readonly RouteEntry[] = (
  [
    ['/api/databases', 'streamDatabases', 'The databases'],
    ['/api/databases/{database}', 'streamDatabase', 'A database'],
    ['/api/databases/{database}/collections', 'streamCollections', 'The collections'],
    ['/api/databases/{database}/collections/{collection}', 'streamCollection', 'A collection'],
    ['/api/databases/{database}/collections/{collection}/documents', 'streamDocumentsAsAdmin', 'A page of documents'],
    ['/api/databases/{database}/collections/{collection}/indexes', 'streamIndexes', 'The indexes of a collection'],
    ['/api/databases/{database}/keys', 'streamKeys', 'The keys, newest first'],
    ['/api/admins', 'streamAdmins', 'The admins'],
    ['/api/invites', 'streamInvites', 'The invitations'],
    ['/api/admin/sessions', 'streamOwnSessions', 'Your own sessions'],
    ['/api/audit', 'streamAudit', 'The newest entries of the audit log'],
    ['/api/databases/{database}/roles', 'streamRoles', 'The roles'],
    ['/api/databases/{database}/users', 'streamUsers', 'The accounts of users, newest first'],
  ] as const
).map(([path, id, summary]) => ({
  ...admin('GET', `${path}/stream`, id, `${summary}, now and whenever that changes`, {}),
  ...(path.endsWith('/documents') ? { query: liveOf(listParameters) } : {}),
  ...(path.endsWith('/audit') ? { query: auditFilter } : {}),
  answer: stream,
  problems: ['not_found', 'not_acceptable'],
}));

/** What comes with a refusal of `/auth`, whatever is asked. */
const authProblems = [...bodyProblems, 'too_many_requests'] as const;
const signedIn = ref('UserTokens');
const authRoutes: readonly RouteEntry[] = [
  auth('signup', 'signUp', 'Make an account, and sign in', 'caller', {
    body: ref('SignUpRequest'),
    answer: { status: 201, description: 'The tokens of the new user.', content: json(signedIn), headers: cookie },
    problems: ['conflict', 'not_found', 'outcome_unknown'],
  }),
  auth('login', 'logIn', 'Sign in', 'caller', {
    body: ref('LogInRequest'),
    answer: { ...ok('The tokens of the user.', signedIn), headers: cookie },
  }),
  auth('refresh', 'refreshTokens', 'Exchange a refresh token, which is used up', 'caller', {
    body: ref('RefreshRequest'),
    answer: { ...ok('New tokens.', signedIn), headers: cookie },
  }),
  auth('logout', 'logOut', 'End the session', 'caller', {
    body: ref('LogOutRequest'),
    answer: { status: 204, description: 'It has ended.', headers: cookie },
  }),
  auth('reset-token', 'createResetToken', 'Make a token for a new password, by the address', 'server', {
    body: ref('ResetTokenRequest'),
    answer: {
      status: 201,
      description: 'The token: the only time that it is shown.',
      content: json(ref('ResetToken')),
    },
    problems: ['not_found'],
  }),
  auth('reset', 'resetPassword', 'Set a new password with a token; all sessions end', 'caller', {
    body: ref('ResetRequest'),
    answer: { status: 204, description: 'The password is set.' },
  }),
  auth('password', 'changePassword', 'Set a new password with the present one; all other sessions end', 'user', {
    body: ref('PasswordRequest'),
    answer: { status: 204, description: 'The password is set.' },
  }),
  {
    method: 'GET',
    path: '/auth/me',
    id: 'getCurrentUser',
    tag: 'users',
    summary: 'Who is signed in',
    security: 'user',
    answer: ok('The user, with the roles in force.', ref('CurrentUser')),
  },
  auth('jwt', 'createJwt', 'Make a token for a user of the application', 'server', {
    body: ref('CreateJwtRequest'),
    answer: ok('The token, and a text with which it is made anew.', ref('CreatedJwt')),
  }),
];

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
    answer: {
      status: 200,
      description:
        'An array of documents, in the order that was asked for; with totals=true a page; with aggregates an object, or an array of groups.',
      content: {
        ...json({ anyOf: [listOf(ref('Document')), ref('DocumentPage'), listOf(ref('Group')), ref('Aggregates')] }),
        ...textIn(['text/csv', 'text/html']),
      },
      headers: pageHeaders,
    },
    problems: readProblems,
  },
  {
    method: 'POST',
    path: '/rest/{collection}',
    id: 'createDocuments',
    tag: 'documents',
    summary: 'Create a document, or all of an array or none',
    security: 'key',
    query: [parameter('validate', { ...bool, default: true }, 'With false the schema of the collection is not asked.')],
    headers: ['Idempotency-Key', 'Prefer'],
    body: json({
      oneOf: [ref('Fields'), { ...listOf(ref('Fields')), minItems: 1, maxItems: 10_000 }],
    }),
    answer: {
      status: 201,
      description: 'What was created, with metafields.',
      content: json({ oneOf: [ref('Document'), listOf(ref('Document'))] }),
      headers: [...writeHeaders, 'Location'],
    },
    problems: writeProblems,
  },
  {
    method: 'GET',
    path: '/rest/{collection}/{id}',
    id: 'getDocument',
    tag: 'documents',
    summary: 'One document',
    security: 'key',
    query: documentParameters,
    headers: ['If-None-Match'],
    answer: {
      status: 200,
      description: 'The document.',
      content: { ...json(ref('Document')), ...textIn(['text/csv', 'text/html']) },
      headers: ['ETag'],
    },
    otherAnswers: [{ status: 304, description: 'The document is still that of If-None-Match.', headers: ['ETag'] }],
    problems: readProblems,
  },
  {
    method: 'PUT',
    path: '/rest/{collection}/{id}',
    id: 'updateDocument',
    tag: 'documents',
    summary: 'Change the fields of a document that are sent; with replace=true all of them',
    security: 'key',
    query: [parameter('replace', bool, 'The document has the fields that are sent and no others.')],
    headers: conditional,
    body: json(changes),
    answer: {
      ...ok('The whole document, with metafields.', ref('Document')),
      headers: writeHeaders,
    },
    otherAnswers: [withoutBody],
    problems: [...writeProblems, 'precondition_failed'],
  },
  {
    method: 'PATCH',
    path: '/rest/{collection}/{id}',
    id: 'patchDocument',
    tag: 'documents',
    summary: 'Change a document; with * for the id, those that q is true for',
    security: 'key',
    query: matching,
    headers: conditional,
    body: {
      ...json(changes),
      'application/merge-patch+json': { type: 'object', description: 'A JSON Merge Patch (RFC 7396).' },
      'application/json-patch+json': ref('JsonPatch'),
    },
    answer: {
      ...ok('The whole document, with metafields; with * the ids of what was changed.', {
        oneOf: [ref('Document'), ref('Ids')],
      }),
      headers: writeHeaders,
    },
    otherAnswers: [withoutBody],
    problems: [...writeProblems, 'precondition_failed', 'query_too_slow'],
  },
  {
    method: 'DELETE',
    path: '/rest/{collection}/{id}',
    id: 'deleteDocuments',
    tag: 'documents',
    summary: 'Delete a document; with * for the id, those that q is true for or those of a list of ids in the body',
    security: 'key',
    query: matching,
    headers: conditional,
    body: json({ ...listOf({ type: 'string' }), minItems: 1, maxItems: 10_000 }),
    isBodyOptional: true,
    answer: {
      ...ok('The ids of what was deleted.', ref('Ids')),
      headers: ['X-Event-Id', 'Preference-Applied'],
    },
    otherAnswers: [withoutBody],
    problems: [...writeProblems, 'precondition_failed', 'query_too_slow'],
  },
  ...childRoutes,
  {
    method: 'GET',
    path: '/rest/{collection}/stream',
    id: 'streamList',
    tag: 'documents',
    summary: 'A page of documents, now and whenever it changes',
    security: 'key',
    query: liveOf(listParameters),
    answer: stream,
    problems: streamProblems,
  },
  {
    method: 'GET',
    path: '/rest/{collection}/{id}/stream',
    id: 'streamDocument',
    tag: 'documents',
    summary: 'One document, now and whenever it changes; null while there is none',
    security: 'key',
    query: liveOf(documentParameters),
    answer: stream,
    problems: streamProblems,
  },
  {
    method: 'GET',
    path: '/rest/{collection}/{id}/{field}/stream',
    id: 'streamChildren',
    tag: 'documents',
    summary: 'A page of the children of a document, now and whenever it changes',
    security: 'key',
    query: liveOf(listParameters),
    answer: stream,
    problems: streamProblems,
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
    query: documentParameters.filter((one) => one !== asOf),
    answer: {
      status: 200,
      description: 'The document of that time.',
      content: { ...json(ref('Document')), ...textIn(['text/csv', 'text/html']) },
      headers: ['ETag'],
    },
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
      headers: ['X-Total-Count', 'Content-Disposition'],
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
    answer: { ...ok('What was imported, and the rows that were not.', ref('ImportAnswer')), headers: ['X-Event-Id'] },
    problems: ['not_found', 'invalid_json', 'unsupported_media_type', 'validation_failed', 'outcome_unknown'],
  },
  {
    method: 'GET',
    path: '/events',
    id: 'pollEvents',
    tag: 'events',
    summary: 'A page of the events that the key may hear',
    security: 'key',
    query: [
      since,
      parameter('wait', whole(0, 30, 0), 'Seconds to wait for something to answer.'),
      parameter('max', whole(1, 1_000, 100), 'Most events to consider.'),
      ...eventFilters,
    ],
    answer: ok('The events in order and where to go on, or a reset.', {
      oneOf: [ref('EventPage'), ref('EventReset')],
    }),
    problems: ['realtime_off', 'too_many_requests'],
  },
  {
    method: 'GET',
    path: '/realtime',
    id: 'openStream',
    tag: 'events',
    summary: 'A stream of the events that the key may hear',
    security: 'key',
    query: [...cursors, ...eventFilters],
    headers: ['Last-Event-ID'],
    answer: stream,
    problems: ['realtime_off', 'not_acceptable'],
  },
  {
    method: 'POST',
    path: '/realtime',
    id: 'publishEvent',
    tag: 'events',
    summary: 'Publish a custom event',
    security: 'key',
    headers: ['Idempotency-Key'],
    body: json({
      type: 'object',
      required: ['event'],
      properties: { event: { type: 'string' }, data: {}, ephemeral: { type: 'boolean', default: false } },
    }),
    answer: published,
    problems: [...bodyProblems, 'idempotency_mismatch', 'outcome_unknown'],
  },
  {
    method: 'GET',
    path: '/realtime/events',
    id: 'openMessages',
    tag: 'events',
    summary: 'A stream of unnamed messages with type and payload; with a session instead of a key that of an admin',
    security: 'key',
    query: [
      ...cursors,
      ...eventFilters,
      parameter('database', { type: 'string', default: 'default' }, 'With a session: the database.'),
    ],
    headers: ['Last-Event-ID'],
    answer: stream,
    problems: ['realtime_off', 'not_acceptable', 'not_found'],
  },
  {
    method: 'POST',
    path: '/realtime/ticket',
    id: 'issueTicket',
    tag: 'events',
    summary: 'A ticket that opens one stream within 30 s',
    security: 'key',
    answer: {
      status: 201,
      description: 'The ticket, for ?ticket= of a stream.',
      content: json({
        type: 'object',
        required: ['ticket', 'expiresAt'],
        properties: { ticket: { type: 'string' }, expiresAt: { type: 'string', format: 'date-time' } },
      }),
    },
    problems: ['realtime_off'],
  },
  {
    method: 'GET',
    path: '/channels/{name}',
    id: 'listMessages',
    tag: 'events',
    summary: 'The recent messages of a channel',
    security: 'key',
    query: [
      parameter('max', whole(1, 500, 50), 'Most messages.'),
      parameter('before', whole(0, Number.MAX_SAFE_INTEGER), 'Those below this id.'),
    ],
    answer: ok('The messages, ascending, and where older ones begin.', {
      type: 'object',
      required: ['data', 'before'],
      properties: {
        data: listOf({
          type: 'object',
          required: ['id', 'event', 'data', 'at'],
          properties: {
            id: { type: 'integer' },
            event: { type: 'string' },
            data: {},
            at: { type: 'string', format: 'date-time' },
          },
        }),
        before: { type: ['integer', 'null'] },
      },
    }),
    problems: ['realtime_off'],
  },
  {
    method: 'POST',
    path: '/channels/{name}',
    id: 'postMessage',
    tag: 'events',
    summary: 'Publish a message to a channel',
    security: 'key',
    headers: ['Idempotency-Key'],
    body: json({
      type: 'object',
      properties: { event: { type: 'string' }, data: {}, ephemeral: { type: 'boolean', default: false } },
    }),
    answer: published,
    problems: [...bodyProblems, 'idempotency_mismatch', 'outcome_unknown'],
  },
  {
    method: 'GET',
    path: '/channels/{name}/stream',
    id: 'openChannel',
    tag: 'events',
    summary: 'A stream of the messages of a channel, the recent ones first',
    security: 'key',
    query: [...cursors, parameter('recent', whole(0, 500, 50), 'How many recent messages it begins with.')],
    headers: ['Last-Event-ID'],
    answer: stream,
    problems: ['realtime_off', 'not_acceptable'],
  },
  admin('GET', '/api/setup', 'getSetup', 'Whether the first admin is still to be made', ref('SetupState'), 'none'),
  {
    ...admin('POST', '/api/setup', 'setUp', 'Make the first admin', {}, 'none', ref('SetupRequest')),
    answer: {
      status: 201,
      description: 'The admin, who is signed in.',
      content: json(ref('Session')),
      headers: cookie,
    },
    problems: [...bodyProblems, 'forbidden', 'conflict', 'too_many_requests', 'unavailable'],
  },
  admin('GET', '/api/session', 'getSession', 'Who is signed in', ref('Session')),
  {
    ...admin('POST', '/api/session', 'signIn', 'Sign in', {}, 'none', ref('SignInRequest')),
    answer: { ...ok('Who is signed in.', ref('Session')), headers: cookie },
    problems: [...bodyProblems, 'unauthenticated', 'code_needed', 'too_many_requests', 'unavailable'],
  },
  {
    ...admin('DELETE', '/api/session', 'signOut', 'Sign out', {}),
    answer: { status: 204, description: 'The session has ended.', headers: cookie },
  },
  {
    ...admin(
      'POST',
      '/api/invites/accept',
      'acceptInvite',
      'Become an admin, with the token of an invitation',
      {},
      'none',
      ref('AcceptInviteRequest'),
    ),
    answer: {
      status: 201,
      description: 'The admin, who is signed in.',
      content: json(ref('Session')),
      headers: cookie,
    },
    problems: [...bodyProblems, 'not_found', 'too_many_requests', 'unavailable'],
  },
  admin('GET', '/api/admin', 'getOwnAccount', 'Your own account', ref('Admin')),
  {
    ...admin('POST', '/api/admin/password', 'changeOwnPassword', '', {}, 'admin', ref('ChangePasswordRequest')),
    summary: 'Change your password; all your other sessions end',
    answer: { status: 204, description: 'It is changed.' },
    problems: [...bodyProblems, 'too_many_requests'],
  },
  {
    ...admin('POST', '/api/admin/totp', 'beginTotp', '', {}, 'admin', ref('PasswordAgainRequest')),
    summary: 'A secret for an authenticator; nothing is asked for before it is confirmed',
    answer: ok('The secret, and what to confirm it with.', ref('TotpEnrolment')),
    problems: [...bodyProblems, 'conflict', 'too_many_requests'],
  },
  {
    ...admin('PUT', '/api/admin/totp', 'confirmTotp', '', {}, 'admin', ref('ConfirmTotpRequest')),
    summary: 'Confirm it with the first code: from now on one is asked for at sign-in',
    answer: ok('Codes for when the authenticator is lost, good once each, shown only now.', ref('RecoveryCodes')),
    problems: [...bodyProblems, 'conflict'],
  },
  {
    ...admin('POST', '/api/admin/totp/disable', 'endTotp', '', {}, 'admin', ref('PasswordAgainRequest')),
    summary: 'Ask for no codes any more',
    answer: { status: 204, description: 'No code is asked for.' },
    problems: [...bodyProblems, 'too_many_requests'],
  },
  admin('GET', '/api/admin/sessions', 'listOwnSessions', 'Your own sessions', dataOf(ref('AdminSession'))),
  {
    ...admin('DELETE', '/api/admin/sessions/{session}', 'endOwnSession', 'End one of your sessions', {}),
    answer: { status: 204, description: 'It has ended.' },
  },
  admin('GET', '/api/admins', 'listAdmins', 'The admins; for owners', dataOf(ref('Admin'))),
  {
    ...admin('PATCH', '/api/admins/{admin}', 'setRole', '', ref('Admin'), 'admin', ref('UpdateAdminRequest')),
    summary: 'Give an admin another role, which ends their sessions; for owners',
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  {
    ...admin('DELETE', '/api/admins/{admin}', 'removeAdmin', 'Remove an admin; for owners', {}),
    answer: { status: 204, description: 'The account and its sessions are gone.' },
    problems: ['not_found', 'conflict'],
  },
  admin(
    'GET',
    '/api/admins/{admin}/sessions',
    'listSessions',
    'The sessions of an admin; for owners',
    dataOf(ref('AdminSession')),
  ),
  {
    ...admin('DELETE', '/api/admins/{admin}/sessions/{session}', 'endSession', 'End a session; for owners', {}),
    answer: { status: 204, description: 'It has ended.' },
  },
  admin('GET', '/api/invites', 'listInvites', 'The invitations that wait; for owners', dataOf(ref('Invite'))),
  {
    ...admin(
      'POST',
      '/api/invites',
      'createInvite',
      'Invite somebody; for owners',
      {},
      'admin',
      ref('CreateInviteRequest'),
    ),
    answer: {
      status: 201,
      description: 'The invitation with its token: the only time that it is shown.',
      content: json(ref('CreatedInvite')),
    },
    problems: [...bodyProblems, 'conflict'],
  },
  {
    ...admin('DELETE', '/api/invites/{invite}', 'deleteInvite', 'Take an invitation back; for owners', {}),
    answer: { status: 204, description: 'Its link is no longer good.' },
  },
  {
    ...admin('GET', '/api/audit', 'listAudit', 'A page of the audit log, newest first', ref('AuditPage')),
    query: [
      ...auditFilter,
      parameter('before', whole(1, Number.MAX_SAFE_INTEGER), 'Entries below this id: next of the page before.'),
      parameter('max', whole(1, 1_000, 100), 'Most entries of the page.'),
    ],
  },
  {
    ...admin('GET', '/api/audit/export', 'exportAudit', 'The audit log as a file, oldest first; for owners', {}),
    query: auditFilter,
    answer: { status: 200, description: 'Lines of JSON.', content: textIn(['application/x-ndjson']) },
  },
  admin('GET', '/api/databases', 'listDatabases', 'The databases', dataOf(ref('Database'))),
  {
    ...admin('POST', '/api/databases', 'createDatabase', 'Make a database', {}, 'admin', ref('CreateDatabaseRequest')),
    answer: { status: 201, description: 'The database.', content: json(ref('Database')) },
    problems: [...bodyProblems, 'conflict'],
  },
  {
    ...admin('PATCH', '/api/databases/{database}', 'renameDatabase', '', {}, 'admin', ref('RenameDatabaseRequest')),
    summary: 'Give a database another name',
    answer: ok('The database.', ref('Database')),
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  {
    ...admin('DELETE', '/api/databases/{database}', 'deleteDatabase', '', {}, 'admin', ref('DeleteDatabaseRequest')),
    summary: 'Delete a database with all that is in it; for owners',
    answer: {
      status: 202,
      description: 'Nobody is let in any more; deletion tells how much of it is gone.',
      content: json(ref('Database')),
    },
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  admin('GET', '/api/databases/{database}', 'getDatabase', 'A database', ref('Database')),
  admin(
    'PATCH',
    '/api/databases/{database}/settings',
    'patchSettings',
    'Change settings: any part of them',
    ref('Database'),
    'admin',
    ref('SettingsPatch'),
  ),
  admin(
    'GET',
    '/api/databases/{database}/collections',
    'listCollections',
    'The collections',
    dataOf(ref('Collection')),
  ),
  {
    ...admin(
      'GET',
      '/api/databases/{database}/collections/{collection}/documents',
      'listDocumentsAsAdmin',
      'A page of documents',
      { anyOf: [ref('DocumentPage'), listOf(ref('Document')), listOf(ref('Group')), ref('Aggregates')] },
    ),
    query: listParameters.map((one) => (one.name === 'max' ? { ...one, schema: whole(0, 10_000, 100) } : one)),
    problems: ['not_found', 'query_too_slow'],
  },
  {
    ...admin(
      'GET',
      '/api/databases/{database}/collections/{collection}',
      'getCollection',
      'A collection, with its schema and indexes',
      ref('CollectionDetail'),
    ),
    problems: ['not_found'],
  },
  {
    ...admin(
      'PUT',
      '/api/databases/{database}/collections/{collection}',
      'createCollection',
      'Make an empty collection; 200 when it is there already',
      ref('CollectionDetail'),
    ),
    answer: { status: 201, description: 'The collection.', content: json(ref('CollectionDetail')) },
    otherAnswers: [ok('It is there already.', ref('CollectionDetail'))],
    problems: ['not_found', 'validation_failed'],
  },
  {
    ...admin(
      'GET',
      '/api/databases/{database}/collections/{collection}/schema',
      'getSchema',
      'The schema of a collection, as it was given',
      ref('CollectionSchema'),
    ),
    problems: ['not_found'],
  },
  {
    ...admin(
      'PUT',
      '/api/databases/{database}/collections/{collection}/schema',
      'putSchema',
      'Hold a collection to a schema',
      ref('SchemaCheck'),
      'admin',
      ref('CollectionSchema'),
    ),
    query: [
      parameter('dryRun', bool, 'Only tells which documents fail it.'),
      parameter('acceptFailing', bool, 'Takes it although documents fail it: they stay until they are next changed.'),
    ],
    problems: [...bodyProblems, 'not_found', 'conflict', 'too_many_requests'],
  },
  {
    ...admin(
      'DELETE',
      '/api/databases/{database}/collections/{collection}/schema',
      'deleteSchema',
      'Take any object',
      {},
    ),
    answer: { status: 204, description: 'The collection takes any JSON object.' },
    problems: ['not_found'],
  },
  {
    ...admin(
      'PATCH',
      '/api/databases/{database}/collections/{collection}',
      'renameCollection',
      'Give a collection another name',
      ref('RenamedCollection'),
      'admin',
      ref('RenameCollectionRequest'),
    ),
    answer: {
      ...ok(
        'The new name, and what names the old one: grants of keys, grants and rules of roles, and fields of schemas.',
        ref('RenamedCollection'),
      ),
      headers: ['X-Event-Id'],
    },
    problems: [...bodyProblems, 'not_found', 'conflict', 'outcome_unknown'],
  },
  {
    ...admin('DELETE', '/api/databases/{database}/collections/{collection}', 'dropCollection', 'Drop a collection', {}),
    query: [confirmName],
    answer: emptyingLines,
    problems: ['not_found'],
  },
  {
    ...admin(
      'POST',
      '/api/databases/{database}/collections/{collection}/truncate',
      'truncateCollection',
      'Delete every document that is there now',
      {},
    ),
    query: [confirmName],
    answer: emptyingLines,
    problems: ['not_found'],
  },
  {
    ...admin(
      'GET',
      '/api/databases/{database}/collections/{collection}/indexes',
      'listIndexes',
      'The indexes of a collection',
      dataOf(ref('Index')),
    ),
    problems: ['not_found'],
  },
  {
    ...admin(
      'POST',
      '/api/databases/{database}/collections/{collection}/indexes',
      'createIndex',
      'Declare an index; it is built beside the writers',
      {},
      'admin',
      ref('CreateIndexRequest'),
    ),
    answer: { status: 202, description: 'The index, as yet without entries.', content: json(ref('Index')) },
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  {
    ...admin(
      'GET',
      '/api/databases/{database}/collections/{collection}/indexes/{index}',
      'getIndex',
      'An index: its state, and how far its build is',
      ref('Index'),
    ),
    problems: ['not_found'],
  },
  {
    ...admin(
      'DELETE',
      '/api/databases/{database}/collections/{collection}/indexes/{index}',
      'dropIndex',
      'Drop an index',
      {},
    ),
    answer: { status: 202, description: 'The index, which is about to go.', content: json(ref('Index')) },
    problems: ['not_found', 'conflict'],
  },
  admin(
    'GET',
    '/api/databases/{database}/users',
    'listUsers',
    'The accounts of users, newest first, at most a thousand',
    dataOf(ref('UserAccount')),
  ),
  {
    ...admin(
      'POST',
      '/api/databases/{database}/users',
      'createUser',
      'Make an account',
      ref('CreatedUser'),
      'admin',
      ref('CreateUserRequest'),
    ),
    problems: [...bodyProblems, 'not_found', 'conflict', 'outcome_unknown', 'too_many_requests'],
  },
  admin(
    'POST',
    '/api/databases/{database}/users/{user}/reset-token',
    'createResetTokenAsAdmin',
    'Make a token with which the user sets a new password',
    ref('ResetToken'),
  ),
  admin(
    'DELETE',
    '/api/databases/{database}/users/{user}/sessions',
    'endUserSessions',
    'End all sessions of a user',
    ref('EndedSessions'),
  ),
  admin(
    'GET',
    '/api/databases/{database}/auth/secret',
    'getAuthSecret',
    'Whether there is a secret for tokens',
    ref('AuthSecret'),
  ),
  admin(
    'PUT',
    '/api/databases/{database}/auth/secret',
    'setAuthSecret',
    'Set the secret that another service signs tokens with',
    ref('AuthSecret'),
    'admin',
    ref('AuthSecretRequest'),
  ),
  admin(
    'DELETE',
    '/api/databases/{database}/auth/secret',
    'removeAuthSecret',
    'Remove the secret for tokens',
    ref('AuthSecret'),
  ),
  admin('GET', '/api/databases/{database}/keys', 'listKeys', 'The keys, newest first', dataOf(ref('ApiKey'))),
  {
    ...admin('POST', '/api/databases/{database}/keys', 'createKey', 'Make a key', {}, 'admin', ref('CreateKeyRequest')),
    answer: {
      status: 201,
      description: 'The key, with its text: the only time that it is shown.',
      content: json(ref('CreatedKey')),
    },
  },
  admin('GET', '/api/databases/{database}/keys/{key}', 'getKey', 'A key', ref('ApiKey')),
  {
    ...admin(
      'PATCH',
      '/api/databases/{database}/keys/{key}',
      'updateKey',
      'Change a key, or switch it off and on; a list that is given replaces the present one',
      ref('ApiKey'),
      'admin',
      ref('UpdateKeyRequest'),
    ),
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  {
    ...admin(
      'POST',
      '/api/databases/{database}/keys/{key}/rotate',
      'rotateKey',
      'Give a key another text; the present one is taken as well for a while',
      ref('CreatedKey'),
      'admin',
      ref('RotateKeyRequest'),
    ),
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  admin('DELETE', '/api/databases/{database}/keys/{key}', 'revokeKey', 'Revoke a key for good', ref('ApiKey')),
  admin('GET', '/api/databases/{database}/roles', 'listRoles', 'The roles', dataOf(ref('Role'))),
  {
    ...admin(
      'POST',
      '/api/databases/{database}/roles',
      'createRole',
      'Make a role',
      ref('Role'),
      'admin',
      ref('CreateRoleRequest'),
    ),
    problems: [...bodyProblems, 'not_found', 'conflict'],
  },
  admin('GET', '/api/databases/{database}/roles/{role}', 'getRole', 'A role', ref('Role')),
  admin(
    'PATCH',
    '/api/databases/{database}/roles/{role}',
    'updateRole',
    'Change a role; what is given replaces what is there',
    ref('Role'),
    'admin',
    ref('UpdateRoleRequest'),
  ),
  {
    ...admin('DELETE', '/api/databases/{database}/roles/{role}', 'deleteRole', 'Delete a role', {}),
    answer: { status: 204, description: 'It is gone.' },
  },
  {
    ...admin('GET', '/api/databases/{database}/events', 'listEvents', 'A page of the log', ref('LogPage')),
    query: [
      since,
      parameter('before', whole(0, Number.MAX_SAFE_INTEGER), 'The last events below this one; not with since.'),
      parameter('max', whole(1, 1_000, 100), 'Most events of the page.'),
    ],
  },
  {
    ...admin('GET', '/api/explain', 'explainEvent', 'Why a key or a user is shown an event or not', ref('Explanation')),
    query: [
      parameter('database', { type: 'string' }, 'The database.'),
      parameter('key', { type: 'string' }, 'The id of a key; or user.'),
      parameter('user', { type: 'string' }, 'The subject of a user.'),
      parameter('role', listOf({ type: 'string' }), 'The roles of the user, in order.'),
      parameter('claims', { type: 'string' }, 'The claims of the user, as JSON.'),
      parameter('event', whole(1, Number.MAX_SAFE_INTEGER), 'The number of the event.'),
      parameter('since', whole(0, Number.MAX_SAFE_INTEGER), 'The cursor that the stream came with.'),
      ...eventFilters,
    ],
    problems: ['not_found'],
  },
  ...adminTwins,
  ...authRoutes,
  {
    ...admin('GET', '/api/databases/{database}/events/stream', 'streamEvents', 'A stream of all events', {}),
    query: [
      since,
      parameter('lastEventId', { type: 'string' }, 'As since.'),
      parameter('last_event_id', { type: 'string' }, 'As since.'),
    ],
    headers: ['Last-Event-ID'],
    answer: stream,
    problems: ['not_found', 'not_acceptable'],
  },
  {
    ...server('/openapi.json', 'getDescription', 'This description; with a key, that of its own collections', json({})),
    security: 'optional',
  },
  {
    ...server('/rest/_swagger.json', 'getSwagger', 'The same, where clients of restdb.io look for it', json({})),
    security: 'optional',
  },
  {
    ...server(
      '/rest/_jsapi.js',
      'getClientScript',
      'A client for browsers, made for the key',
      textIn(['text/javascript']),
    ),
    query: [plainjs],
    headers: ['If-None-Match'],
    otherAnswers: [unchanged],
    security: 'optional',
  },
  {
    ...server('/rest/_jsapi.doc', 'getClientReference', 'How that client is used, as a page', textIn(['text/html'])),
    query: [plainjs],
    headers: ['If-None-Match'],
    otherAnswers: [unchanged],
    security: 'optional',
  },
  server('/docs', 'getReference', 'This description as a page', textIn(['text/html'])),
  server('/health', 'getHealth', 'Whether the process lives', json({ type: 'object' })),
  {
    ...server('/ready', 'getReadiness', 'Whether it can do its work', json(ref('Readiness'))),
    otherAnswers: [{ status: 503, description: 'It cannot.', content: json(ref('Readiness')) }],
  },
];

/** A route of the admin API, which takes `body` as JSON when one is given. A POST is answered with 201. */
function admin(
  method: RestMethod,
  path: string,
  id: string,
  summary: string,
  answer: Schema,
  security: 'admin' | 'none' = 'admin',
  body?: Schema,
): RouteEntry {
  const isWithin = path.includes('{');
  return {
    method,
    path,
    id,
    tag: 'admin',
    summary,
    security,
    ...(body === undefined ? {} : { body: json(body) }),
    answer: { status: method === 'POST' ? 201 : 200, description: summary, content: json(answer) },
    problems: [...(body === undefined ? [] : bodyProblems), ...(isWithin ? (['not_found'] as const) : [])],
  };
}

function auth(
  name: string,
  id: string,
  summary: string,
  security: RouteEntry['security'],
  { body, answer, problems = [] }: { body: Schema; answer: Answer; problems?: readonly ProblemCode[] },
): RouteEntry {
  const [path, tag] = [`/auth/${name}`, 'users'] as const;
  return {
    method: 'POST',
    path,
    id,
    tag,
    summary,
    security,
    body: json(body),
    answer,
    problems: [...authProblems, ...problems],
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
