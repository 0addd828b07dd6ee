/**
 * What a batch of operations does to the documents and to the log: pure, so that it can be computed again when a commit is retried.
 *
 * Invariants (the tests cite the numbers):
 * 1. Event ids are `base + 1 …` without a hole, in the order of the operations and of the steps in them.
 * 2. An operation is all or nothing: a step that refuses leaves no trace of the steps before it, and takes no id.
 * 3. A refused operation does not harm its neighbours.
 * 4. Operations on one document see each other's effects in order.
 */

import type { JsonObject } from '@tidewire/protocol/json';
import { invalid, Problem } from '@tidewire/protocol/problem';
import { wholeDocument } from './document-text.js';
import type { Author, StoredDocument, WriteOutcome } from './document-writes.js';
import type { LogEvent } from './log-event.js';

export type LaneStep =
  /** `isNew`: the id was made here and cannot be taken, so nobody has to look. */
  | { kind: 'create'; collection: string; id: string; isNew: boolean; body: string }
  | {
      kind: 'update';
      collection: string;
      id: string;
      change: (before: JsonObject, stored: StoredDocument) => JsonObject;
    }
  | { kind: 'delete'; collection: string; id: string; ifMissing: 'report' | 'pass over' }
  | { kind: 'publish'; name: string; data: string };

export type LaneOperation = { operationId: string; author: Author; steps: readonly LaneStep[] };

export type LaneOutcome = { status: 'refused'; error: unknown } | WriteOutcome;

/** The net effect of a batch on one document. */
export type DocumentChange = { kind: 'insert' | 'update' | 'delete'; collectionId: number; document: StoredDocument };

/** An event that has no place in the log yet: `id` is given when it takes one. */
export type PlannedEvent = { -readonly [K in keyof LogEvent]: LogEvent[K] };

export type LanePlan = { events: PlannedEvent[]; changes: DocumentChange[]; outcomes: LaneOutcome[] };

export type LaneState = {
  /** The head before the batch. */
  base: number;
  /** ISO 8601; every event and change of the batch carries it. */
  at: string;
  /** Id of a collection by name; every collection that the batch names is here, or it does not exist. */
  collections: ReadonlyMap<string, number>;
  /** The documents that the steps look at, by `documentKey`; those that do not exist are missing here. */
  documents: ReadonlyMap<string, StoredDocument>;
};

/** One key for a document of any collection. */
export function documentKey(collectionId: number, id: string): string {
  return `${collectionId}/${id}`;
}

/** A document as the steps so far have left it; null: deleted or not there. */
type Overlay = Map<string, { collectionId: number; document: StoredDocument | null; last: StoredDocument }>;

/** Computes the batch. Never throws: what a step throws becomes its operation's refusal. */
export function planBatch(operations: readonly LaneOperation[], state: LaneState): LanePlan {
  const plan: LanePlan = { events: [], changes: [], outcomes: [] };
  const overlay: Overlay = new Map();
  for (const operation of operations) plan.outcomes.push(planOperation(operation, state, overlay, plan.events));
  for (const [key, { collectionId, document, last }] of overlay) {
    const wasThere = state.documents.has(key);
    if (document !== null) plan.changes.push({ kind: wasThere ? 'update' : 'insert', collectionId, document });
    else if (wasThere) plan.changes.push({ kind: 'delete', collectionId, document: last });
  }
  return plan;
}

function planOperation(operation: LaneOperation, state: LaneState, overlay: Overlay, events: LogEvent[]): LaneOutcome {
  const mine: Overlay = new Map();
  const eventsBefore = events.length;
  const documents: StoredDocument[] = [];
  try {
    for (const step of operation.steps) {
      const effect = planStep(step, operation, state, (key) => mine.get(key) ?? overlay.get(key));
      if (effect === 'missing') {
        if (step.kind === 'delete' && step.ifMissing === 'pass over') continue;
        events.length = eventsBefore;
        return { status: 'missing', id: 'id' in step ? step.id : '' };
      }
      effect.event.id = state.base + events.length + 1;
      events.push(effect.event);
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
type Effect = { event: PlannedEvent; change: Entry | null };

function planStep(
  step: LaneStep,
  { author, operationId }: LaneOperation,
  state: LaneState,
  overlaid: (key: string) => Entry | undefined,
): Effect | 'missing' {
  const origin = { actor: author.actor, operationId, at: state.at };
  if (step.kind === 'publish') {
    const nothing = { collectionId: null, collection: null, documentId: null, before: null, after: null };
    return { event: { id: 0, type: 'publish', ...nothing, name: step.name, data: step.data, ...origin }, change: null };
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
      event: { id: 0, type: 'post', ...subject, before: null, after: wholeDocument(document) },
      change: { collectionId, document, last: document },
    };
  }
  if (present === null) return 'missing';
  const before = wholeDocument(present);
  if (step.kind === 'delete') {
    return {
      event: { id: 0, type: 'delete', ...subject, before, after: null },
      change: { collectionId, document: null, last: present },
    };
  }
  const document = nextVersion(present, changedBody(present, step.change), state.at, author.by);
  return {
    event: { id: 0, type: 'put', ...subject, before, after: wholeDocument(document) },
    change: { collectionId, document, last: document },
  };
}

function firstVersion(id: string, body: string, at: string, by: string): StoredDocument {
  return { id, body, version: 0, createdAt: at, changedAt: at, createdBy: by, changedBy: by };
}

function nextVersion(before: StoredDocument, body: string, at: string, by: string): StoredDocument {
  return { ...before, body, version: before.version + 1, changedAt: at, changedBy: by };
}

function changedBody(
  present: StoredDocument,
  change: (before: JsonObject, stored: StoredDocument) => JsonObject,
): string {
  const body = JSON.stringify(change(JSON.parse(present.body) as JsonObject, present));
  if (body.length > bodyLimitChars)
    throw invalid('', 'the document would become too large', `${bodyLimitChars} characters`);
  return body;
}

/** Most characters that a document may grow to by changes; a single request is held to less. */
export const bodyLimitChars = 4 * 1024 * 1024;

/** Moves a plan that was made from 0 up to its place in the log. */
export function placePlan(plan: LanePlan, base: number): LanePlan {
  for (const event of plan.events) event.id += base;
  for (const outcome of plan.outcomes) {
    if (outcome.status === 'written' && outcome.eventId !== null) outcome.eventId += base;
  }
  return plan;
}
