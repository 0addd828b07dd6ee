/** The shapes that the description of the API names. */

import {
  adminEventSchema,
  apiKeySchema,
  collectionSchema,
  createDatabaseRequestSchema,
  createdKeySchema,
  createKeyRequestSchema,
  databaseSchema,
  deleteDatabaseRequestSchema,
  emptyingLineSchema,
  explanationSchema,
  renameCollectionRequestSchema,
  renameDatabaseRequestSchema,
  renamedCollectionSchema,
  rotateKeyRequestSchema,
  sessionAnswerSchema,
  setupAnswerSchema,
  setupRequestSchema,
  signInRequestSchema,
  updateKeyRequestSchema,
} from '@tidewire/protocol/admin-api';
import {
  acceptInviteRequestSchema,
  adminPersonSchema,
  adminSessionSchema,
  changePasswordRequestSchema,
  confirmTotpRequestSchema,
  createdInviteSchema,
  createInviteRequestSchema,
  inviteSchema,
  passwordAgainRequestSchema,
  recoveryCodesSchema,
  totpEnrolmentSchema,
  updateAdminRequestSchema,
} from '@tidewire/protocol/admins';
import { auditPageSchema } from '@tidewire/protocol/audit';
import {
  authSecretRequestSchema,
  authSecretSchema,
  createdJwtSchema,
  createdUserSchema,
  createJwtRequestSchema,
  createUserRequestSchema,
  currentUserSchema,
  logInRequestSchema,
  logOutRequestSchema,
  passwordRequestSchema,
  refreshRequestSchema,
  resetRequestSchema,
  resetTokenRequestSchema,
  resetTokenSchema,
  signUpRequestSchema,
  userAccountSchema,
  userTokensSchema,
} from '@tidewire/protocol/auth-api';
import { eventTypes } from '@tidewire/protocol/channel';
import {
  collectionDetailSchema,
  createIndexRequestSchema,
  indexAnswerSchema,
  schemaCheckSchema,
} from '@tidewire/protocol/collection-schema';
import { documentIdPattern } from '@tidewire/protocol/names';
import { problemCodes } from '@tidewire/protocol/problem';
import { createRoleRequestSchema, roleSchema, updateRoleRequestSchema } from '@tidewire/protocol/roles';
import { databaseSettingsPatchSchema } from '@tidewire/protocol/settings';
import { z } from 'zod';
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

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` });
const anything = { type: 'object', additionalProperties: true };
const count: Schema = { type: 'integer', minimum: 0 };
/** An object of dotted paths, as the update operators take it. */
const paths = (values: Schema, description: string): Schema => ({
  type: 'object',
  additionalProperties: values,
  description,
});

/** The JSON Schema of what the server parses with: `input` for requests, `output` for answers. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  // What refers to a definition of its own is `z.json()`, the only recursive one: any JSON, which an empty schema says as well.
  return JSON.parse(JSON.stringify(rest), (_key, value) =>
    typeof value === 'object' && value !== null && String(value.$ref).startsWith('#/$defs/') ? {} : value,
  );
}

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
    type: { type: 'string', enum: eventTypes },
    at: time,
    collection: { type: ['string', 'null'] },
    event: text,
    data: {
      description:
        'post: the document; put: its id; delete: a list of ids; publish: what was published; rename: the new name; drop: null.',
    },
  }),
  Versions: object(['data', 'next', 'oldest'], {
    data: list(
      object(['eventId', 'type', 'at', 'document'], {
        eventId,
        type: { type: 'string', enum: ['post', 'put', 'delete'] },
        at: time,
        document: { oneOf: [{ $ref: '#/components/schemas/Document' }, { type: 'null' }] },
      }),
    ),
    next: { oneOf: [eventId, { type: 'null' }] },
    oldest: { ...eventId, description: 'The oldest event of the log; versions from before it are not known any more.' },
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
    refused: list(
      object(['line', 'message'], {
        line: { type: 'integer', minimum: 1 },
        message: text,
        errors: list(object(['field', 'message'], { field: text, message: text, allowed: text })),
      }),
    ),
  }),
  Fields: { ...anything, description: 'The fields of a document. Those of the server are left out.' },
  Changes: {
    ...anything,
    description: 'Fields that replace those of the same name, and update operators.',
    properties: {
      $set: paths({}, 'Sets values.'),
      $unset: paths({}, 'Removes values.'),
      $inc: paths({ type: 'number' }, 'Adds numbers.'),
      $min: paths({ type: ['number', 'string'] }, 'Keeps the smaller.'),
      $max: paths({ type: ['number', 'string'] }, 'Keeps the greater.'),
      $push: paths({}, 'Appends to arrays; {"$each":[…]} appends several.'),
      $addToSet: paths({}, 'Appends what is not there.'),
      $pull: paths({}, 'Takes equal items out of arrays.'),
    },
  },
  JsonPatch: list(
    object(['op', 'path'], {
      op: { type: 'string', enum: ['add', 'remove', 'replace', 'move', 'copy', 'test'] },
      path: text,
      from: text,
      value: {},
    }),
  ),
  Ids: object(['result'], { result: list(text), count }),
  Totals: object(['count', 'skip', 'max'], { total: count, count, skip: count, max: count }),
  DocumentPage: object(['data', 'totals'], { data: list(ref('Document')), totals: ref('Totals') }),
  Aggregates: {
    ...anything,
    description: 'By function and field, as in "SUM age"; for COUNT the name behind it is chosen.',
  },
  Group: {
    ...object(['groupkey'], { groupkey: list({}) }),
    additionalProperties: true,
    description: 'The values of the group keys, and its aggregates.',
  },
  Readiness: object(['status', 'checks'], {
    status: { type: 'string', enum: ['ready', 'not ready'] },
    checks: list(object(['name', 'ok'], { name: text, ok: { type: 'boolean' }, detail: text })),
  }),
  SetupState: schemaOf(setupAnswerSchema, 'output'),
  SetupRequest: schemaOf(setupRequestSchema, 'input'),
  SignInRequest: schemaOf(signInRequestSchema, 'input'),
  Session: schemaOf(sessionAnswerSchema, 'output'),
  Database: schemaOf(databaseSchema, 'output'),
  CreateDatabaseRequest: schemaOf(createDatabaseRequestSchema, 'input'),
  RenameDatabaseRequest: schemaOf(renameDatabaseRequestSchema, 'input'),
  DeleteDatabaseRequest: schemaOf(deleteDatabaseRequestSchema, 'input'),
  Admin: schemaOf(adminPersonSchema, 'output'),
  AdminSession: schemaOf(adminSessionSchema, 'output'),
  UpdateAdminRequest: schemaOf(updateAdminRequestSchema, 'input'),
  Invite: schemaOf(inviteSchema, 'output'),
  CreatedInvite: schemaOf(createdInviteSchema, 'output'),
  CreateInviteRequest: schemaOf(createInviteRequestSchema, 'input'),
  AcceptInviteRequest: schemaOf(acceptInviteRequestSchema, 'input'),
  ChangePasswordRequest: schemaOf(changePasswordRequestSchema, 'input'),
  PasswordAgainRequest: schemaOf(passwordAgainRequestSchema, 'input'),
  TotpEnrolment: schemaOf(totpEnrolmentSchema, 'output'),
  ConfirmTotpRequest: schemaOf(confirmTotpRequestSchema, 'input'),
  RecoveryCodes: schemaOf(recoveryCodesSchema, 'output'),
  AuditPage: schemaOf(auditPageSchema, 'output'),
  RenameCollectionRequest: schemaOf(renameCollectionRequestSchema, 'input'),
  RenamedCollection: schemaOf(renamedCollectionSchema, 'output'),
  EmptyingLine: schemaOf(emptyingLineSchema, 'output'),
  SettingsPatch: schemaOf(databaseSettingsPatchSchema, 'input'),
  Collection: schemaOf(collectionSchema, 'output'),
  ApiKey: schemaOf(apiKeySchema, 'output'),
  Index: schemaOf(indexAnswerSchema, 'output'),
  CreateIndexRequest: schemaOf(createIndexRequestSchema, 'input'),
  CollectionDetail: schemaOf(collectionDetailSchema, 'output'),
  CollectionSchema: {
    ...anything,
    description:
      'A JSON Schema 2020-12 of type object, with the keywords of fields: fieldType, unique, default, autoIncrement, computed, collection.',
  },
  SchemaCheck: schemaOf(schemaCheckSchema, 'output'),
  CreatedKey: schemaOf(createdKeySchema, 'output'),
  CreateKeyRequest: schemaOf(createKeyRequestSchema, 'input'),
  UpdateKeyRequest: schemaOf(updateKeyRequestSchema, 'input'),
  RotateKeyRequest: schemaOf(rotateKeyRequestSchema, 'input'),
  Role: schemaOf(roleSchema, 'output'),
  CreateRoleRequest: schemaOf(createRoleRequestSchema, 'input'),
  UpdateRoleRequest: schemaOf(updateRoleRequestSchema, 'input'),
  SignUpRequest: schemaOf(signUpRequestSchema, 'input'),
  LogInRequest: schemaOf(logInRequestSchema, 'input'),
  RefreshRequest: schemaOf(refreshRequestSchema, 'input'),
  LogOutRequest: schemaOf(logOutRequestSchema, 'input'),
  ResetTokenRequest: schemaOf(resetTokenRequestSchema, 'input'),
  ResetRequest: schemaOf(resetRequestSchema, 'input'),
  PasswordRequest: schemaOf(passwordRequestSchema, 'input'),
  CreateJwtRequest: schemaOf(createJwtRequestSchema, 'input'),
  CreatedJwt: schemaOf(createdJwtSchema, 'output'),
  UserTokens: schemaOf(userTokensSchema, 'output'),
  CurrentUser: schemaOf(currentUserSchema, 'output'),
  UserAccount: schemaOf(userAccountSchema, 'output'),
  CreateUserRequest: schemaOf(createUserRequestSchema, 'input'),
  CreatedUser: schemaOf(createdUserSchema, 'output'),
  ResetToken: schemaOf(resetTokenSchema, 'output'),
  EndedSessions: object(['ended'], { ended: count }),
  AuthSecret: schemaOf(authSecretSchema, 'output'),
  AuthSecretRequest: schemaOf(authSecretRequestSchema, 'input'),
  LogEvent: schemaOf(adminEventSchema, 'output'),
  Explanation: schemaOf(explanationSchema, 'output'),
  LogPage: object(['data', 'head', 'oldest'], {
    data: list(ref('LogEvent')),
    head: eventId,
    oldest: { ...eventId, description: 'The oldest event that is kept; what was before it is gone.' },
  }),
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
