/** An event in short words, for a row. */
import type { AdminEvent } from '@tidewire/protocol/admin-api';

const previewLimit = 240;

/** The collection of a change, the name of a published event. */
export function subjectOf(event: AdminEvent): string {
  return event.collection ?? event.name ?? '';
}

/** The data in one line of bounded length, without the metafields that every document has; what became of a collection. */
export function previewData(event: AdminEvent): string {
  if (event.type === 'rename') return `is ${event.name} now`;
  if (event.type === 'drop') return '';
  const text = JSON.stringify(withoutMetafields(event.data)) ?? 'null';
  return text.length > previewLimit ? `${text.slice(0, previewLimit)}…` : text;
}

function withoutMetafields(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data;
  return Object.fromEntries(Object.entries(data).filter(([field]) => !field.startsWith('_')));
}
