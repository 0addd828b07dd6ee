/** The shapes that the description of the API names. */
import { documentIdPattern } from '@tidewire/protocol/names';
import { problemCodes } from '@tidewire/protocol/problem';
import type { Schema } from './route-table.js';

const text: Schema = { type: 'string' };
const id: Schema = { type: 'string', pattern: documentIdPattern.source };
const time: Schema = { type: 'string', format: 'date-time' };
const eventId: Schema = { type: 'integer', minimum: 0 };
const object = (required: readonly string[], properties: Readonly<Record<string, Schema>>): Schema => ({
  type: 'object',
  required,
  properties,
});
const list = (items: Schema): Schema => ({ type: 'array', items });

/** By name, as `#/components/schemas/…` refers to them. */
export const schemas: Readonly<Record<string, Schema>> = {
  Document: {
    ...object(['_id'], {
      _id: id,
      _created: time,
      _changed: time,
      _createdby: text,
      _changedby: text,
      _version: { type: 'integer', minimum: 0 },
      _keywords: list(text),
      _tags: text,
    }),
    additionalProperties: true,
  },
  Event: object(['id', 'type', 'at', 'event', 'data'], {
    id: eventId,
    type: { type: 'string', enum: ['post', 'put', 'delete', 'publish'] },
    at: time,
    collection: { type: ['string', 'null'] },
    event: text,
    data: { description: 'post: the document; put: its id; delete: a list of ids; publish: what was published.' },
  }),
  Versions: object(['data', 'next'], {
    data: list(
      object(['eventId', 'type', 'at', 'document'], {
        eventId,
        type: { type: 'string', enum: ['post', 'put', 'delete'] },
        at: time,
        document: { oneOf: [{ $ref: '#/components/schemas/Document' }, { type: 'null' }] },
      }),
    ),
    next: { oneOf: [eventId, { type: 'null' }] },
  }),
  EventPage: object(['data', 'next', 'head', 'oldest'], {
    data: list({ $ref: '#/components/schemas/Event' }),
    next: { ...eventId, description: 'Everything up to here was considered: the next since.' },
    head: eventId,
    oldest: eventId,
  }),
  EventReset: object(['reset'], {
    reset: object(['reason', 'oldest', 'newest'], {
      reason: { type: 'string', enum: ['retention', 'restored', 'unknown'] },
      oldest: eventId,
      newest: eventId,
    }),
  }),
  ImportAnswer: object(['imported', 'refusedCount', 'refused'], {
    imported: { type: 'integer', minimum: 0 },
    refusedCount: { type: 'integer', minimum: 0 },
    refused: list(object(['line', 'message'], { line: { type: 'integer', minimum: 1 }, message: text })),
  }),
  Admin: object(['id', 'email'], { id: text, email: text }),
  Problem: object(['type', 'title', 'status', 'code', 'detail', 'errors', 'message', 'name', 'list'], {
    type: text,
    title: text,
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(problemCodes) },
    detail: text,
    errors: list(object(['field', 'message'], { field: text, message: text, allowed: text })),
    requestId: text,
    message: text,
    name: text,
    list: list(object(['field', 'message'], { field: text, message: list(text) })),
  }),
};
