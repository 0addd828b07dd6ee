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
import { invalid, invalidFields, Problem, pointerTo } from '@tidewire/protocol/problem';
import type { DocumentShape } from './document-shape.js';
import { wholeDocument } from './document-text.js';
import type {
  Admit,
  Author,
  DocumentUpdate,
  Idempotency,
  IsFor,
  Selection,
  StoredDocument,
  WriteAnswer,
  WriteOutcome,
} from './document-writes.js';
import { type Counters, type CounterValue, nextNumbers } from './lane-counters.js';
import type { LogEvent } from './log-event.js';

/** A step whose documents are named. */
export type PlainStep =
  /**
   * `isNew`: the id was made here and cannot be taken, so nobody has to look. `isValidated` false: the collection's schema is not asked. `at`: the JSON
   * Pointer of the document in what the client sent, '' unless given.
   */
  | {
      kind: 'create';
      collection: string;
      id: string;
      isNew: boolean;
      body: string;
      isValidated?: boolean | undefined;
      at?: string | undefined;
      admit?: Admit | undefined;
    }
  /** `isReplaced`: nothing of the present document is meant to stay. */
  | {
      kind: 'update';
      collection: string;
      id: string;
      change: DocumentUpdate;
      isReplaced?: boolean | undefined;
      admit?: Admit | undefined;
    }
  | {
      kind: 'delete';
      collection: string;
      id: string;
      ifMissing: 'report' | 'pass over';
      check?: ((stored: StoredDocument) => void) | undefined;
      isFor?: IsFor | undefined;
    }
  | { kind: 'publish'; name: string; data: string }
  | RequireStep;

/** Writes nothing: the steps behind it are carried out only if the document is there, else the operation is refused with what `refuse` makes. */
export type RequireStep = {
  kind: 'require';
  collection: string;
  id: string;
  refuse: () => Error;
  isFor?: IsFor | undefined;
};

/**
 * A step on the documents that meet a condition. The lane reads them under the lock and puts a plain step for each in its place. It reads the
 * table, not the overlay of a batch, so an operation with such a step has a batch of its own, and no other step.
 */
export type SelectStep = {
  kind: 'select';
  collection: string;
  selection: Selection;
  effect: { kind: 'update'; change: DocumentUpdate; admit?: Admit | undefined } | { kind: 'delete' };
};

/**
 * A step on a collection itself. An operation with such a step has a batch of its own, and no other step; the lane puts a plain step for each document
 * that is left before a drop. `collectionId`: only as long as the name still belongs to that collection.
 */
export type CollectionStep =
  | { kind: 'rename'; collection: string; name: string }
  | { kind: 'drop'; collection: string; collectionId: number | undefined };

export type LaneStep = PlainStep | SelectStep | CollectionStep;

/** An operation as it is submitted, or (`PlannedOperation`) with its selections carried out. */
export type LaneOperation<Step = LaneStep> = {
  operationId: string;
  author: Author;
  steps: readonly Step[];
  idempotency?: Idempotency | undefined;
};
export type PlannedOperation = LaneOperation<PlainStep | CollectionStep>;

/** An answer that is stored under an idempotency key of an actor. */
export type StoredAnswer = { actor: string; key: string; fingerprint: string; answer: WriteAnswer };

export type LaneOutcome = { status: 'refused'; error: unknown } | WriteOutcome;

/** The net effect of a batch on one document. */
export type DocumentChange = { kind: 'insert' | 'update' | 'delete'; collectionId: number; document: StoredDocument };

/** An event whose place in the log may not be known yet. */
export type PlannedEvent = Omit<LogEvent, 'id'> & { id: number };

export type LanePlan = {
  events: PlannedEvent[];
  changes: DocumentChange[];
  outcomes: LaneOutcome[];
  /** Answers to be stored with the batch. */
  answers: StoredAnswer[];
  /** Last numbers to be stored with the batch; those that it did not raise are missing here. */
  counters: Counters;
};

/** The shapes of the collections at the configuration version of the batch, and the last numbers of their counters, by `counterKey`. */
export type LaneShapes = {
  shapeOf: (collectionId: number) => DocumentShape | null;
  counters: ReadonlyMap<string, CounterValue>;
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
  /** Absent when no collection of the batch has a shape. */
  shapes?: LaneShapes | undefined;
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
  const plan: LanePlan = { events: [], changes: [], outcomes: [], answers: [], counters: new Map() };
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
  if (idempotency === undefined) return planOperation(operation, state, overlay, plan);
  const { key, fingerprint } = idempotency;
  const present =
    state.answers.get(answerKey(author.actor, key)) ??
    plan.answers.find((one) => one.key === key && one.actor === author.actor);
  if (present !== undefined) {
    if (present.fingerprint !== fingerprint) return { status: 'refused', error: idempotencyMismatch() };
    return { status: 'written', eventId: present.answer.eventId, documents: [], answer: present.answer };
  }
  const outcome = planOperation(operation, state, overlay, plan);
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
  { events, counters }: LanePlan,
): LaneOutcome {
  const mine: Overlay = new Map();
  const numbers: Counters = new Map();
  const eventsBefore = events.length;
  const documents: StoredDocument[] = [];
  let room = operationLimitChars;
  try {
    for (const step of operation.steps) {
      if (step.kind === 'require') {
        if (!isThere(step, state, (key) => mine.get(key) ?? overlay.get(key))) throw step.refuse();
        continue;
      }
      const effect = planStep(step, operation, state, {
        overlaid: (key) => mine.get(key) ?? overlay.get(key),
        numbers: (id, shape) => nextNumbers(id, shape, [numbers, counters, state.shapes?.counters ?? noCounters]),
      });
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
  for (const [key, value] of numbers) counters.set(key, value);
  const eventId = events.length > eventsBefore ? state.base + events.length : null;
  return { status: 'written', eventId, documents };
}

type Entry = { collectionId: number; document: StoredDocument | null; last: StoredDocument };
type Effect = { event: Omit<LogEvent, 'id'>; change: Entry | null };
/** What the steps before have left: documents, and the numbers of counters. */
type Before = {
  overlaid: (key: string) => Entry | undefined;
  numbers: (collectionId: number, shape: DocumentShape) => ReadonlyMap<string, number>;
};

const noCounters: ReadonlyMap<string, CounterValue> = new Map();

function isThere(
  { collection, id, isFor }: RequireStep,
  state: LaneState,
  overlaid: (key: string) => Entry | undefined,
): boolean {
  const collectionId = state.collections.get(collection);
  if (collectionId === undefined) return false;
  const key = documentKey(collectionId, id);
  const entry = overlaid(key);
  const document = entry === undefined ? state.documents.get(key) : entry.document;
  return document != null && isFor?.(document) !== false;
}

function planStep(
  step: Exclude<PlainStep, RequireStep> | CollectionStep,
  { author, operationId, steps }: PlannedOperation,
  state: LaneState,
  { overlaid, numbers }: Before,
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
  if (step.kind === 'rename' || step.kind === 'drop') {
    const { collection, kind: type } = step;
    const name = step.kind === 'rename' ? step.name : null;
    if (name !== null && state.collections.has(name)) throw nameIsTaken(name);
    const nothing = { documentId: null, before: null, after: null, data: null };
    return { event: { type, collectionId, collection, name, ...nothing, ...origin }, change: null };
  }
  const key = documentKey(collectionId, step.id);
  const entry = overlaid(key);
  const present = entry === undefined ? (state.documents.get(key) ?? null) : entry.document;
  const subject = { collectionId, collection: step.collection, documentId: step.id, name: null, data: null, ...origin };
  const shape = state.shapes?.shapeOf(collectionId) ?? null;

  if (step.kind === 'create') {
    if (present !== null) throw new Problem('conflict', `A document with the _id ${step.id} exists already.`);
    const document = firstVersion(step.id, step.body, state.at, author.by);
    if (shape !== null) Object.assign(document, shapedBody(step, shape, numbers(collectionId, shape)));
    step.admit?.(document);
    return {
      event: { type: 'post', ...subject, before: null, after: wholeDocument(document) },
      change: { collectionId, document, last: document },
    };
  }
  if (present === null) return 'missing';
  const before = wholeDocument(present);
  if (step.kind === 'delete') {
    if (step.isFor?.(present) === false) return 'missing';
    step.check?.(present);
    return {
      event: { type: 'delete', ...subject, before, after: null },
      change: { collectionId, document: null, last: present },
    };
  }
  const change =
    shape === null ? step.change : shapedChange(step, shape, steps.length > 1 && steps[0]?.kind !== 'require');
  const document = nextVersion(present, changedBody(present, change), state.at, author.by);
  step.admit?.(document);
  return {
    event: { type: 'put', ...subject, before, after: wholeDocument(document) },
    change: { collectionId, document, last: document },
  };
}

function nameIsTaken(name: string): Problem {
  return new Problem('conflict', `A collection with the name ${name} exists already.`);
}

function firstVersion(id: string, body: string, at: string, by: string): StoredDocument {
  return { id, body, version: 0, createdAt: at, changedAt: at, createdBy: by, changedBy: by };
}

function nextVersion(before: StoredDocument, body: string, at: string, by: string): StoredDocument {
  const { id, version, createdAt, createdBy } = before;
  return { id, body, version: version + 1, createdAt, changedAt: at, createdBy, changedBy: by };
}

/** What the collection makes of a new document. */
function shapedBody(
  { body, isValidated = true, at = '' }: PlainStep & { kind: 'create' },
  shape: DocumentShape,
  numbers: ReadonlyMap<string, number>,
): Pick<StoredDocument, 'body' | 'fields'> {
  const sent = JSON.parse(body) as JsonObject;
  try {
    const fields = shape.prepareNew(sent, { numbers, isValidated });
    return { body: fields === sent ? body : checkedText(fields), fields };
  } catch (error) {
    throw at === '' ? error : placedAt(error, at);
  }
}

/** The change, and then what the collection makes of it. Of several documents the refusal says which one is meant. */
function shapedChange(
  { id, change, isReplaced = false }: PlainStep & { kind: 'update' },
  shape: DocumentShape,
  isOneOfSeveral: boolean,
): DocumentUpdate {
  return (before, stored) => {
    const after = change(before, stored);
    try {
      // The change may have taken parts of `before` into `after`, or changed them in place.
      return shape.prepareChanged(JSON.parse(stored.body) as JsonObject, after, { isReplaced });
    } catch (error) {
      throw isOneOfSeveral ? placedAt(error, pointerTo(id)) : error;
    }
  };
}

/** The refusal with its fields below a place. */
function placedAt(error: unknown, at: string): unknown {
  if (!(error instanceof Problem) || error.code !== 'validation_failed') return error;
  return invalidFields(error.errors.map((one) => ({ ...one, field: `${at}${one.field}` })));
}

function changedBody(present: StoredDocument, change: DocumentUpdate): string {
  return checkedText(change(JSON.parse(present.body) as JsonObject, present));
}

function checkedText(fields: JsonObject): string {
  const body = JSON.stringify(fields);
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
