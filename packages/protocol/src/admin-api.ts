/** The admin API's requests and answers: the dashboard and the server parse with these same schemas. Times are ISO 8601 in UTC. */
import { z } from 'zod';
import { eventTypes, type GrantKind, grantRules, parseGrant } from './channel.js';
import { collectionNamePattern, collectionNameRule } from './names.js';
import { databaseSettingsSchema } from './settings.js';

function grantList(kind: GrantKind) {
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

const originRule = '* or an origin, as in https://app.example';
const origin = z
  .string()
  .max(255)
  .refine((text) => text === '*' || isOrigin(text), { message: `not an origin; allowed: ${originRule}` });

/** True for a serialised http(s) origin (RFC 6454, section 6): scheme, host, optional port, nothing behind. */
function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return (url.protocol === 'http:' || url.protocol === 'https:') && url.origin === text;
}

const keyName = z.string().trim().min(1).max(100);
const email = z
  .email()
  .max(254)
  .transform((text) => text.toLowerCase());
/** NIST SP 800-63B: at least 8; ours is 10. The upper bound keeps hashing cheap. */
const newPassword = z.string().min(10).max(256);

/** `POST /api/setup`: makes the first admin. The token is that of the setup link; the address is kept in lower case. */
export const setupRequestSchema = z.strictObject({ token: z.string().max(200), email, password: newPassword });
/** `POST /api/session`. The password has no lower bound here: a wrong one is refused as wrong, whatever its length. */
export const signInRequestSchema = z.strictObject({ email, password: z.string().max(256) });
/** `POST /api/databases/{db}/keys`. Grants are checked and brought to their canonical form; an absent list is empty and grants nothing. */
export const createKeyRequestSchema = z.strictObject({
  name: keyName,
  rest: grantList('rest').default([]),
  listen: grantList('listen').default([]),
  publish: grantList('publish').default([]),
  origins: z.array(origin).max(100).default([]),
});
/** `PATCH /api/databases/{db}/keys/{id}`: a list that is given replaces the present one, one that is absent stays. */
export const updateKeyRequestSchema = z.strictObject({
  name: keyName.optional(),
  rest: grantList('rest').optional(),
  listen: grantList('listen').optional(),
  publish: grantList('publish').optional(),
  origins: z.array(origin).max(100).optional(),
});

export type CreateKeyRequest = z.infer<typeof createKeyRequestSchema>;
export type UpdateKeyRequest = z.infer<typeof updateKeyRequestSchema>;

/** A person who may use the dashboard. */
export const adminSchema = z.object({ id: z.string(), email: z.string() });
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
});
/** A collection and the number of its documents. */
export const collectionSchema = z.object({ name: z.string(), documents: z.number(), createdAt: z.string() });
/** `PATCH /api/databases/{db}/collections/{c}`. */
export const renameCollectionRequestSchema = z.strictObject({
  name: z.string().regex(collectionNamePattern, `not the name of a collection; allowed: ${collectionNameRule}`),
});
/** Its answer: the number of the event, and what still names the collection as it was called before: grants of keys, and fields of schemas. */
export const renamedCollectionSchema = z.object({
  name: z.string(),
  eventId: z.number(),
  keys: z.array(z.object({ id: z.string(), name: z.string() })),
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

/** A key as lists show it, without its text. `revokedAt` is null while it is good, `lastUsedAt` before its first use. */
export const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** The first characters of the key; the rest is known to nobody but who was shown it. */
  prefix: z.string(),
  rest: z.array(z.string()),
  listen: z.array(z.string()),
  publish: z.array(z.string()),
  origins: z.array(z.string()),
  createdAt: z.string(),
  revokedAt: z.string().nullable(),
  lastUsedAt: z.string().nullable(),
});
/** The one answer that shows the key's text. */
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
export type CreatedKeyAnswer = z.infer<typeof createdKeySchema>;
export type AdminEvent = z.infer<typeof adminEventSchema>;
export type DocumentsAnswer = z.infer<typeof documentsAnswerSchema>;
