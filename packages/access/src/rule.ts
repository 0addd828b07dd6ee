/**
 * A rule: which documents of a collection a user may reach, and what of them, with the user's own values in it. It is one more term of every query: of reads, writes, live
 * queries, replay, export and aggregates alike.
 *
 * Names that begin with `_` belong to the server: they are seen always, and no list of fields is about them.
 */
import type { EventType, RestMethod } from '@tidewire/protocol/channel';
import type { JsonObject } from '@tidewire/protocol/json';
import type { Filter } from '@tidewire/query/ast';
import { createMatcher, type Matcher } from '@tidewire/query/matcher';

/** What one role says. */
export type RuleTerm = {
  /** The documents that it is about; null: all. Of a write, the document before and the document after. */
  readonly filter: Filter | null;
  /** Fields at the root of a document that are seen, beside those that the server keeps; null: all. */
  readonly readFields: readonly string[] | null;
  /** Fields at the root of a document that may be written; null: all. */
  readonly writeFields: readonly string[] | null;
  /** Fields that each new document is given, whatever was sent. Null: the user lacks a value that they need, and makes none. */
  readonly defaults: JsonObject | null;
};

/** In the order of the user's roles: the first term whose filter lets a document through decides on its fields; what none lets through is not there. */
export type Rule = {
  /** Rules with the same signature mean the same. */
  readonly signature: string;
  readonly terms: readonly RuleTerm[];
};

/** The rules that bind a user. What is done is judged by those roles alone that grant it: a rule of another role neither widens nor narrows it. */
export type Rules = {
  /** Of a method of the collections API; null: all documents, whole. */
  of(method: RestMethod, collection: string): Rule | null;
  /** Of hearing events of the type; null: all documents, whole. */
  ofEvents(type: EventType, collection: string): Rule | null;
  /** Every collection that one of them may bind. */
  readonly collections: ReadonlySet<string>;
};

const matchers = new WeakMap<RuleTerm, Matcher>();

/** The term that decides on a document (with its metafields); null: the document is not there. */
export function termOf({ terms }: Rule, document: JsonObject): RuleTerm | null {
  return terms.find((term) => isOf(term, document)) ?? null;
}

/** Whether the term is about the document (with its metafields). */
export function isOf(term: RuleTerm, document: JsonObject): boolean {
  if (term.filter === null) return true;
  const matches = matchers.get(term) ?? createMatcher(term.filter);
  matchers.set(term, matches);
  return matches(document);
}

/** The document (with its metafields) as the rule shows it: the same object when it is shown whole, null when it is not there. Null for a rule: whole. */
export function seenBy(rule: Rule | null, document: JsonObject): JsonObject | null {
  if (rule === null) return document;
  const term = termOf(rule, document);
  return term === null ? null : withFields(document, term.readFields);
}

/** The fields of the list and those of the server, in their order; null for a list: all. */
export function withFields(document: JsonObject, fields: readonly string[] | null): JsonObject {
  if (fields === null) return document;
  const shown = Object.entries(document).filter(([name]) => isServers(name) || fields.includes(name));
  return Object.fromEntries(shown) as JsonObject;
}

/** Whether the field is one of the server's. */
export function isServers(name: string): boolean {
  return name.startsWith('_');
}

/** The documents that the rule lets through; null: all. */
export function reachOf(rule: Rule | null): Filter | null {
  if (rule === null || rule.terms.some(({ filter }) => filter === null)) return null;
  const items = rule.terms.flatMap(({ filter }) => filter ?? []);
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'or', items };
}

/** The fields that the rule shows of each document that it lets through; null: all. What it hides of one may not be asked of any: the answer would tell. */
export function askableFields(rule: Rule | null): ReadonlySet<string> | null {
  const lists = rule?.terms.flatMap(({ readFields }) => (readFields === null ? [] : [readFields])) ?? [];
  const [first, ...others] = lists;
  if (first === undefined) return null;
  return new Set(first.filter((name) => others.every((list) => list.includes(name))));
}

/** Whether a list of fields holds the field; null: it holds all. */
export function holds(fields: readonly string[] | null, name: string): boolean {
  return fields === null || fields.includes(name);
}

/** A change as whoever sees by a rule is shown it. `type` is another one when the document comes into view, or leaves it. */
export type SeenChange = { type: 'post' | 'put' | 'delete'; before: JsonObject | null; after: JsonObject | null };

/** The change of a document from `before` to `after` (null: not there), as the rule shows it. Null: nothing happened. */
export function changeSeenBy(
  rule: Rule | null,
  change: { before: JsonObject | null; after: JsonObject | null },
): SeenChange | null {
  const before = change.before === null ? null : seenBy(rule, change.before);
  const after = change.after === null ? null : seenBy(rule, change.after);
  if (after !== null) return { type: before === null ? 'post' : 'put', before, after };
  return before === null ? null : { type: 'delete', before, after };
}
