/** Which columns a page of documents gets, and what stands in their cells. */
import { metafields } from '@tidewire/protocol/names';

export type StoredDocument = Readonly<Record<string, unknown>>;

const owned: ReadonlySet<string> = new Set(metafields);

/** The documents' own fields, those that most documents have first; at most `limit`. Metafields are not among them. */
export function deriveFields(
  documents: readonly StoredDocument[],
  limit: number,
): { fields: string[]; hidden: number } {
  const uses = new Map<string, number>();
  for (const document of documents) {
    for (const field of Object.keys(document)) if (!owned.has(field)) uses.set(field, (uses.get(field) ?? 0) + 1);
  }
  // The sort is stable: fields that are used equally often stay in the order in which they were met.
  const all = [...uses].sort(([, a], [, b]) => b - a).map(([field]) => field);
  return { fields: all.slice(0, limit), hidden: Math.max(0, all.length - limit) };
}

export type CellText = { kind: 'absent' | 'empty' | 'text' | 'number' | 'word' | 'nested'; text: string };

const cellLimit = 120;

/** One value in one short line: texts are cut, nested values are counted. */
export function summarizeValue(value: unknown): CellText {
  if (value === undefined) return { kind: 'absent', text: '' };
  if (value === null || typeof value === 'boolean') return { kind: 'word', text: String(value) };
  if (typeof value === 'number') return { kind: 'number', text: String(value) };
  if (typeof value === 'string')
    return value === '' ? { kind: 'empty', text: 'empty text' } : { kind: 'text', text: cut(value) };
  if (Array.isArray(value))
    return { kind: 'nested', text: value.length === 1 ? '[1 entry]' : `[${value.length} entries]` };
  const keys = Object.keys(value);
  if (keys.length === 0) return { kind: 'nested', text: '{}' };
  return { kind: 'nested', text: cut(`{${keys.slice(0, 4).join(', ')}${keys.length > 4 ? ', …' : ''}}`) };
}

function cut(text: string): string {
  return text.length > cellLimit ? `${text.slice(0, cellLimit)}…` : text;
}

/** A metafield's text, empty when it is absent or something else. */
export function metaText(document: StoredDocument, field: (typeof metafields)[number]): string {
  const value = document[field];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

/** The own fields and the metafields of a document, apart. */
export function splitDocument(document: StoredDocument): { own: StoredDocument; meta: StoredDocument } {
  const entries = Object.entries(document);
  return {
    own: Object.fromEntries(entries.filter(([field]) => !owned.has(field))),
    meta: Object.fromEntries(entries.filter(([field]) => owned.has(field))),
  };
}
