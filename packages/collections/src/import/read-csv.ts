/**
 * Reads CSV (RFC 4180) with a line of names first. A cell becomes a number or a boolean only when it is written exactly as JSON
 * writes it, so that 007 and 1.50 stay texts; an empty cell is left out.
 */
import { pipeline, Readable } from 'node:stream';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { parse as createParser } from 'csv-parse';
import { type ImportRow, type ParseText, parseRow, rowLimitChars, UnreadableTextError } from './import-row.js';

type Record = { record: { [name: string]: string }; info: { lines: number } };

/** So many broken rows in succession are no CSV; until a good one comes they wait in memory. */
const brokenLimit = 100_000;

/** Rows of the wrong length are named; throws `UnreadableTextError` when the text as a whole is no CSV. */
export async function* readCsv(chunks: AsyncIterable<string>, parse: ParseText): AsyncGenerator<ImportRow> {
  const bad: ImportRow[] = [];
  const parser = createParser({
    columns: true,
    bom: true,
    info: true,
    // Named, because the parser would take the first one that it sees for all, and find no row in a file that mixes them.
    record_delimiter: ['\r\n', '\n', '\r'],
    max_record_size: rowLimitChars,
    skip_empty_lines: true,
    skip_records_with_error: true,
  });
  parser.on('skip', (error) => {
    bad.push({ line: Number(error?.lines ?? 0), reason: error?.message ?? 'this row cannot be read' });
    if (bad.length > brokenLimit) parser.destroy(new UnreadableTextError('This is not CSV: no row can be read.'));
  });
  const records: AsyncIterable<Record> = pipeline(
    Readable.from(chunks, { objectMode: false }),
    parser,
    () => undefined,
  );
  try {
    for await (const { record, info } of records) {
      yield* bad.splice(0);
      // The cells take the way of every other row, so that nothing is stored that JSON would be refused for.
      yield parseRow(info.lines, JSON.stringify(readCells(record)), parse);
    }
  } catch (error) {
    if (!isCsvError(error)) throw error;
    throw new UnreadableTextError(`This is not CSV: ${error.message}.`, { cause: error });
  }
  yield* bad;
}

function isCsvError(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('CSV_');
}

function readCells(record: { [name: string]: string }): JsonObject {
  const cells = Object.entries(record).filter(([, text]) => text !== '');
  return Object.fromEntries(cells.map(([name, text]) => [name, readCell(text)]));
}

function readCell(text: string): JsonValue {
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isFinite(number) && String(number) === text ? number : text;
}
