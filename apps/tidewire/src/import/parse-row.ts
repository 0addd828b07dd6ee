/** Parses the JSON text of one row with the checks that a request's body gets. */
import { Problem } from '@tidewire/protocol/problem';
import { parseJsonText } from '@tidewire/server-kit/json-text';
import type { ImportRow } from './import-row.js';

export function parseRow(line: number, text: string): ImportRow {
  try {
    return { line, value: parseJsonText(text) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    return { line, reason: error.code === 'invalid_json' ? 'this is not valid JSON' : error.detail };
  }
}
