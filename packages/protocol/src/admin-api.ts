/** The admin API's requests and answers: the dashboard and the server parse with these same schemas. Times are ISO 8601 in UTC. */
import { z } from 'zod';
import { adminRoleSchema, oneTimeCodeSchema } from './admins.js';
import { eventTypes, type GrantKind, grantRules, parseGrant } from './channel.js';

import { collectionNamePattern, collectionNameRule, databaseNamePattern, databaseNameRule } from './names.js';
import { originSchema } from './origin.js';

import { databaseSettingsSchema } from './settings.js';

/** A list of grants of a kind, each brought to its canonical form. */
export function grantList(kind: GrantKind) {
  const grant = z
    .string()
    .max(160)
    .transform((text, context) => {
      const parsed = parseGrant(kind, text);
      if (parsed !== null) return parsed;
      context.addIssue({ code: 'custom', message: `not a ${kind} grant; allowed: ${grantRules[kind]}` });
      return z.NEVER;
    });
  return z.array(grant).max(1000);
}

const keyName = z.string().trim().min(1).max(100);
/** A moment as ISO 8601 with its offset; what is kept is in UTC. */
const moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
/** Requests in a minute. */
const rateLimit = z.int().min(1).max(1_000_000);
const email = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase());
/** NIST SP 800-63B: at least 8; ours is 10. The upper bound keeps hashing cheap. */
const newPassword = z.string().min(10).max(256);

/** `POST /api/setup`: makes the first admin. The token is that of the setup link; the address is kept in lower case. */
export const setupRequestSchema = z.strictObject({ token: z.string().max(200), email, password: newPassword });
/** `POST /api/session`. The password has no lower bound here: a wrong one is refused as wrong, whatever its length. */
export const signInRequestSchema = z.strictObject({
  email,
  password: z.string().max(256),
  /** Of the authenticator, or a recovery code; asked for with `code_needed`. */
  code: oneTimeCodeSchema.optional(),
});
/** `POST /api/databases/{db}/keys`. Grants are checked and brought to their canonical form; an absent list is empty and grants nothing. */
export const createKeyRequestSchema = z.strictObject({
  name: keyName,
  rest: grantList('rest').default([]),
  listen: grantList('listen').default([]),
  publish: grantList('publish').default([]),
  origins: z.array(originSchema).max(100).default([]),
  /** A moment to come; null or absent for never. */
  expiresAt: moment.nullable().optional(),
  /** Null or absent for any number. */
  rateLimit: rateLimit.nullable().optional(),
});
/** `PATCH /api/databases/{db}/keys/{id}`: a list that is given replaces the present one, what is absent stays. */
export const updateKeyRequestSchema = z.strictObject({
  name: keyName.optional(),
  rest: grantList('rest').optional(),
  listen: grantList('listen').optional(),
  publish: grantList('publish').optional(),
  origins: z.array(originSchema).max(100).optional(),
  expiresAt: moment.nullable().optional(),
  rateLimit: rateLimit.nullable().optional(),
  /** True switches the key off, false on again. */
  disabled: z.boolean().optional(),
});
/** How long the text before a rotation is taken as well, in seconds. */
export const keyOverlap = { fallbackSeconds: 24 * 60 * 60, mostSeconds: 30 * 24 * 60 * 60 } as const;
/** `POST /api/databases/{db}/keys/{id}/rotate`. 0: the text before is over at once. */
export const rotateKeyRequestSchema = z.strictObject({
  overlapSeconds: z.int().min(0).max(keyOverlap.mostSeconds).default(keyOverlap.fallbackSeconds),
});

export type CreateKeyRequest = z.infer<typeof createKeyRequestSchema>;
export type UpdateKeyRequest = z.infer<typeof updateKeyRequestSchema>;
export type RotateKeyRequest = z.infer<typeof rotateKeyRequestSchema>;

/** A person who may use the dashboard. */
export const adminSchema = z.object({ id: z.string(), email: z.string(), role: adminRoleSchema });
/** Who is signed in: the answer of `/api/session` and of a setup. */
export const sessionAnswerSchema = z.object({ admin: adminSchema });
/** `GET /api/setup`: `needed` is true while there is no admin. */
export const setupAnswerSchema = z.object({ needed: z.boolean() });
/** A database with its settings and the reach of its event log. */
export const databaseSchema = z.object({
  name: z.string(),
  settings: databaseSettingsSchema,
  /** Number of the newest event, 0 in an empty log. */
  head: z.number(),
  /** Number of the oldest event that is kept. */
  oldest: z.number(),
  /** What the log takes on disk with its indexes, about: counted once a minute. Null before the first time. */
  bytes: z.number().nullable(),
  createdAt: z.string(),
  /** While it is being deleted: since when, and how many documents and events of `total` (null before they are counted) are gone. Else null. */
  deletion: z.object({ since: z.string(), total: z.number().nullable(), deleted: z.number() }).nullable(),
});
/** How far a deletion is, in documents and events, as it is kept beside the database. */
export const deletionProgressSchema = z.object({ total: z.number(), deleted: z.number() });
const databaseName = z.string().regex(databaseNamePattern, `not the name of a database; allowed: ${databaseNameRule}`);
/** `POST /api/databases`. */
export const createDatabaseRequestSchema = z.strictObject({ name: databaseName });
/** `PATCH /api/databases/{db}`. */
export const renameDatabaseRequestSchema = z.strictObject({ name: databaseName });
/** `DELETE /api/databases/{db}`: its name, typed again. */
export const deleteDatabaseRequestSchema = z.strictObject({ confirm: z.string().max(100) });
/** A collection and the number of its documents. */
export const collectionSchema = z.object({ name: z.string(), documents: z.number(), createdAt: z.string() });
/** `PATCH /api/databases/{db}/collections/{c}`. */
export const renameCollectionRequestSchema = z.strictObject({
  name: z.string().regex(collectionNamePattern, `not the name of a collection; allowed: ${collectionNameRule}`),
});
/** Its answer: the number of the event, and what still names the collection as it was called before: grants of keys, grants and rules of roles, and fields of schemas. */
export const renamedCollectionSchema = z.object({
  name: z.string(),
  eventId: z.number(),
  keys: z.array(z.object({ id: z.string(), name: z.string() })),
  roles: z.array(z.object({ name: z.string(), grants: z.array(z.string()), hasRule: z.boolean() })),
  schemas: z.array(z.object({ collection: z.string(), fields: z.array(z.string()) })),
});
/**
 * A line of the answer to truncating or dropping a collection: how many documents were deleted, how many there were at the beginning, and the last event (null before the
 * first). The last line has `done`: false when it ended early, and then why.
 */
export const emptyingLineSchema = z.object({
  done: z.boolean().optional(),
  deleted: z.number(),
  total: z.number(),
  eventId: z.number().nullable(),
  problem: z.object({ code: z.string(), detail: z.string() }).loose().optional(),
});

/** A web key has origins, from which pages may use it; a server key has none, and no page of another origin may. */
export const keyKinds = ['web', 'server'] as const;
/** A key as lists show it, without its text. `revokedAt` is null unless it is revoked, `lastUsedAt` before its first use. */
export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  kind: z.enum(keyKinds),
  /** The first characters of the key; the rest is known to nobody but who was shown it. */
  prefix: z.string(),
  rest: z.array(z.string()),
  listen: z.array(z.string()),
  publish: z.array(z.string()),
  origins: z.array(z.string()),
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
  /** Since when it is switched off; null while it is on. */
  disabledAt: z.string().nullable(),
  /** When it is over by itself; null for never. */
  expiresAt: z.string().nullable(),
  /** Until when the text before the last rotation is taken as well; null when it is not. */
  previousUntil: z.string().nullable(),
  /** Requests in a minute; null for any number. */
  rateLimit: z.number().nullable(),
  lastUsedAt: z.string().nullable(),
  /** Streams and long polls that are open with it on all processes, as they said in the last seconds. */
  openStreams: z.number(),
});
/** Of making and of rotating: the only answers that show the key's text. */
export const createdKeySchema = apiKeySchema.extend({ key: z.string() });

/** An event as admins see it: in `GET /api/databases/{db}/events` and as `event: log` on its stream. */
export const adminEventSchema = z.object({
  id: z.number(),
  type: z.enum(eventTypes),
  collection: z.string().nullable(),
  documentId: z.string().nullable(),
  name: z.string().nullable(),
  /** publish: the data; post, put: the document after; delete: the document before; rename, drop: null. */
  data: z.unknown(),
  actor: z.string(),
  operationId: z.string(),
  at: z.string(),
});

/** Why an event is not shown to a key or a user; in the order in which it is asked. */
export const explainReasons = [
  'ended',
  'realtime_off',
  'no_grant',
  'rule',
  'collections',
  'events',
  'q',
  'before_connection',
] as const;
/** `GET /api/explain`. `reason` is null when the event is shown, and `seen` is it as it is shown then. */
export const explanationSchema = z.object({
  shown: z.boolean(),
  reason: z.enum(explainReasons).nullable(),
  /** A sentence for people. */
  detail: z.string(),
  event: adminEventSchema,
  seen: adminEventSchema.nullable(),
});

/** The body of every list: `{data: [item, …]}`. */
export function listOf<T extends z.ZodType>(item: T) {
  return z.object({ data: z.array(item) });
}
/** A page of documents with their metafields; `total` counts the whole collection, `count` this page. */
export const documentsAnswerSchema = z.object({
  data: z.array(z.record(z.string(), z.unknown())),
  totals: z.object({ total: z.number(), count: z.number(), skip: z.number(), max: z.number() }),
});

export type AdminAnswer = z.infer<typeof adminSchema>;
export type DatabaseAnswer = z.infer<typeof databaseSchema>;
export type CollectionAnswer = z.infer<typeof collectionSchema>;
export type RenamedCollectionAnswer = z.infer<typeof renamedCollectionSchema>;
export type EmptyingLine = z.infer<typeof emptyingLineSchema>;
export type ApiKeyAnswer = z.infer<typeof apiKeySchema>;
/** Where a key stands: in this order, the first that is true. */
export type KeyState = 'revoked' | 'expired' | 'disabled' | 'good';

/** `now`: milliseconds since the epoch. */
export function keyStateOf(
  { revokedAt, expiresAt, disabledAt }: Pick<ApiKeyAnswer, 'revokedAt' | 'expiresAt' | 'disabledAt'>,
  now: number,
): KeyState {
  if (revokedAt !== null) return 'revoked';
  if (expiresAt !== null && Date.parse(expiresAt) <= now) return 'expired';
  return disabledAt === null ? 'good' : 'disabled';
}
export type CreatedKeyAnswer = z.infer<typeof createdKeySchema>;
export type AdminEvent = z.infer<typeof adminEventSchema>;
export type DocumentsAnswer = z.infer<typeof documentsAnswerSchema>;
