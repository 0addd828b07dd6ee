/**
 * Cursors for paging by key: where a document stands in an order. The text of a cursor is opaque to clients and not secret; it is base64url of JSON, with a version and the
 * order that it belongs to, and is checked in full when it comes back.
 */
import { isMetafield } from './ast.js';
import { isStoredDate } from './dates.js';
import { isJsonObject, type JsonObject, type JsonValue, memberOf } from './json.js';
import { isStorable } from './paths.js';
import { type Parsed, refuse } from './problems.js';
import { type Sort, type SortTerm, sortKeyAt, sortText } from './sort.js';
import { keyTextLength } from './sort-key.js';
import { scoreOf } from './text-search.js';

/** One text for each term of the sort, `_id` last. */
export type CursorValues = readonly string[];

const VERSION = 1;
/** Of the encoded text; more than any cursor needs. */
const LENGTH_LIMIT = 16_384;

/** Where the document, with its metafields, stands in the order. */
export function cursorOf(sort: Sort, document: JsonObject): CursorValues {
  return sort.terms.map((term) => {
    if (term.kind === 'score') return String(scoreOf(term.search, document));
    const [name = ''] = term.path;
    if (term.path.length === 1 && isMetafield(name)) return String(memberOf(document, name));
    return sortKeyAt(document, term.path, term.direction);
  });
}

/** The cursor as a text for URLs. */
export function encodeCursor(sort: Sort, values: CursorValues): string {
  return Buffer.from(JSON.stringify({ v: VERSION, s: sortText(sort), k: values })).toString('base64url');
}

/** Reads a cursor of the same sort. */
export function decodeCursor(sort: Sort, text: string): Parsed<{ values: CursorValues }> {
  const content = /^[A-Za-z0-9_-]+$/.test(text) && text.length <= LENGTH_LIMIT ? parseJson(text) : null;
  if (!isJsonObject(content) || content.v !== VERSION) {
    return refuse('', 'This is no cursor. Start again without one, and pass on what comes with each page as it is.');
  }
  if (content.s !== sortText(sort)) {
    return refuse(
      '',
      'This cursor belongs to another order. Keep the same query and order from page to page, or start again without a cursor.',
    );
  }
  const { k: values } = content;
  const isWhole = Array.isArray(values) && values.length === sort.terms.length;
  if (!isWhole || !values.every((value, index) => isPosition(sort.terms[index], value))) {
    return refuse('', 'This cursor is damaged. Start again without one.');
  }
  return { ok: true, values: values.map(String) };
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as JsonValue;
  } catch {
    // Anything may be sent; what is no JSON is no cursor.
    return null;
  }
}

function isPosition(term: SortTerm | undefined, value: JsonValue): boolean {
  if (typeof value !== 'string' || term === undefined || !isStorable(value)) return false;
  if (term.kind === 'score') return /^[0-9]{1,15}$/.test(value);
  switch (term.path.length === 1 ? term.path[0] : undefined) {
    case '_created':
    case '_changed':
      return isStoredDate(value);
    case '_version':
      return /^[0-9]{1,10}$/.test(value);
    default:
      return value.length <= 2 * keyTextLength + 1;
  }
}
