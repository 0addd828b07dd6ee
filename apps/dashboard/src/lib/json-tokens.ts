/** Pretty-printed JSON cut into coloured pieces. The pieces joined are the text again, character for character. */

export type JsonTokenKind = 'key' | 'string' | 'number' | 'word' | 'mark';
export type JsonToken = { kind: JsonTokenKind; text: string };

// A string with its escapes, a colon behind it makes it a key; then numbers, the three words, and all the rest.
const pattern = /("(?:[^"\\]|\\.)*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/** Cuts JSON text. What is between the matches (braces, commas, blanks) becomes `mark`. */
export function tokenizeJson(text: string): JsonToken[] {
  const tokens: JsonToken[] = [];
  let end = 0;
  for (const match of text.matchAll(pattern)) {
    if (match.index > end) tokens.push({ kind: 'mark', text: text.slice(end, match.index) });
    const [whole, quoted, colon] = match;
    if (quoted === undefined) tokens.push({ kind: match[3] === undefined ? 'word' : 'number', text: whole });
    else if (colon === undefined) tokens.push({ kind: 'string', text: quoted });
    else tokens.push({ kind: 'key', text: quoted }, { kind: 'mark', text: colon });
    end = match.index + whole.length;
  }
  if (end < text.length) tokens.push({ kind: 'mark', text: text.slice(end) });
  return tokens;
}

/** JSON text with two blanks of indent. Values that JSON cannot hold become `null`, as in an array. */
export function prettyJson(value: unknown): string {
  return JSON.stringify(value, null, 2) ?? 'null';
}
