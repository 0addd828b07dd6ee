/**
 * The port between live queries and what reads documents: a source says what a live query asks for, reads it as it is at one moment, and shapes a changed document as
 * that read would. What a source gives never depends on who asks: whoever may not see the same has another source.
 */
import type { Filter } from './ast.js';
import type { JsonObject } from './json.js';

/** A document of the result as the answer shows it: its JSON text. */
export type ShownRow = { readonly id: string; readonly text: string };

/** `place`: its place in the order, as `compare` reads it. `isLinked`: what is shown of it depends on other documents too, so it cannot be shown by itself. */
export type LiveRow = ShownRow & { readonly place: readonly string[]; readonly isLinked: boolean };

/** The result as it is after event `at`. `rows`: the first ones in order, as many as were wanted or all. `total`: null when it was not asked for. */
export type LiveRows = { at: number; rows: LiveRow[]; total: number | null };

type Common = {
  /** Equal texts are equal queries. */
  readonly key: string;
  /** Name of the messages, and of the member that holds the answer. */
  readonly name: string;
};

/** A page of documents in an order, kept up to date in memory by the events of its collection. */
export interface WindowSource extends Common {
  readonly kind: 'window';
  readonly collection: string;
  /** Null: every document. */
  readonly filter: Filter | null;
  readonly skip: number;
  readonly max: number;
  /** A total order: 0 only for the same place of the same document. */
  compare(a: LiveRow, b: LiveRow): number;
  /** True of a document (with its metafields) that belongs to the result. */
  matches(document: JsonObject): boolean;
  /** The row of a document that matches. */
  rowOf(document: JsonObject): LiveRow;
  /** One snapshot of the first `wanted` rows, not older than the call. Rejects with a Problem when it is refused. */
  read(wanted: number): Promise<LiveRows>;
  /** The body of the REST route for this page. `total`: of the whole result, null when it was not asked for. */
  bodyOf(page: readonly ShownRow[], total: number | null): string;
  /** The `totals` of that body as JSON; null when they were not asked for. */
  totalsOf(page: readonly ShownRow[], total: number | null): string | null;
  /** The same answer read anew each time, for when the page cannot be kept up in memory. */
  readonly anew: RereadSource;
}

/** `at`: the event after which it is so, null when that is not known. `rows`: its documents one by one, null when there are none to tell apart. */
export type RereadAnswer = {
  at: number | null;
  body: string;
  rows: readonly ShownRow[] | null;
  totals: string | null;
  /** Collections of which documents are shown besides those that the source names. */
  collections: readonly string[];
};

/** An answer that is read anew after each change that it depends on: aggregates, embedded documents, searches by score, lists of the catalog. */
export interface RereadSource extends Common {
  readonly kind: 'reread';
  /** Collections whose changes can change the answer; `all`: every event of the database can. */
  readonly collections: ReadonlySet<string> | 'all';
  /** The collection whose documents are the rows; null when there are no rows. */
  readonly collection: string | null;
  /** True when a change of the database's configuration can change it. */
  readonly isOfConfiguration: boolean;
  /** Least time between two reads, in milliseconds. */
  readonly pauseMs: number;
  /** Seconds after which it is read although nothing was heard; null: never. */
  readonly everySeconds: number | null;
  /** One snapshot, not older than the call. Rejects with a Problem when it is refused. */
  read(): Promise<RereadAnswer>;
}

/** Either kind. */
export type LiveSource = WindowSource | RereadSource;
