/**
 * How many documents fail a schema, while others write. Pure.
 *
 * 1. It begins with the documents of a snapshot, at the head that the snapshot saw.
 * 2. Then it hears each event of the collection behind that head, once and in order. An event carries the document before and after, so what it
 *    changes in the count is known without a table of those that failed.
 * 3. So after the event `n` the count is that of the documents at the head `n`. Values that are to be unique are counted in the snapshot alone: whether they are unique
 *    in the end, the index tells that is built for them.
 */
import type { SchemaCheck } from '@tidewire/protocol/collection-schema';
import type { JsonObject } from '@tidewire/protocol/json';
import type { ProblemField } from '@tidewire/protocol/problem';
import type { CompiledShape } from './compile-shape.js';

/** So many failing documents are listed; the rest is counted. */
const listedDocuments = 100;

/** A change of the collection: the document before and after, null where there is none. */
export type DocumentEvent = { documentId: string; before: JsonObject | null; after: JsonObject | null };

export class SchemaTally {
  private checked = 0;
  private failingCount = 0;
  private readonly failing = new Map<string, ProblemField[]>();
  /** The greatest numbers that stand in the fields of counters. */
  readonly greatest = new Map<string, number>();

  constructor(private readonly shape: CompiledShape) {}

  get hasFailing(): boolean {
    return this.failingCount > 0;
  }

  /** `doubles` are its fields whose values others have, too. */
  document(id: string, fields: JsonObject, doubles: readonly string[]): void {
    this.checked += 1;
    this.noteNumbers(fields);
    const problems = [...this.shape.check(fields), ...doubles.map(doubleValue)];
    if (problems.length > 0) this.failingCount += 1;
    this.list(id, problems);
  }

  event({ documentId, before, after }: DocumentEvent): void {
    const problems = after === null ? [] : this.shape.check(after);
    if (before !== null && this.shape.check(before).length > 0) this.failingCount -= 1;
    if (problems.length > 0) this.failingCount += 1;
    this.checked += (after === null ? 0 : 1) - (before === null ? 0 : 1);
    if (after !== null) this.noteNumbers(after);
    this.failing.delete(documentId);
    this.list(documentId, problems);
  }

  result(): SchemaCheck {
    const failing = [...this.failing].sort(([a], [b]) => (a < b ? -1 : 1));
    return {
      checked: this.checked,
      failingCount: this.failingCount,
      failing: failing.map(([_id, errors]) => ({
        _id,
        errors: errors.map(({ field, message, allowed }) => ({ field, message, ...(allowed ? { allowed } : {}) })),
      })),
    };
  }

  private list(id: string, problems: ProblemField[]): void {
    if (problems.length > 0 && this.failing.size < listedDocuments) this.failing.set(id, problems);
  }

  private noteNumbers(fields: JsonObject): void {
    for (const { field } of this.shape.counters) {
      const value = Object.hasOwn(fields, field) ? fields[field] : undefined;
      if (typeof value === 'number' && value > (this.greatest.get(field) ?? Number.NEGATIVE_INFINITY))
        this.greatest.set(field, value);
    }
  }
}

function doubleValue(name: string): ProblemField {
  return {
    field: `/${name}`,
    message: 'another document has this value',
    allowed: 'a value that no other document has',
  };
}
