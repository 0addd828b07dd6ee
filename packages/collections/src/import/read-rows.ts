/** The reader of each format. */
import type { ImportFormat, ImportRow, ParseText } from './import-row.js';
import { readCsv } from './read-csv.js';
import { readJsonArray } from './read-json-array.js';
import { readNdjson } from './read-ndjson.js';

const readers: Record<ImportFormat, (chunks: AsyncIterable<string>, parse: ParseText) => AsyncGenerator<ImportRow>> = {
  ndjson: readNdjson,
  json: readJsonArray,
  csv: readCsv,
};

/** The rows of a text, each as soon as it is complete. Throws `UnreadableTextError`, and what the chunks throw. */
export function readRows(
  format: ImportFormat,
  chunks: AsyncIterable<string>,
  parse: ParseText,
): AsyncGenerator<ImportRow> {
  return readers[format](chunks, parse);
}
