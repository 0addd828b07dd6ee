/**
 * What can be written to a database, and what comes of it. These are the arguments and answers of the Prisma extension
 * (`capture-extension.ts`) and of the commit lane behind it.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** Who writes: `actor` goes into the event (`key:<id>`, `admin:<id>`, `user:<subject>`, `system`), `by` into `_createdby`/`_changedby`. */
export type Author = { actor: string; by: string };

/** The database that is written to, and who writes. */
export type WriteScope = { databaseId: number; author: Author };

/** A document as stored. `body` is the JSON text of its own fields, without metafields; times are ISO 8601 with milliseconds, UTC. */
export type StoredDocument = {
  id: string;
  body: string;
  version: number;
  createdAt: string;
  changedAt: string;
  createdBy: string;
  changedBy: string;
  /** The value of `body` where the lane has it at hand; nobody changes it. */
  fields?: JsonObject;
};

/**
 * A write that was carried out. `eventId` is the number of the operation's last event; null when there was nothing to write. `answer` stands here when the write
 * has an idempotency key: what is stored with it, now or at an earlier try (`documents` is empty then).
 */
export type CarriedOut = {
  status: 'written';
  eventId: number | null;
  documents: StoredDocument[];
  answer?: WriteAnswer | undefined;
};

/** Outcome of a write that was carried out or that found nothing to change; both are committed facts. */
export type WriteOutcome = CarriedOut | { status: 'missing'; id: string };

/** What a client is told of a write. `documentId` and `etag` are those of the one document that it made or changed; null for several. */
export type WriteAnswer = {
  /** HTTP status. */
  status: number;
  /** JSON text. */
  text: string;
  eventId: number | null;
  etag: string | null;
  documentId: string | null;
};

/**
 * Makes a write happen once, however often it is sent: its answer is stored with it, in the same transaction, and is given again to whoever
 * sends the same `key` within 24 hours. Keys of different actors and databases are different.
 */
export type Idempotency = {
  key: string;
  /** A digest of the request; the same key with another one is refused with `idempotency_mismatch`. */
  fingerprint: string;
  /** The answer for the outcome; pure, it is called under the lane's lock. */
  answer: (outcome: CarriedOut) => WriteAnswer;
};

/**
 * A document that must be there when the write is carried out, looked at under the lane's lock; `refuse` makes the Problem when it is not. `isFor`: whether it is there for this
 * caller; it is unless given.
 */
export type Requirement = { collection: string; id: string; refuse: () => Error; isFor?: IsFor | undefined };

/** Whether the document is there for the caller; pure. What is not there for the caller is as missing as what nobody has. */
export type IsFor = (stored: StoredDocument) => boolean;

/** Sees the document as it is about to be stored, under the lane's lock, and throws a Problem to refuse the write. Pure. */
export type Admit = (after: StoredDocument) => void;

/** What every write may carry. */
type WriteArgs = { scope: WriteScope; idempotency?: Idempotency | undefined };
/** What writes of named documents may carry. */
type RequiringArgs = WriteArgs & { requires?: Requirement | undefined };

/** `isValidated` false: the collection's schema is not asked; all else that it makes of a document is made. True unless given. */
export type CreateArgs = RequiringArgs & {
  collection: string;
  data: JsonObject;
  isValidated?: boolean | undefined;
  admit?: Admit | undefined;
};
/** Atomic: all documents are created, in order, or none. */
export type CreateManyArgs = RequiringArgs & {
  collection: string;
  /** `id` keeps a known id (imports); a taken one is refused with `conflict`. `at` is the JSON Pointer of the document in what the client sent. */
  data: { id?: string; body: JsonObject; at?: string; admit?: Admit | undefined }[];
  isValidated?: boolean | undefined;
};
/**
 * `data` computes the new fields from the present ones, inside the lane, so no other write comes between; it may throw a
 * Problem to refuse the write. It is pure and fast: the lane waits for it, and may call it again when a commit is retried.
 */
export type UpdateArgs = RequiringArgs & {
  collection: string;
  where: { id: string };
  data: DocumentUpdate;
  /** Nothing of the present document is meant to stay: the collection's defaults are filled in, as for a new one. */
  isReplaced?: boolean | undefined;
  admit?: Admit | undefined;
};
/** `check` sees the document under the lock, and throws a Problem to refuse. */
export type DeleteArgs = RequiringArgs & {
  collection: string;
  where: { id: string };
  check?: ((stored: StoredDocument) => void) | undefined;
};
/** Atomic. Every document that meets the condition is changed, in the order of their ids, or none. */
export type UpdateManyArgs = WriteArgs & {
  collection: string;
  where: Selection;
  data: DocumentUpdate;
  admit?: Admit | undefined;
};
/** Atomic. Ids that do not exist, or not for the caller, are passed over; `documents` of the outcome holds those that were deleted. */
export type DeleteManyArgs = WriteArgs & {
  collection: string;
  where: { ids: string[]; isFor?: IsFor | undefined } | Selection;
};
/** A custom event: durable, in the same log and the same numbering. */
export type PublishArgs = WriteArgs & { name: string; data: JsonValue };

/** The new fields of a document, from the present ones. */
export type DocumentUpdate = (before: JsonObject, stored: StoredDocument) => JsonObject;

/**
 * Which documents of the collection are meant, decided under the lane's lock. `condition` is a boolean expression in SQL on the table `documents`
 * with the alias `d`; its parameters are `values`, and the first of them must be the collection's id. More than `limit` are refused with
 * `validation_failed`, a condition that takes longer than 5 seconds with `query_too_slow`.
 */
export type Selection = { condition: SelectionSql; limit: number };
export type SelectionSql = (collectionId: number) => { text: string; values: readonly unknown[] };

/**
 * The write methods that the extended Prisma client has on `document` and `event`. All answers come after the commit.
 * Rejections: a `Problem` (`validation_failed`, `conflict`, `idempotency_mismatch`, `not_found` for an unknown collection that may not be created,
 * `unavailable` when nothing was stored, `outcome_unknown` when that could not be found out in time).
 */
export interface DocumentWrites {
  create(args: CreateArgs): Promise<WriteOutcome>;
  createMany(args: CreateManyArgs): Promise<WriteOutcome>;
  update(args: UpdateArgs): Promise<WriteOutcome>;
  updateMany(args: UpdateManyArgs): Promise<WriteOutcome>;
  delete(args: DeleteArgs): Promise<WriteOutcome>;
  deleteMany(args: DeleteManyArgs): Promise<WriteOutcome>;
}
export interface EventWrites {
  create(args: PublishArgs): Promise<WriteOutcome>;
}
