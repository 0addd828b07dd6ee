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
};

/**
 * Outcome of a write that was carried out or that found nothing to change; both are committed facts.
 * `eventId` is the number of the operation's last event (the `X-Event-Id` of the answer); null when nothing was written.
 */
export type WriteOutcome =
  | { status: 'written'; eventId: number | null; documents: StoredDocument[] }
  | { status: 'missing'; id: string };

export type CreateArgs = { scope: WriteScope; collection: string; data: JsonObject };
/** Atomic: all documents are created, in order, or none. */
export type CreateManyArgs = {
  scope: WriteScope;
  collection: string;
  /** `id` keeps a known id (imports); a taken one is refused with `conflict`. */
  data: { id?: string; body: JsonObject }[];
};
/**
 * `data` computes the new fields from the present ones, inside the lane, so no other write comes between; it may throw a
 * Problem to refuse the write. It is pure and fast: the lane waits for it, and may call it again when a commit is retried.
 */
export type UpdateArgs = {
  scope: WriteScope;
  collection: string;
  where: { id: string };
  data: (before: JsonObject, stored: StoredDocument) => JsonObject;
};
export type DeleteArgs = { scope: WriteScope; collection: string; where: { id: string } };
/** Atomic. Ids that do not exist are passed over; `documents` of the outcome holds those that were deleted. */
export type DeleteManyArgs = { scope: WriteScope; collection: string; where: { ids: string[] } };
/** A custom event: durable, in the same log and the same numbering. */
export type PublishArgs = { scope: WriteScope; name: string; data: JsonValue };

/**
 * The write methods that the extended Prisma client has on `document` and `event`. All answers come after the commit.
 * Rejections: a `Problem` (`validation_failed`, `conflict`, `not_found` for an unknown collection that may not be created,
 * `unavailable` when nothing was stored, `outcome_unknown` when that could not be found out in time).
 */
export interface DocumentWrites {
  create(args: CreateArgs): Promise<WriteOutcome>;
  createMany(args: CreateManyArgs): Promise<WriteOutcome>;
  update(args: UpdateArgs): Promise<WriteOutcome>;
  delete(args: DeleteArgs): Promise<WriteOutcome>;
  deleteMany(args: DeleteManyArgs): Promise<WriteOutcome>;
}
export interface EventWrites {
  create(args: PublishArgs): Promise<WriteOutcome>;
}
