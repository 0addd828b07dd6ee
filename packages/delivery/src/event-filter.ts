/** What a client asks to be shown of what it may hear: it narrows a stream and never widens it. */
import type { LogEvent } from '@tidewire/change-log/log-event';
import type { Filter } from '@tidewire/query/ast';
import { canonicalText } from '@tidewire/query/canonical-text';
import type { JsonObject } from '@tidewire/query/json';
import { createMatcher } from '@tidewire/query/matcher';

/** Filters with the same signature let the same events pass, so their streams share one encoding. */
export type EventFilter = {
  readonly signature: string;
  passes(event: LogEvent): boolean;
  /** Of events about documents, only those of documents that this is true for pass. Null: of any. */
  readonly query: Filter | null;
  /** Only custom events of this name, or below it, pass. Null: not only those. */
  readonly channel: string | null;
};

/** Lets everything pass. */
export const noFilter: EventFilter = { signature: '', passes: () => true, query: null, channel: null };

/**
 * The terms of a filter; null: not asked for.
 *
 * - `collections`: events of these collections; of a rename, under its old or its new name. Custom events pass only when `events` names them.
 * - `events`: types (`post put patch delete rename drop publish`, in any case; `patch` is `put`) and names of custom events, or prefixes of them (`chat.*`).
 * - `query`: on the document after a post, after or before a put, before a delete. What is about no document passes.
 */
export type FilterTerms = {
  collections: readonly string[] | null;
  events: readonly string[] | null;
  query: Filter | null;
};

/** A filter that lets an event pass when all terms do. */
export function createEventFilter({ collections, events, query }: FilterTerms): EventFilter {
  if (collections === null && events === null && query === null) return noFilter;
  const names = collections === null ? null : new Set(collections);
  const types = events === null ? null : new Set(events.map(typeOf));
  const customs = events === null ? (names === null ? null : []) : events;
  const matches = query === null ? null : createMatcher(query);

  function isAsked(event: LogEvent): boolean {
    if (event.type === 'publish')
      return (
        customs === null || types?.has('publish') === true || customs.some((name) => covers(name, event.name ?? ''))
      );
    if (types !== null && !types.has(event.type)) return false;
    return (
      names === null || names.has(event.collection ?? '') || (event.type === 'rename' && names.has(event.name ?? ''))
    );
  }

  function isMet(event: LogEvent): boolean {
    if (matches === null) return true;
    const { before, after } = documentsOf(event);
    if (before === null && after === null) return true;
    return (after !== null && matches(after)) || (before !== null && matches(before));
  }

  return {
    signature: JSON.stringify([sorted(names), sorted(events), query === null ? null : canonicalText(query)]),
    passes: (event) => isAsked(event) && isMet(event),
    query,
    channel: null,
  };
}

function typeOf(name: string): string {
  const type = name.toLowerCase();
  return type === 'patch' ? 'put' : type;
}

function covers(asked: string, name: string): boolean {
  return asked === name || (asked.endsWith('.*') && name.startsWith(asked.slice(0, -1)));
}

function sorted(names: Iterable<string> | null): string[] | null {
  return names === null ? null : [...new Set(names)].sort();
}

type Documents = { before: JsonObject | null; after: JsonObject | null };

/** Parsed once for all filters that look at the event. */
const parsed = new WeakMap<LogEvent, Documents>();

/** The documents before and after the event, parsed; null where there is none. */
export function documentsOf(event: LogEvent): Documents {
  const present = parsed.get(event);
  if (present !== undefined) return present;
  const documents = { before: parse(event.before), after: parse(event.after) };
  parsed.set(event, documents);
  return documents;
}

/** The event, whose documents are at hand in their parsed form. */
export function withDocuments(event: LogEvent, { before, after }: Documents): LogEvent {
  parsed.set(event, { before, after });
  return event;
}

/** Our own text, out of the log. */
function parse(text: string | null): JsonObject | null {
  return text === null ? null : (JSON.parse(text) as JsonObject);
}
