/** Documents as a table: what CSV and HTML are made of. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';

/** Most cells of a table, empty ones too: documents with different fields make a wide one. */
export const cellsLimit = 1_000_000;

/** `columns` in the order in which they first appear; each row has one text for each column. */
export type Table = { columns: string[]; rows: string[][] };

/**
 * One row for each document, one column for each property of any of them. Without documents there are the `columns` that are given. Throws
 * `bad_request` for more than a million cells.
 */
export function tabulate(documents: readonly JsonObject[], columns: readonly string[] = []): Table {
  const names = new Set(columns);
  for (const document of documents) {
    for (const name of Object.keys(document)) names.add(name);
    if (names.size * documents.length > cellsLimit) throw tooManyCells();
  }
  const all = [...names];
  return { columns: all, rows: documents.map((document) => cellsOf(document, all)) };
}

/** One text for each column. Texts stand as they are, `null` and missing values are empty, everything else is JSON text. */
export function cellsOf(document: JsonObject, columns: readonly string[]): string[] {
  return columns.map((name) => (Object.hasOwn(document, name) ? cellText(document[name]) : ''));
}

/** A spreadsheet that opens such a text as a cell could take it for a formula. */
const formulaStart = /^[=+\-@\t\r]/;

/** Only texts: a negative number must stay one. */
export function escapeFormulas(documents: readonly JsonObject[]): JsonObject[] {
  return documents.map((document) =>
    Object.fromEntries(
      Object.entries(document).map(([name, value]) => [
        formulaStart.test(name) ? `'${name}` : name,
        typeof value === 'string' && formulaStart.test(value) ? `'${value}` : value,
      ]),
    ),
  );
}

/** RFC 4180: CRLF, a header row, quotes where needed; no byte order mark. */
export function encodeCsv({ columns, rows }: Table): string {
  return [columns, ...rows].map(encodeCsvLine).join('');
}

/** A row of CSV as RFC 4180 has it, with its CRLF. */
export function encodeCsvLine(cells: readonly string[]): string {
  return `${cells.map(quote).join()}\r\n`;
}

/** A page with one table and nothing else: no style, no script, no link; every text is escaped. */
export function encodeHtml(title: string, { columns, rows }: Table): string {
  const head = columns.map((name) => `<th scope="col">${escapeHtml(name)}</th>`).join('');
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>\n`);
  const text = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escapeHtml(title)}</title></head>
<body>
<table>
<thead><tr>${head}</tr></thead>
<tbody>
${body.join('')}</tbody>
</table>
</body>
</html>
`;
  return text;
}

function cellText(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** Also around blanks at the ends, which some readers would trim. */
function quote(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const htmlEscapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => htmlEscapes[character] ?? character);
}

function tooManyCells(): Problem {
  return new Problem(
    'bad_request',
    `The table would have more than ${cellsLimit} cells. Choose fields with $fields, or ask for fewer documents with max.`,
  );
}
