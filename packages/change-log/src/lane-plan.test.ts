import { Problem } from '@tidewire/protocol/problem';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { StoredDocument } from './document-writes.js';
import {
  answerKey,
  documentKey,
  type LaneState,
  operationLimitChars,
  type PlainStep,
  type PlannedOperation,
  planBatch,
} from './lane-plan.js';

const at = '2026-03-01T10:00:00.000Z';
const earlier = '2026-02-01T10:00:00.000Z';
const author = { actor: 'key:k1', by: 'api' };
let nextOperation = 0;

function operation(...steps: PlainStep[]): PlannedOperation {
  nextOperation += 1;
  return { operationId: `op-${nextOperation}`, author, steps };
}
function stored(id: string, body: string, version = 3): StoredDocument {
  return { id, body, version, createdAt: earlier, changedAt: earlier, createdBy: 'api', changedBy: 'api' };
}
function state(documents: StoredDocument[] = [], base = 10): LaneState {
  const entries = documents.map((document) => [documentKey(1, document.id), document] as const);
  return { base, at, collections: new Map([['company', 1]]), documents: new Map(entries), answers: new Map() };
}
const create = (id: string, body = '{}'): PlainStep => ({
  kind: 'create',
  collection: 'company',
  id,
  isNew: false,
  body,
});
const remove = (id: string): PlainStep => ({ kind: 'delete', collection: 'company', id, ifMissing: 'report' });
const set = (id: string, fields: Record<string, number>): PlainStep => ({
  kind: 'update',
  collection: 'company',
  id,
  change: (before) => ({ ...before, ...fields }),
});

describe('a batch', () => {
  it('numbers its events from the head on, in the order of operations and steps (1)', () => {
    const plan = planBatch(
      [
        operation(create('a'), create('b')),
        operation({ kind: 'publish', name: 'GOAL', data: '1' }),
        operation(create('c')),
      ],
      state(),
    );
    expect(plan.events.map(({ id, documentId, name }) => [id, documentId ?? name])).toEqual([
      [11, 'a'],
      [12, 'b'],
      [13, 'GOAL'],
      [14, 'c'],
    ]);
    expect(plan.outcomes).toMatchObject([{ eventId: 12 }, { eventId: 13 }, { eventId: 14 }]);
  });

  it('leaves no trace and no number of an operation whose last step refuses (2, 3)', () => {
    const plan = planBatch(
      [operation(create('a')), operation(create('b'), create('a')), operation(create('c'))],
      state(),
    );
    expect(plan.events.map(({ id, documentId }) => [id, documentId])).toEqual([
      [11, 'a'],
      [12, 'c'],
    ]);
    expect(plan.changes.map(({ document }) => document.id)).toEqual(['a', 'c']);
    expect(plan.outcomes[1]).toMatchObject({ status: 'refused', error: { code: 'conflict' } });
  });

  it('lets operations on one document see each other, and writes its net effect once (4)', () => {
    const plan = planBatch(
      [operation(set('a', { x: 1 })), operation(set('a', { y: 2 }))],
      state([stored('a', '{"n":0}')]),
    );
    expect(plan.events.map(({ type, after }) => [type, JSON.parse(after ?? '').y])).toEqual([
      ['put', undefined],
      ['put', 2],
    ]);
    expect(plan.events[1]?.before).toBe(plan.events[0]?.after);
    expect(plan.changes).toMatchObject([{ kind: 'update', document: { body: '{"n":0,"x":1,"y":2}', version: 5 } }]);
  });

  it('writes nothing for a document that is created and deleted in it, and an update for one that is deleted and created', () => {
    const fleeting = planBatch([operation(create('a')), operation(remove('a'))], state());
    expect(fleeting.changes).toEqual([]);
    expect(fleeting.events.map(({ type }) => type)).toEqual(['post', 'delete']);
    const replaced = planBatch([operation(remove('a'), create('a', '{"new":1}'))], state([stored('a', '{}')]));
    expect(replaced.changes).toMatchObject([{ kind: 'update', document: { body: '{"new":1}', version: 0 } }]);
  });

  it('reports a missing document, or passes it over in a bulk delete', () => {
    const pass = (id: string): PlainStep => ({ kind: 'delete', collection: 'company', id, ifMissing: 'pass over' });
    const plan = planBatch(
      [operation(remove('x')), operation(set('x', { a: 1 })), operation(pass('x'), pass('a'))],
      state([stored('a', '{}')]),
    );
    expect(plan.outcomes).toMatchObject([
      { status: 'missing', id: 'x' },
      { status: 'missing', id: 'x' },
      { status: 'written', eventId: 11 },
    ]);
  });

  it('refuses what the change function refuses, with its own problem', () => {
    const refusing: PlainStep = {
      kind: 'update',
      collection: 'company',
      id: 'a',
      change: () => {
        throw new Problem('validation_failed', 'no');
      },
    };
    const plan = planBatch([operation(refusing)], state([stored('a', '{}')]));
    expect(plan.outcomes).toMatchObject([{ status: 'refused', error: { detail: 'no' } }]);
    expect(plan.events).toEqual([]);
  });

  it('carries out one of the operations with one idempotency key, and gives the others its answer (5)', () => {
    const once = (key: string, fingerprint: string, ...steps: PlainStep[]): PlannedOperation => ({
      ...operation(...steps),
      idempotency: {
        key,
        fingerprint,
        answer: ({ eventId, documents }) => ({
          status: 201,
          text: documents.map(({ body }) => body).join(),
          eventId,
          etag: null,
          documentId: null,
        }),
      },
    });
    const earlier = { status: 200, text: 'before', eventId: 3, etag: null, documentId: null };
    const stored5 = { actor: author.actor, key: 'old', fingerprint: 'f', answer: earlier };
    const plan = planBatch(
      [
        once('k', 'f', create('a', '{"n":1}')),
        once('k', 'f', create('b', '{"n":1}')),
        once('k', 'g', create('c')),
        once('old', 'f', create('d')),
        { ...once('k', 'f', create('e')), author: { actor: 'key:other', by: 'api' } },
      ],
      { ...state(), answers: new Map([[answerKey(author.actor, 'old'), stored5]]) },
    );
    expect(plan.events.map(({ id, documentId }) => [id, documentId])).toEqual([
      [11, 'a'],
      [12, 'e'],
    ]);
    const answer = { status: 201, text: '{"n":1}', eventId: 11, etag: null, documentId: null };
    expect(plan.outcomes).toMatchObject([
      { status: 'written', answer },
      { status: 'written', answer },
      { status: 'refused', error: { code: 'idempotency_mismatch' } },
      { status: 'written', answer: earlier },
      { status: 'written', answer: { eventId: 12 } },
    ]);
    expect(plan.answers.map(({ actor, key }) => [actor, key])).toEqual([
      ['key:k1', 'k'],
      ['key:other', 'k'],
    ]);
  });

  it('leaves the idempotency key of a refused or empty-handed operation free (5)', () => {
    const idempotency = {
      key: 'k',
      fingerprint: 'f',
      answer: () => ({ status: 200, text: '', eventId: null, etag: null, documentId: null }),
    };
    const plan = planBatch(
      [
        { ...operation(create('a')), idempotency },
        { ...operation(remove('x')), idempotency },
        { ...operation(remove('a')), idempotency },
      ],
      state([stored('a', '{}')]),
    );
    expect(plan.outcomes.map(({ status }) => status)).toEqual(['refused', 'missing', 'written']);
    expect(plan.answers).toHaveLength(1);
    expect(plan.events.map(({ type }) => type)).toEqual(['delete']);
  });

  it('lets a delete be refused by what it sees of the document', () => {
    const check = ({ version }: StoredDocument) => {
      if (version !== 9) throw new Problem('precondition_failed', 'no');
    };
    const plan = planBatch([operation({ ...remove('a'), check } as PlainStep)], state([stored('a', '{}')]));
    expect(plan.outcomes).toMatchObject([{ status: 'refused', error: { code: 'precondition_failed' } }]);
    expect(plan.changes).toEqual([]);
  });

  it('refuses an operation on more text than it may hold in memory, and leaves no trace of it (2)', () => {
    const large = JSON.stringify({ text: 'x'.repeat(3_900_000) });
    const ids = Array.from(
      { length: Math.ceil(operationLimitChars / large.length / 2) + 1 },
      (_, index) => `d${index}`,
    );
    const plan = planBatch(
      [operation(...ids.map((id) => set(id, { a: 1 })))],
      state(ids.map((id) => stored(id, large))),
    );
    expect(plan.outcomes).toMatchObject([{ status: 'refused', error: { code: 'validation_failed' } }]);
    expect(plan.events).toEqual([]);
    expect(plan.changes).toEqual([]);
  });

  it('folds any mix of operations to the same documents as one after the other, ids dense (1, 2, 4)', () => {
    const id = fc.constantFrom('a', 'b', 'c');
    const step = fc.oneof(
      id.map((one) => create(one, '{"n":1}')),
      id.map(remove),
      id.map((one) => set(one, { m: 2 })),
    );
    const operations = fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 8 });
    fc.assert(
      fc.property(operations, (lists) => {
        const all = lists.map((steps) => operation(...steps));
        const together = planBatch(all, state([stored('a', '{}')]));
        const table = new Map([['a', stored('a', '{}')]]);
        let head = 10;
        for (const one of all) {
          const alone = planBatch([one], state([...table.values()], head));
          head += alone.events.length;
          for (const { kind, document } of alone.changes) {
            if (kind === 'delete') table.delete(document.id);
            else table.set(document.id, document);
          }
        }
        const folded = new Map([['a', stored('a', '{}')]]);
        for (const { kind, document } of together.changes) {
          if (kind === 'delete') folded.delete(document.id);
          else folded.set(document.id, document);
        }
        expect(folded).toEqual(table);
        expect(together.events.map((event) => event.id)).toEqual(together.events.map((_, index) => 11 + index));
      }),
    );
  });
});

describe('a requirement', () => {
  const require = (id: string, collection = 'company'): PlainStep => ({
    kind: 'require',
    collection,
    id,
    refuse: () => new Problem('not_found', `no ${id}`),
  });
  const statusesOf = (operations: PlannedOperation[], documents: StoredDocument[] = []) =>
    planBatch(operations, state(documents)).outcomes.map(({ status }) => status);

  it('lets the steps behind it through when the document is there, and leaves no event itself (1)', () => {
    const plan = planBatch([operation(require('p'), create('c'))], state([stored('p', '{}')]));
    expect(plan.events.map(({ id, type, documentId }) => [id, type, documentId])).toEqual([[11, 'post', 'c']]);
    expect(plan.outcomes).toMatchObject([{ status: 'written', eventId: 11, documents: [{ id: 'c' }] }]);
  });

  it('refuses the operation, with the Problem that it makes, when the document or its collection is not there (2, 3)', () => {
    const plan = planBatch(
      [operation(require('p'), create('c')), operation(require('p', 'nothing'), create('d')), operation(create('e'))],
      state(),
    );
    expect(plan.outcomes).toMatchObject([
      { status: 'refused', error: { code: 'not_found', detail: 'no p' } },
      { status: 'refused', error: { code: 'not_found' } },
      { status: 'written' },
    ]);
    expect(plan.events.map(({ id, documentId }) => [id, documentId])).toEqual([[11, 'e']]);
  });

  it('sees what the batch has done before it (4)', () => {
    const documents = [stored('p', '{}')];
    expect(statusesOf([operation(remove('p')), operation(require('p'), create('c'))], documents)).toEqual([
      'written',
      'refused',
    ]);
    expect(statusesOf([operation(create('q')), operation(require('q'), create('c'))])).toEqual(['written', 'written']);
  });
});
