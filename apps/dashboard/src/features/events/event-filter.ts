/** Which events the console shows, as it stands in the URL: `?type=post&collection=company&text=acme`. */
import type { AdminEvent } from '@tidewire/protocol/admin-api';
import { type EventType, eventTypes } from '@tidewire/protocol/channel';

export type EventFilter = { type?: EventType; collection?: string; text?: string };

/** Keeps what is a filter and passes over the rest of the URL. */
export function parseEventFilter(search: Record<string, unknown>): EventFilter {
  const type = eventTypes.find((known) => known === search.type);
  // The router reads `?text=42` as a number; it was typed as a text.
  const words = (value: unknown) =>
    typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 200) : '';
  const collection = words(search.collection);
  const text = words(search.text);
  return { ...(type ? { type } : {}), ...(collection ? { collection } : {}), ...(text ? { text } : {}) };
}

export function isFiltering(filter: EventFilter): boolean {
  return filter.type !== undefined || filter.collection !== undefined || filter.text !== undefined;
}

/** The test for one event. `text` is looked for in everything the console can show of it, whatever the case of the letters. */
export function eventMatcher(filter: EventFilter): (event: AdminEvent) => boolean {
  const text = filter.text?.trim().toLowerCase();
  return (event) =>
    (filter.type === undefined || event.type === filter.type) &&
    (filter.collection === undefined || event.collection === filter.collection) &&
    (!text || searchText(event).includes(text));
}

const searchTexts = new WeakMap<AdminEvent, string>();

/** Computed once for an event: filtering thousands of rows on each keystroke would be slow otherwise. */
function searchText(event: AdminEvent): string {
  const known = searchTexts.get(event);
  if (known !== undefined) return known;
  const parts = [
    event.id,
    event.type,
    event.collection,
    event.documentId,
    event.name,
    event.actor,
    JSON.stringify(event.data),
  ];
  const text = parts.join(' ').toLowerCase();
  searchTexts.set(event, text);
  return text;
}
