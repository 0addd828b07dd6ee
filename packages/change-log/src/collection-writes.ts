/** What can be done to a collection as a whole: arguments and answers of the Prisma extension (`capture-extension.ts`) and of the commit lane behind it. */
import { Problem } from '@tidewire/protocol/problem';
import type { WriteOutcome, WriteScope } from './document-writes.js';

/** Documents stay as they are, with their `_id`s; their events keep the name that the collection had. */
export type RenameArgs = { scope: WriteScope; where: { name: string }; data: { name: string } };
/** With `id`, only as long as the name still belongs to that collection. */
export type DropArgs = { scope: WriteScope; where: { name: string; id?: number | undefined } };

/**
 * The write methods that the extended Prisma client has on `collection`. All answers come after the commit; `missing` when there is no such
 * collection. Each raises the configuration version in its transaction. Rejections are those of `DocumentWrites`, and besides:
 * `rename`: a Problem `conflict` when the name is taken. `drop`: `CollectionTooLargeError`.
 */
export interface CollectionWrites {
  /** One event, `rename`. */
  rename(args: RenameArgs): Promise<WriteOutcome>;
  /** Deletes the documents that are left, at most `dropLimitDocuments` of `operationLimitChars`, each with its event, and the collection with the event `drop`. */
  drop(args: DropArgs): Promise<WriteOutcome>;
}

/** Most documents that a collection may have when it is dropped. */
export const dropLimitDocuments = 10_000;

/** The collection has more documents than can be deleted in the transaction of its end: empty it first. */
export class CollectionTooLargeError extends Problem {
  constructor(name: string) {
    super('conflict', `The collection ${name} has too many documents to be dropped at once. Truncate it first.`);
  }
}
