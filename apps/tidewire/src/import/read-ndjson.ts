/** Reads one JSON value a line; empty lines are passed over. */
import type { ImportRow } from './import-row.js';
import { parseRow } from './parse-row.js';

/** Longest line, in characters: a document is far smaller. */
const lineLimit = 16 * 1024 * 1024;

export async function* readNdjson(chunks: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  let rest = '';
  let line = 0;
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const text of parts) {
      line += 1;
      if (text.trim() !== '') yield parseRow(line, text);
    }
    if (rest.length > lineLimit) {
      yield {
        line: line + 1,
        reason: `the line is longer than ${lineLimit} characters; is this really one JSON value a line?`,
      };
      return;
    }
  }
  if (rest.trim() !== '') yield parseRow(line + 1, rest);
}
