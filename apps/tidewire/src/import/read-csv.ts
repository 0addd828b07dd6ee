/**
 * Reads CSV (RFC 4180) with a line of names first. A cell becomes a number or a boolean only when it is written exactly as JSON
 * writes it, so that 007 and 1.50 stay texts; an empty cell is left out.
 */
import { Readable } from 'node:stream';
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { parse } from 'csv-parse';
import { type ImportRow, UnreadableFileError } from './import-row.js';

type Record = { record: { [name: string]: string }; info: { lines: number } };

export async function* readCsv(chunks: AsyncIterable<string>): AsyncGenerator<ImportRow> {
  const bad: ImportRow[] = [];
  const parser = parse({
    columns: true,
    bom: true,
    info: true,
    // Named, because the parser would take the first one that it sees for all, and find no row in a file that mixes them.
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    skip_records_with_error: true,
  });
  parser.on('skip', (error) =>
    bad.push({ line: Number(error?.lines ?? 0), reason: error?.message ?? 'this row cannot be read' }),
  );
  const records: AsyncIterable<Record> = Readable.from(chunks, { objectMode: false }).pipe(parser);
  try {
    for await (const { record, info } of records) {
      yield* bad.splice(0);
      yield { line: info.lines, value: readCells(record) };
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UnreadableFileError(`The file is not CSV: ${error.message}.`, { cause: error });
  }
  yield* bad;
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
