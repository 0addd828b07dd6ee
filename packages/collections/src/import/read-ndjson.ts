/** Reads one JSON value a line; empty lines are passed over. A line that is too long is passed over in the memory of one chunk, and named. */
import { type ImportRow, type ParseText, parseRow, rowLimitChars, tooLong } from './import-row.js';

export async function* readNdjson(chunks: AsyncIterable<string>, parse: ParseText): AsyncGenerator<ImportRow> {
  let rest = '';
  let line = 0;
  let isTooLong = false;
  for await (const chunk of chunks) {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) {
      line += 1;
      const text = line === 1 ? withoutMark(part) : part;
      if (isTooLong) yield tooLong(line);
      else if (text.trim() !== '') yield parseRow(line, text, parse);
      isTooLong = false;
    }
    if (rest.length > rowLimitChars) isTooLong = true;
    if (isTooLong) rest = '';
  }
  if (isTooLong) yield tooLong(line + 1);
  else if (rest.trim() !== '') yield parseRow(line + 1, line === 0 ? withoutMark(rest) : rest, parse);
}

/** Some editors put a byte order mark before the first line. */
function withoutMark(text: string): string {
  return text.startsWith('\uFEFF') ? text.slice(1) : text;
}
