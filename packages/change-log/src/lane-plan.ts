/**
 * What a batch of operations does to the documents and to the log: pure, so that it can be computed again when a commit is retried.
 *
 * Invariants (the tests cite the numbers):
 * 1. Event ids are `base + 1 …` without a hole, in the order of the operations and of the steps in them.
 * 2. An operation is all or nothing: a step that refuses leaves no trace of the steps before it, and takes no id.
 * 3. A refused operation does not harm its neighbours.
 * 4. Operations on one document see each other's effects in order.
 * 5. Of the operations with one idempotency key, in this batch or before, one is carried out; the others get its answer, or are refused
 *    when they ask for something else. A refused or empty-handed operation leaves its key free.
 */

import type { JsonObject } from '@tidewire/protocol/json';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { wholeDocument } from './document-text.js';
import type {
  Author,
  DocumentUpdate,
  Idempotency,
  Selection,
  StoredDocument,
  WriteAnswer,
  WriteOutcome,
} from './document-writes.js';
import type { LogEvent } from './log-event.js';

/** A step whose documents are named. */
export type PlainStep =
  /** `isNew`: the id was made here and cannot be taken, so nobody has to look. */
  | { kind: 'create'; collection: string; id: string; isNew: boolean; body: string }
  | { kind: 'update'; collection: string; id: string; change: DocumentUpdate }
  | {
      kind: 'delete';
      collection: string;
      id: string;
      ifMissing: 'report' | 'pass over';
      check?: ((stored: StoredDocument) => void) | undefined;
    }
  | { kind: 'publish'; name: string; data: string };

/**
 * A step on the documents that meet a condition. The lane reads them under the lock and puts a plain step for each in its place. It reads the
 * table, not the overlay of a batch, so an operation with such a step has a batch of its own, and no other step.
 */
export type SelectStep = {
  kind: 'select';
  collection: string;
  selection: Selection;
  effect: { kind: 'update'; change: DocumentUpdate } | { kind: 'delete' };
};

export type LaneStep = PlainStep | SelectStep;

/** An operation as it is submitted, or (`PlannedOperation`) with its selections carried out. */
export type LaneOperation<Step = LaneStep> = {
  operationId: string;
  author: Author;
  steps: readonly Step[];
  idempotency?: Idempotency | undefined;
};
export type PlannedOperation = LaneOperation<PlainStep>;

/** An answer that is stored under an idempotency key of an actor. */
export type StoredAnswer = { actor: string; key: string; fingerprint: string; answer: WriteAnswer };

export type LaneOutcome = { status: 'refused'; error: unknown } | WriteOutcome;

/** The net effect of a batch on one document. */
export type DocumentChange = { kind: 'insert' | 'update' | 'delete'; collectionId: number; document: StoredDocument };

export type LanePlan = {
  events: LogEvent[];
  changes: DocumentChange[];
  outcomes: LaneOutcome[];
  /** Answers to be stored with the batch. */
  answers: StoredAnswer[];
};

export type LaneState = {
  /** The head before the batch. */
  base: number;
  /** ISO 8601; every event and change of the batch carries it. */
  at: string;
  /** Id of a collection by name; every collection that the batch names is here, or it does not exist. */
  collections: ReadonlyMap<string, number>;
  /** The documents that the steps look at, by `documentKey`; those that do not exist are missing here. */
  documents: ReadonlyMap<string, StoredDocument>;
  /** The answers of earlier batches that are still good, by `answerKey`. */
  answers: ReadonlyMap<string, StoredAnswer>;
};

/** One key for the idempotency key of any actor. */
export function answerKey(actor: string, key: string): string {
  return `${key} ${actor}`;
}

/** One key for a document of any collection. */
export function documentKey(collectionId: number, id: string): string {
  return `${collectionId}/${id}`;
}

/** A document as the steps so far have left it; null: deleted or not there. */
type Overlay = Map<string, { collectionId: number; document: StoredDocument | null; last: StoredDocument }>;

/** Computes the batch. Never throws: what a step throws becomes its operation's refusal. */
export function planBatch(operations: readonly PlannedOperation[], state: LaneState): LanePlan {
  const plan: LanePlan = { events: [], changes: [], outcomes: [], answers: [] };
  const overlay: Overlay = new Map();
  for (const operation of operations) plan.outcomes.push(planOnce(operation, state, overlay, plan));
  for (const [key, { collectionId, document, last }] of overlay) {
    const wasThere = state.documents.has(key);
    if (document !== null) plan.changes.push({ kind: wasThere ? 'update' : 'insert', collectionId, document });
    else if (wasThere) plan.changes.push({ kind: 'delete', collectionId, document: last });
  }
  return plan;
}

/** Looks at the idempotency key first; most operations have none. */
function planOnce(operation: PlannedOperation, state: LaneState, overlay: Overlay, plan: LanePlan): LaneOutcome {
  const { idempotency, author } = operation;
  if (idempotency === undefined) return planOperation(operation, state, overlay, plan.events);
  const { key, fingerprint } = idempotency;
  const present =
    state.answers.get(answerKey(author.actor, key)) ??
    plan.answers.find((one) => one.key === key && one.actor === author.actor);
  if (present !== undefined) {
    if (present.fingerprint !== fingerprint) return { status: 'refused', error: idempotencyMismatch() };
    return { status: 'written', eventId: present.answer.eventId, documents: [], answer: present.answer };
  }
  const outcome = planOperation(operation, state, overlay, plan.events);
  if (outcome.status !== 'written') return outcome;
  const answer = idempotency.answer(outcome);
  plan.answers.push({ actor: author.actor, key, fingerprint, answer });
  return { ...outcome, answer };
}

function idempotencyMismatch(): Problem {
  return new Problem(
    'idempotency_mismatch',
    'This Idempotency-Key was used within the last 24 hours for another request (another method, path, parameter or body). Use a new key for a new write.',
    { errors: [{ field: 'Idempotency-Key', message: 'the key belongs to another request', allowed: 'a new key' }] },
  );
}

function planOperation(
  operation: PlannedOperation,
  state: LaneState,
  overlay: Overlay,
  events: LogEvent[],
): LaneOutcome {
  const mine: Overlay = new Map();
  const eventsBefore = events.length;
  const documents: StoredDocument[] = [];
  let room = operationLimitChars;
  try {
    for (const step of operation.steps) {
      const effect = planStep(step, operation, state, (key) => mine.get(key) ?? overlay.get(key));
      if (effect === 'missing') {
        if (step.kind === 'delete' && step.ifMissing === 'pass over') continue;
        events.length = eventsBefore;
        return { status: 'missing', id: 'id' in step ? step.id : '' };
      }
      room -= (effect.event.before?.length ?? 0) + (effect.event.after?.length ?? 0);
      if (room < 0) throw tooMuchAtOnce();
      events.push({ ...effect.event, id: state.base + events.length + 1 });
      if (effect.change !== null) {
        mine.set(documentKey(effect.change.collectionId, effect.change.last.id), effect.change);
        documents.push(effect.change.last);
      }
    }
  } catch (error) {
    events.length = eventsBefore;
    return { status: 'refused', error };
  }
  for (const [key, entry] of mine) overlay.set(key, entry);
  const eventId = events.length > eventsBefore ? state.base + events.length : null;
  return { status: 'written', eventId, documents };
}

type Entry = { collectionId: number; document: StoredDocument | null; last: StoredDocument };
type Effect = { event: Omit<LogEvent, 'id'>; change: Entry | null };

function planStep(
  step: PlainStep,
  { author, operationId }: PlannedOperation,
  state: LaneState,
  overlaid: (key: string) => Entry | undefined,
): Effect | 'missing' {
  const origin = { actor: author.actor, operationId, at: state.at };
  if (step.kind === 'publish') {
    const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
    return { event: { type: 'publish', ...nothing, name: step.name, data: step.data, ...origin }, change: null };
  }
  const collectionId = state.collections.get(step.collection);
  if (collectionId === undefined) {
    if (step.kind !== 'create') return 'missing';
    throw new Problem(
      'not_found',
      `There is no collection ${step.collection}, and the settings forbid to create it by writing.`,
    );
  }
  const key = documentKey(collectionId, step.id);
  const entry = overlaid(key);
  const present = entry === undefined ? (state.documents.get(key) ?? null) : entry.document;
  const subject = { collectionId, collection: step.collection, documentId: step.id, name: null, data: null, ...origin };

  if (step.kind === 'create') {
    if (present !== null) throw new Problem('conflict', `A document with the _id ${step.id} exists already.`);
    const document = firstVersion(step.id, step.body, state.at, author.by);
    return {
      event: { type: 'post', ...subject, before: null, after: wholeDocument(document) },
      change: { collectionId, document, last: document },
    };
  }
  if (present === null) return 'missing';
  const before = wholeDocument(present);
  if (step.kind === 'delete') {
    step.check?.(present);
    return {
      event: { type: 'delete', ...subject, before, after: null },
      change: { collectionId, document: null, last: present },
    };
  }
  const document = nextVersion(present, changedBody(present, step.change), state.at, author.by);
  return {
    event: { type: 'put', ...subject, before, after: wholeDocument(document) },
    change: { collectionId, document, last: document },
  };
}

function firstVersion(id: string, body: string, at: string, by: string): StoredDocument {
  return { id, body, version: 0, createdAt: at, changedAt: at, createdBy: by, changedBy: by };
}

function nextVersion(before: StoredDocument, body: string, at: string, by: string): StoredDocument {
  return { ...before, body, version: before.version + 1, changedAt: at, changedBy: by };
}

function changedBody(present: StoredDocument, change: DocumentUpdate): string {
  const body = JSON.stringify(change(JSON.parse(present.body) as JsonObject, present));
  if (body.length > bodyLimitChars)
    throw invalid('', 'the document would become too large', `${bodyLimitChars} characters`);
  return body;
}

/** Most characters that a document may grow to by changes; a single request is held to less. */
export const bodyLimitChars = 4 * 1024 * 1024;

/** Most characters of the documents, before and after, that one operation may touch: they are all in memory, and in one statement. */
export const operationLimitChars = 32 * 1024 * 1024;

/** `validation_failed`: the documents of the operation are too large together. */
export function tooMuchAtOnce(): Problem {
  const limit = `${operationLimitChars / 1024 / 1024} Mi characters of documents in one request`;
  return invalid('', 'the documents are too large to be written together', `${limit}; write fewer at a time`);
}
