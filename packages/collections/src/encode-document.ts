/** The JSON text of documents in answers of the collections API, joined from stored texts so that nothing is parsed on the way. */
import { wholeDocument } from '@tidewire/change-log/document-text';
import type { StoredDocument } from '@tidewire/change-log/document-writes';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';

/** Most words of `_keywords`. */
export const keywordsLimit = 64;
/** Longer words say nothing to a search by words. */
const WORD_LIMIT_CHARS = 64;

/** `_id`, then the fields in their order: what a read without `metafields=true` gives. */
export function encodeDocument({ id, body }: Pick<StoredDocument, 'id' | 'body'>): string {
  return body.length > 2 ? `{"_id":"${id}",${body.slice(1)}` : `{"_id":"${id}"}`;
}

/**
 * The same with all metafields, as writes answer: `_created _changed _createdby _changedby _version _keywords _tags`. Pass the fields when they are
 * at hand; else the stored text is parsed for its words.
 */
export function encodeWithMetafields(document: StoredDocument, fields?: JsonObject): string {
  const keywords = findKeywords(fields ?? (JSON.parse(document.body) as JsonObject));
  const tags = JSON.stringify(keywords.join(' '));
  return `${wholeDocument(document).slice(0, -1)},"_keywords":${JSON.stringify(keywords)},"_tags":${tags}}`;
}

/** The distinct lower-case words of the string fields, at any depth, in the order in which they stand; at most 64. */
export function findKeywords(fields: JsonObject): string[] {
  const words = new Set<string>();
  collect(fields, words);
  return [...words];
}

/** Returns false when there are enough. The depth of stored documents is bounded by the body's check. */
function collect(value: JsonValue, words: Set<string>): boolean {
  if (typeof value === 'string') return addWords(value, words);
  if (typeof value !== 'object' || value === null) return true;
  for (const item of Array.isArray(value) ? value : Object.values(value)) if (!collect(item, words)) return false;
  return true;
}

function addWords(text: string, words: Set<string>): boolean {
  for (const [word] of text.matchAll(/[\p{L}\p{N}]+/gu)) {
    if (word.length > WORD_LIMIT_CHARS) continue;
    if (words.size === keywordsLimit) return false;
    words.add(word.toLowerCase());
  }
  return true;
}
