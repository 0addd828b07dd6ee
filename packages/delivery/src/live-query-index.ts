/**
 * Finds the live queries that a document could concern, by the values that they ask for: the cost of a change grows with the queries that it may touch and with the number of
 * different paths that queries ask for, not with the number of queries. Pure; what it finds is a superset, the matcher decides.
 *
 * Invariants (the tests cite the numbers):
 * 1. Every query whose filter is true for the document is among its candidates, each once.
 * 2. What was removed leaves nothing behind.
 */
import type { Filter } from '@tidewire/query/ast';
import { type EqualityTerm, type Scalar, smallestCover, termValuesOf } from '@tidewire/query/equality-terms';
import type { JsonObject } from '@tidewire/query/json';

/** The queries that ask for a value at one path. */
type Shelf<Query> = { path: readonly string[]; byValue: Map<Scalar, Set<Query>> };

export class LiveQueryIndex<Query> {
  readonly #shelves = new Map<string, Shelf<Query>>();
  /** Those that name no value. */
  readonly #unfiled = new Set<Query>();
  readonly #terms = new Map<Query, readonly EqualityTerm[] | null>();

  get size(): number {
    return this.#terms.size;
  }

  /** Files the query under the fewest values that its filter (null: every document) asks for. */
  add(query: Query, filter: Filter | null): void {
    const terms = filter === null ? null : smallestCover(filter);
    this.#terms.set(query, terms);
    if (terms === null) this.#unfiled.add(query);
    else for (const term of terms) this.#file(query, term);
  }

  #file(query: Query, term: EqualityTerm): void {
    const name = nameOf(term);
    const shelf = this.#shelves.get(name) ?? { path: term.path, byValue: new Map<Scalar, Set<Query>>() };
    this.#shelves.set(name, shelf);
    for (const value of term.values) {
      const queries = shelf.byValue.get(value);
      if (queries === undefined) shelf.byValue.set(value, new Set([query]));
      else queries.add(query);
    }
  }

  remove(query: Query): void {
    const terms = this.#terms.get(query) ?? [];
    this.#terms.delete(query);
    this.#unfiled.delete(query);
    for (const term of terms) this.#unfile(query, term);
  }

  #unfile(query: Query, term: EqualityTerm): void {
    const shelf = this.#shelves.get(nameOf(term));
    if (shelf === undefined) return;
    for (const value of term.values) {
      const queries = shelf.byValue.get(value);
      queries?.delete(query);
      if (queries?.size === 0) shelf.byValue.delete(value);
    }
    if (shelf.byValue.size === 0) this.#shelves.delete(nameOf(term));
  }

  /** The queries that one of these documents (with their metafields) could match. */
  candidates(documents: readonly JsonObject[]): Set<Query> {
    const found = new Set(this.#unfiled);
    for (const { path, byValue } of this.#shelves.values()) {
      for (const document of documents) {
        for (const value of termValuesOf(document, path))
          for (const query of byValue.get(value) ?? []) found.add(query);
      }
    }
    return found;
  }
}

function nameOf({ path }: EqualityTerm): string {
  return JSON.stringify(path);
}
