/**
 * What happens to a collection as a whole: it gets another name, is emptied, or ends. Whether the caller may do it has been decided before.
 *
 * Emptying goes in steps. Each is one transaction, between two steps the other writers of the database have their turn, and what a step has deleted stays deleted: neither
 * emptying nor dropping is atomic as a whole. When either is broken off, the collection is there with what was not yet deleted, and it can be called again.
 */
import { auditStatement, type Doer, systemDoer } from '@tidewire/access/audit-log';
import {
  CollectionTooLargeError,
  type CollectionWrites,
  dropLimitDocuments,
} from '@tidewire/change-log/collection-writes';
import type {
  CarriedOut,
  DocumentWrites,
  Selection,
  SelectionSql,
  WriteScope,
} from '@tidewire/change-log/document-writes';
import type { SqlPool } from '@tidewire/db/sql-pool';
import type { JsonObject } from '@tidewire/protocol/json';
import { collectionNamePattern, collectionNameRule } from '@tidewire/protocol/names';
import { invalid, Problem } from '@tidewire/protocol/problem';

/** The collection, and who does it; `doer` for the audit log, the server itself unless given. */
export type LifeTarget = { collection: string; scope: WriteScope; doer?: Doer };

/** How far it is: documents deleted, of `total` at the beginning (others may have come or gone since), and the number of the last event; null before the first. */
export type EmptyingProgress = { deleted: number; total: number; eventId: number | null };

export interface CollectionLife {
  /** Gives the number of the event. Throws `not_found`, `validation_failed` for what is no name, `conflict` for one that is taken. */
  rename(target: LifeTarget, name: string): Promise<number>;
  /**
   * Deletes every document that is there now, each with its event, and none that comes later. Yields before the first step and after each; the last one is the outcome.
   * Throws `not_found` before it begins, and `conflict` when the collection is renamed or dropped meanwhile.
   */
  truncate(target: LifeTarget): AsyncGenerator<EmptyingProgress, void>;
  /** The same for every document, until few are left: those go with the collection in one last transaction. */
  drop(target: LifeTarget): AsyncGenerator<EmptyingProgress, void>;
}

/** Most documents of a step. */
export const stepLimitDocuments = 5_000;
/** A step takes no further document when it has this many characters. */
const stepLimitChars = 4 * 1024 * 1024;
/** The first step has so few documents, and none has fewer; the next ones as many as take this long, for so long all other writers of the database wait. */
const fewestStepDocuments = 1_000;
const stepAimMs = 250;
/** The longest pause between two steps. */
const pauseLimitMs = 100;
/** So few documents may be left for the last transaction of a drop. */
const fewDocuments = 1_000;
/** So often a collection may be found to have grown beyond the last transaction. */
const dropAttempts = 100;

/** One statement, so one snapshot: the documents that are there at the head. By the unique index (database_id, name) and the primary key of documents. */
const selectBeginning = {
  name: 'collection-life-begin',
  text: `SELECT c.id, h.head, (SELECT count(*) FROM documents d WHERE d.collection_id = c.id) AS total
    FROM collections c JOIN log_heads h ON h.database_id = c.database_id WHERE c.database_id = $1 AND c.name = $2`,
};

const selectOldest = {
  name: 'collection-life-oldest',
  text: 'SELECT oldest FROM log_heads WHERE database_id = $1',
};

/** Documents behind the id `after`: those that were there at `head`, or all (null). */
type StepPlace = { databaseId: number; head: number | null; after: string; count: number };

/** Of the next step; changes with how long the last one took. `isHurried`: it is faster than the writers, or it never comes to an end. */
type StepSize = { count: number; isHurried: boolean };

type Beginning = { id: number; head: number; total: number };

export type CollectionLifeDeps = {
  pool: SqlPool;
  documents: Pick<DocumentWrites, 'deleteMany'>;
  collections: CollectionWrites;
  /** Milliseconds; only differences count. */
  now?: () => number;
  /** Resolves after so many milliseconds: after each step, the other writers have the database for a while. */
  pause?: (ms: number) => Promise<void>;
};

export function createCollectionLife(deps: CollectionLifeDeps): CollectionLife {
  const { pool, documents, collections, now = () => performance.now(), pause = delay } = deps;

  async function begin({ collection, scope }: LifeTarget): Promise<Beginning> {
    const { rows } = await pool.query<Beginning>({ ...selectBeginning, values: [scope.databaseId, collection] });
    if (rows[0] === undefined) throw noSuchCollection(collection);
    return rows[0];
  }

  /** Deletes the first of the documents that are meant; with an empty outcome when there are none. Then it is the others' turn. */
  async function deleteStep(
    { collection, scope }: LifeTarget,
    id: number,
    place: Omit<StepPlace, 'databaseId' | 'count'>,
    size: StepSize,
  ): Promise<CarriedOut> {
    let isThere = false;
    const condition: Selection['condition'] = (collectionId) => {
      isThere = collectionId === id;
      if (!isThere) return { text: 'false', values: [collectionId] };
      return stepCondition(id, { ...place, databaseId: scope.databaseId, count: size.count });
    };
    const began = now();
    const outcome = await documents.deleteMany({ scope, collection, where: { condition, limit: stepLimitDocuments } });
    if (!isThere || outcome.status === 'missing') throw goneMeanwhile(collection);
    if (outcome.documents.length > 0) {
      const took = now() - began;
      if (size.isHurried) size.count = stepLimitDocuments;
      else {
        size.count = nextCount(size.count, took);
        await pause(Math.min(took, pauseLimitMs));
      }
    }
    return outcome;
  }

  /** Whether the log could tell until the end what came after `head`. */
  async function checkLog(databaseId: number, head: number): Promise<void> {
    const { rows } = await pool.query<{ oldest: number }>({ ...selectOldest, values: [databaseId] });
    if ((rows[0]?.oldest ?? 1) <= head + 1) return;
    throw new Problem('conflict', 'The log no longer reaches back to where this began. Truncate again to go on.');
  }

  /** Behind the lane's own transaction, in which the event of the change stands. */
  async function note(
    { collection, scope, doer = systemDoer }: LifeTarget,
    action: string,
    after: JsonObject | null,
  ): Promise<void> {
    const change = { action, database: scope.databaseId, subject: collection, before: { name: collection }, after };
    await pool.query(auditStatement(doer, change));
  }

  /** What was deleted is noted however it ended; of nothing at all there is no entry. */
  async function* noted(
    target: LifeTarget,
    action: string,
    steps: AsyncGenerator<EmptyingProgress, void>,
  ): AsyncGenerator<EmptyingProgress, void> {
    let last: EmptyingProgress | null = null;
    let isDone = false;
    try {
      for await (const step of steps) {
        last = step;
        yield step;
      }
      isDone = true;
    } finally {
      if (last !== null && (isDone || last.deleted > 0)) await note(target, action, { ...last, isDone });
    }
  }

  return {
    async rename(target, name) {
      const { collection, scope } = target;
      if (!collectionNamePattern.test(name))
        throw invalid('/name', 'this cannot be the name of a collection', collectionNameRule);
      const outcome = await collections.rename({ scope, where: { name: collection }, data: { name } });
      if (outcome.status === 'missing' || outcome.eventId === null) throw noSuchCollection(collection);
      await note(target, 'collection.rename', { name });
      return outcome.eventId;
    },
    truncate: (target) => noted(target, 'collection.truncate', truncate(target)),
    drop: (target) => noted(target, 'collection.drop', drop(target)),
  };

  async function* truncate(target: LifeTarget): AsyncGenerator<EmptyingProgress, void> {
    const { id, head, total } = await begin(target);
    const progress: EmptyingProgress = { deleted: 0, total, eventId: null };
    yield { ...progress };
    const size: StepSize = { count: fewestStepDocuments, isHurried: false };
    for (let after = ''; ; ) {
      const step = await deleteStep(target, id, { head, after }, size);
      const last = step.documents.at(-1);
      if (last === undefined) {
        await checkLog(target.scope.databaseId, head);
        return;
      }
      after = last.id;
      advance(progress, step);
      yield { ...progress };
    }
  }

  async function* drop(target: LifeTarget): AsyncGenerator<EmptyingProgress, void> {
    const { collection, scope } = target;
    const { id, total } = await begin(target);
    const progress: EmptyingProgress = { deleted: 0, total, eventId: null };
    yield { ...progress };
    const size: StepSize = { count: fewestStepDocuments, isHurried: false };
    let after = '';
    for (let attempts = 0; attempts < dropAttempts; ) {
      if (total - progress.deleted <= fewDocuments || attempts > 0) {
        attempts += 1;
        const end = await dropIfSmall(collections, { scope, where: { name: collection, id } });
        if (end !== null) {
          advance(progress, end);
          yield { ...progress };
          return;
        }
        size.isHurried = true;
      }
      const step = await deleteStep(target, id, { head: null, after }, size);
      // From here on only what came before this id is left, or nothing.
      after = step.documents.at(-1)?.id ?? '';
      if (after === '' && attempts === 0) attempts = 1;
      advance(progress, step);
      yield { ...progress };
    }
    throw grownMeanwhile(collection);
  }
}

/** At most twice as many, for the next ones may be larger. */
function nextCount(count: number, took: number): number {
  const wanted = Math.floor((count * stepAimMs) / Math.max(took, 1));
  return Math.max(fewestStepDocuments, Math.min(stepLimitDocuments, count * 2, wanted));
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function advance(progress: EmptyingProgress, { documents, eventId }: CarriedOut): void {
  progress.deleted += documents.length;
  progress.eventId = eventId ?? progress.eventId;
}

/** Null when the collection has more documents than its last transaction takes. */
async function dropIfSmall(
  collections: CollectionWrites,
  args: Parameters<CollectionWrites['drop']>[0],
): Promise<CarriedOut | null> {
  try {
    const outcome = await collections.drop(args);
    if (outcome.status === 'missing') throw goneMeanwhile(args.where.name);
    return outcome;
  } catch (error) {
    if (error instanceof CollectionTooLargeError) return null;
    throw error;
  }
}

/**
 * The first documents in the order of `_id`, along the primary key. A document came after `head` when the log has its `post` behind it, by the index
 * (collection_id, document_id, id); when the log has lost what came right behind `head`, that cannot be known, and no document is meant.
 */
function stepCondition(collectionId: number, { databaseId, head, after, count }: StepPlace): ReturnType<SelectionSql> {
  const values: unknown[] = [collectionId, after, count, stepLimitChars];
  if (head !== null) values.push(head, databaseId);
  const wasThere = `AND NOT EXISTS (SELECT FROM events e
        WHERE e.collection_id = $1 AND e.document_id = b.id AND e.id > $5 AND e.type = 'post')
      AND (SELECT oldest FROM log_heads WHERE database_id = $6) <= $5::bigint + 1`;
  const text = `d.id = ANY(ARRAY(SELECT p.id FROM (
      SELECT s.id, coalesce(sum(s.size) OVER (ORDER BY s.id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS size_before
      FROM (SELECT b.id, length(b.body::text) AS size FROM documents b
        WHERE b.collection_id = $1 AND b.id > $2 ${head === null ? '' : wasThere} ORDER BY b.id LIMIT $3) AS s
    ) AS p WHERE p.size_before < $4))`;
  return { text, values };
}

function noSuchCollection(collection: string): Problem {
  return new Problem('not_found', `There is no collection ${collection}.`);
}

function goneMeanwhile(collection: string): Problem {
  return new Problem(
    'conflict',
    `The collection ${collection} was renamed or dropped meanwhile, so nothing more was deleted.`,
  );
}

function grownMeanwhile(collection: string): Problem {
  return new Problem(
    'conflict',
    `Documents are written to ${collection} faster than they are deleted (at the end at most ${dropLimitDocuments} may be left). Take the writers away, and drop it again.`,
  );
}
