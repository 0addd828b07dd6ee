/** A table in memory that live queries read, with the events of its changes, and a client that follows a stream: for the tests of live queries. */
import type { LogEvent } from '@tidewire/change-log/log-event';
import { makeCatalogDatabase } from '@tidewire/db/catalog.fixture';
import type { JsonObject } from '@tidewire/query/json';
import type { LiveRow, LiveRows, RereadSource, ShownRow, WindowSource } from '@tidewire/query/live-source';
import { createMatcher } from '@tidewire/query/matcher';
import { parseFilter } from '@tidewire/query/parse-filter';
import type { DocumentChange } from './live-state.js';

/** A page of the documents that `q` is true for, by `n` and then `_id`. */
export type PageAsked = { q?: JsonObject; skip?: number; max?: number; totals?: boolean };

/** A collection called `c`. Documents are `{_id, n, …}`; `ref` makes one that cannot be shown by itself. */
export class Table {
  head = 0;
  reads = 0;
  /** What the next reads reject with. */
  failure: Error | null = null;
  /** While set, reads wait for it, and see the table as it is then. */
  hold: Promise<void> | null = null;
  /** How often a document was held against a filter. */
  matches = 0;
  readonly #documents = new Map<string, JsonObject>();
  readonly #history: JsonObject[][] = [[]];

  /** Stores the document, or deletes it (null); the event of it. */
  write(id: string, fields: JsonObject | null): LogEvent {
    const before = this.#documents.get(id) ?? null;
    const after = fields === null ? null : { _id: id, ...fields };
    if (after === null) this.#documents.delete(id);
    else this.#documents.set(id, after);
    return this.#event({
      type: after === null ? 'delete' : before === null ? 'post' : 'put',
      documentId: id,
      before: before && JSON.stringify(before),
      after: after && JSON.stringify(after),
    });
  }

  /** All documents are gone by another way than one by one. */
  end(type: 'rename' | 'drop', name: string | null = null): LogEvent {
    this.#documents.clear();
    return this.#event({ type, name });
  }

  #event(part: Partial<LogEvent>): LogEvent {
    this.head += 1;
    this.#history[this.head] = [...this.#documents.values()];
    return {
      id: this.head,
      type: 'post',
      collectionId: 1,
      collection: 'c',
      documentId: null,
      before: null,
      after: null,
      name: null,
      data: null,
      actor: 'system',
      operationId: '00000000-0000-0000-0000-000000000000',
      at: '2026-01-01T00:00:00.000Z',
      ...part,
    };
  }

  /** The body as it was after event `at`. */
  body(asked: PageAsked, at = this.head): string {
    const { skip = 0, max = 10, totals = false } = asked;
    const rows = this.#rows(asked, at);
    return encodePage({ skip, max, totals }, rows.slice(skip, skip + max), rows.length);
  }

  #rows({ q }: PageAsked, at: number): LiveRow[] {
    const matches = matcherOf(q);
    const rows = (this.#history[at] ?? []).filter(matches).map(rowOf);
    return rows.sort(compare);
  }

  /** Another key is another query. */
  source(asked: PageAsked = {}, key = JSON.stringify(asked)): WindowSource {
    const { q, skip = 0, max = 10, totals = false } = asked;
    const matches = matcherOf(q);
    const parsed = parseFilter(q ?? {});
    if (!parsed.ok) throw new Error('no filter');
    return {
      kind: 'window',
      key,
      name: 'c',
      collection: 'c',
      filter: q === undefined ? null : parsed.filter,
      skip,
      max,
      compare,
      matches: (document) => {
        this.matches += 1;
        return matches(document);
      },
      rowOf,
      read: (wanted) =>
        this.#read((at): LiveRows => {
          const rows = this.#rows(asked, at);
          return { at, rows: rows.slice(0, wanted), total: totals ? rows.length : null };
        }),
      bodyOf: (page, total) => encodePage({ skip, max, totals }, page, total),
      totalsOf: (page, total) => totalsOf({ skip, max, totals }, page, total),
      anew: this.rereadSource(asked, key),
    };
  }

  rereadSource(
    asked: PageAsked = {},
    key = JSON.stringify(asked),
    others: () => readonly string[] = () => [],
  ): RereadSource {
    const { skip = 0, max = 10, totals = false } = asked;
    return {
      kind: 'reread',
      key,
      name: 'c',
      collection: 'c',
      collections: new Set(['c']),
      isOfConfiguration: true,
      pauseMs: 5,
      everySeconds: null,
      read: () =>
        this.#read((at) => {
          const all = this.#rows(asked, at);
          const rows = all.slice(skip, skip + max);
          const body = encodePage({ skip, max, totals }, rows, all.length);
          return { at, body, rows, totals: totalsOf({ skip, max, totals }, rows, all.length), collections: others() };
        }),
    };
  }

  async #read<T>(look: (at: number) => T): Promise<T> {
    this.reads += 1;
    await (this.hold ?? new Promise((resolve) => setImmediate(resolve)));
    if (this.failure !== null) throw this.failure;
    return look(this.head);
  }
}

/** As the hub parses it. */
export function changeOf({ id, documentId, before, after }: LogEvent): DocumentChange {
  const parse = (text: string | null) => (text === null ? null : (JSON.parse(text) as JsonObject));
  return { id, documentId: String(documentId), before: parse(before), after: parse(after) };
}

function matcherOf(q: JsonObject | undefined): (document: JsonObject) => boolean {
  const parsed = parseFilter(q ?? {});
  if (!parsed.ok) throw new Error('no filter');
  return createMatcher(parsed.filter);
}

function rowOf(document: JsonObject): LiveRow {
  const id = String(document._id);
  const place = [String(document.n).padStart(6, '0'), id];
  return { id, place, text: JSON.stringify(document), isLinked: 'ref' in document };
}

function compare(a: LiveRow, b: LiveRow): number {
  const [left, right] = [a.place.join(), b.place.join()];
  return left < right ? -1 : left > right ? 1 : 0;
}

type Frame = { skip: number; max: number; totals: boolean };

function encodePage(frame: Frame, page: readonly ShownRow[], total: number | null): string {
  const data = `[${page.map(({ text }) => text).join()}]`;
  return frame.totals ? `{"data":${data},"totals":${totalsOf(frame, page, total)}}` : data;
}

function totalsOf({ totals, skip, max }: Frame, page: readonly ShownRow[], total: number | null): string | null {
  return totals ? JSON.stringify({ total, count: page.length, skip, max }) : null;
}

type StreamMessage = { data?: unknown[]; totals?: unknown; document?: unknown; index?: number; from?: number };

/** What a client of a stream shows: the body, made from whole bodies or from steps; with the body at each `id`. */
export function follow(
  events: readonly { event: string; id: string | undefined; data: string }[],
  name = 'c',
): { body: string | null; at: { id: number; body: string }[] } {
  let data: unknown[] = [];
  let totals: unknown;
  let body: string | null = null;
  const at: { id: number; body: string }[] = [];
  for (const { event, id, data: text } of events) {
    if (event === 'ping') continue;
    const message = JSON.parse(text) as StreamMessage;
    if (event === name) body = text.slice(`{"${name}":`.length, -1);
    else {
      if (event === 'snapshot') ({ data = [], totals } = message);
      else if (event === 'totals') ({ totals } = message);
      else {
        if (event !== 'enter') data.splice(message.from ?? 0, 1);
        if (event !== 'leave') data.splice(message.index ?? 0, 0, message.document);
      }
      body = JSON.stringify(totals === undefined ? data : { data, totals });
    }
    if (id !== undefined) at.push({ id: Number(id), body });
  }
  return { body, at };
}

/** A database of which only its version is looked at. */
export const anyDatabase = makeCatalogDatabase();
