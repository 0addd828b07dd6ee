/**
 * The only door for writes of documents and custom events: an extension of the Prisma client that carries `create`, `createMany`,
 * `update`, `updateMany`, `delete` and `deleteMany` of `document`, `create` of `event`, and `rename` and `drop` of `collection`, to the commit lane of
 * their database. Every other write method of the models throws (but a collection may be created), and so does any of them inside `prisma.$transaction`: a commit of the lane is its own transaction
 * and cannot be part of another.
 */
import { randomUUID } from 'node:crypto';
import type { AdminClient } from '@tidewire/db/client';
import { Prisma } from '@tidewire/db/generated/client';
import type { CollectionWrites, DropArgs, RenameArgs } from './collection-writes.js';
import { createDocumentIds } from './document-id.js';
import type {
  CreateArgs,
  CreateManyArgs,
  DeleteArgs,
  DeleteManyArgs,
  DocumentWrites,
  EventWrites,
  Idempotency,
  PublishArgs,
  Requirement,
  UpdateArgs,
  UpdateManyArgs,
  WriteOutcome,
  WriteScope,
} from './document-writes.js';
import type { LaneOperation, LaneOutcome, LaneStep } from './lane-plan.js';

/** A write that was tried in a way that would have no event, or no place in the order of events. */
export class UncapturedWriteError extends Error {
  override readonly name = 'UncapturedWriteError';
}

/** Where the extension hands operations to; see `commit-lanes.ts`. */
export type Submit = (databaseId: number, operation: LaneOperation) => Promise<LaneOutcome>;

/** The client that the service uses: reads and admin tables as Prisma has them, writes of documents and events through the lane. */
export type CapturingClient = ReturnType<typeof captureWrites>;

/** What writes have in common. */
type Asked = { scope: WriteScope; idempotency?: Idempotency | undefined; requires?: Requirement | undefined };

export function captureWrites(prisma: AdminClient, submit: Submit) {
  const newId = createDocumentIds();

  function write(
    context: unknown,
    method: string,
    { scope, idempotency, requires }: Asked,
    stepsOf: () => LaneStep[],
  ): Promise<WriteOutcome> {
    return new LazyWrite(() => {
      refuseInTransaction(context, method);
      const steps: LaneStep[] = requires === undefined ? stepsOf() : [{ kind: 'require', ...requires }, ...stepsOf()];
      const operation = { operationId: randomUUID(), author: scope.author, steps, idempotency };
      return submit(scope.databaseId, operation).then(accept);
    });
  }

  const document: DocumentWrites = {
    create(args: CreateArgs) {
      const { collection, data, isValidated, admit } = args;
      return write(this, 'document.create', args, () => [
        { kind: 'create', collection, id: newId(), isNew: true, body: JSON.stringify(data), isValidated, admit },
      ]);
    },
    createMany(args: CreateManyArgs) {
      const { collection, data, isValidated } = args;
      return write(this, 'document.createMany', args, () =>
        data.map(({ id, body, at, admit }) => ({
          kind: 'create',
          collection,
          id: id ?? newId(),
          isNew: id === undefined,
          body: JSON.stringify(body),
          isValidated,
          at,
          admit,
        })),
      );
    },
    update(args: UpdateArgs) {
      const { collection, where, data, isReplaced, admit } = args;
      return write(this, 'document.update', args, () => [
        { kind: 'update', collection, id: where.id, change: data, isReplaced, admit },
      ]);
    },
    updateMany(args: UpdateManyArgs) {
      const { collection, where, data, admit } = args;
      return write(this, 'document.updateMany', args, () => [
        { kind: 'select', collection, selection: where, effect: { kind: 'update', change: data, admit } },
      ]);
    },
    delete(args: DeleteArgs) {
      const { collection, where, check } = args;
      return write(this, 'document.delete', args, () => [
        { kind: 'delete', collection, id: where.id, ifMissing: 'report', check },
      ]);
    },
    deleteMany(args: DeleteManyArgs) {
      const { collection, where } = args;
      return write(this, 'document.deleteMany', args, () =>
        'ids' in where
          ? [...new Set(where.ids)].map((id) => ({
              kind: 'delete',
              collection,
              id,
              ifMissing: 'pass over',
              isFor: where.isFor,
            }))
          : [{ kind: 'select', collection, selection: where, effect: { kind: 'delete' } }],
      );
    },
  };
  const event: EventWrites = {
    create(args: PublishArgs) {
      const { name, data } = args;
      return write(this, 'event.create', args, () => [{ kind: 'publish', name, data: JSON.stringify(data) }]);
    },
  };

  const collection: CollectionWrites = {
    rename(args: RenameArgs) {
      const { where, data } = args;
      return write(this, 'collection.rename', args, () => [
        { kind: 'rename', collection: where.name, name: data.name },
      ]);
    },
    drop(args: DropArgs) {
      const { name, id } = args.where;
      return write(this, 'collection.drop', args, () => [{ kind: 'drop', collection: name, collectionId: id }]);
    },
  };

  return prisma.$extends({
    name: 'tidewire-capture',
    model: {
      document: {
        ...document,
        ...refusing('document', ['upsert', 'createManyAndReturn', 'updateManyAndReturn']),
      },
      collection: {
        ...collection,
        ...refusing('collection', ['update', 'updateMany', 'updateManyAndReturn', 'upsert', 'delete', 'deleteMany']),
      },
      event: {
        ...event,
        ...refusing('event', [
          'createMany',
          'createManyAndReturn',
          'update',
          'updateMany',
          'updateManyAndReturn',
          'upsert',
          'delete',
          'deleteMany',
        ]),
      },
    },
  });
}

function refusing<M extends string>(model: string, methods: readonly M[]): Record<M, () => never> {
  const refusals = methods.map((method) => [
    method,
    () => {
      throw new UncapturedWriteError(
        `prisma.${model}.${method} is not carried by the commit lane and would have no event. Use ${alternatives(model)}.`,
      );
    },
  ]);
  return Object.fromEntries(refusals) as Record<M, () => never>;
}

function alternatives(model: string): string {
  if (model === 'event') return 'event.create';
  if (model === 'collection') return 'rename or drop';
  return 'create, createMany, update, updateMany, delete or deleteMany';
}

/** The client that Prisma hands to an interactive transaction has no `$connect` (its `ITXClientDenyList`). */
function isTransactionClient(client: object): boolean {
  return !('$connect' in client);
}

function refuseInTransaction(context: unknown, method: string): void {
  const { $parent } = Prisma.getExtensionContext(context) as { $parent?: object };
  if ($parent === undefined || !isTransactionClient($parent)) return;
  throw new UncapturedWriteError(
    `prisma.${method} inside prisma.$transaction: the write would be committed although the transaction may roll back. ` +
      'Call it outside; createMany, updateMany and deleteMany are atomic by themselves.',
  );
}

function accept(outcome: LaneOutcome): WriteOutcome {
  if (outcome.status === 'refused') throw outcome.error;
  return outcome;
}

/**
 * A promise that begins its work when it is first waited for, as Prisma's own are; but none of Prisma's, so that an array of them given
 * to `$transaction` is refused by Prisma before anything was sent.
 */
class LazyWrite implements Promise<WriteOutcome> {
  readonly [Symbol.toStringTag] = 'TidewireWrite';
  readonly #begin: () => Promise<WriteOutcome>;
  #begun: Promise<WriteOutcome> | undefined;

  constructor(begin: () => Promise<WriteOutcome>) {
    this.#begin = begin;
  }

  #promise(): Promise<WriteOutcome> {
    this.#begun ??= begin(this.#begin);
    return this.#begun;
  }

  // biome-ignore lint/suspicious/noThenProperty: being a thenable is what this class is for.
  then<A = WriteOutcome, B = never>(
    onFulfilled?: ((outcome: WriteOutcome) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#promise().then(onFulfilled, onRejected);
  }

  catch<B = never>(onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null): Promise<WriteOutcome | B> {
    return this.#promise().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<WriteOutcome> {
    return this.#promise().finally(onFinally);
  }
}

/** What is thrown at the beginning is a rejection, too. */
function begin(work: () => Promise<WriteOutcome>): Promise<WriteOutcome> {
  try {
    return work();
  } catch (error) {
    return Promise.reject(error);
  }
}
