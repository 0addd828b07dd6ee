/** A row of a text that is imported: where it stands, and what it holds or what is wrong with it. */
import { bodyLimitChars } from '@tidewire/change-log/lane-plan';
import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';

/** `line` counts from 1. */
export type ImportRow = { line: number } & ({ value: JsonValue } | { reason: string });

export type ImportFormat = 'ndjson' | 'json' | 'csv';
export const importFormats: readonly ImportFormat[] = ['ndjson', 'json', 'csv'];

/** Parses JSON with the checks of a request's body; throws a Problem. */
export type ParseText = (text: string) => JsonValue;

/** Most characters of a row: as large as a document may grow, with room for its metafields. */
export const rowLimitChars = bodyLimitChars + 64 * 1024;

/** The text as a whole cannot be read in this format; the message says why. */
export class UnreadableTextError extends Error {
  override readonly name = 'UnreadableTextError';
}

/** One row of JSON text, or what is wrong with it. */
export function parseRow(line: number, text: string, parse: ParseText): ImportRow {
  if (text.length > rowLimitChars) return tooLong(line);
  try {
    return { line, value: parse(text) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { line, reason: error.code === 'invalid_json' ? 'this is not valid JSON' : error.detail };
  }
}

/** A row that is beyond `rowLimitChars`. */
export function tooLong(line: number): ImportRow {
  return { line, reason: `the row is longer than ${rowLimitChars} characters` };
}
