import type { JsonValue } from '@tidewire/protocol/json';
import { parseJsonText } from '@tidewire/server-kit/json-text';
import { expect, test } from 'vitest';
import { type ImportFormat, type ImportRow, rowLimitChars } from './import-row.js';
import { readRows } from './read-rows.js';

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let start = 0; start < text.length; start += size) yield text.slice(start, start + size);
}

const parse: (text: string) => JsonValue = parseJsonText;

async function all(format: ImportFormat, chunks: AsyncIterable<string>): Promise<ImportRow[]> {
  const list: ImportRow[] = [];
  for await (const row of readRows(format, chunks, parse)) list.push(row);
  return list;
}

const array = `[
  {"a": "br]ack,et\\"}\\\\", "n": [1, [2, {"x": 3}]]},

  "text", 4 , null,
  {"bad": tru},
  []
]
`;

test.each([1, 2, 3, 7, 1000])('a JSON array is read item by item with its lines, in chunks of %i', async (size) => {
  expect(await all('json', inChunks(array, size))).toEqual([
    { line: 2, value: { a: 'br]ack,et"}\\', n: [1, [2, { x: 3 }]] } },
    { line: 4, value: 'text' },
    { line: 4, value: 4 },
    { line: 4, value: null },
    { line: 5, reason: 'this is not valid JSON' },
    { line: 6, value: [] },
  ]);
});

test.each(['[]', ' [ ] ', '\uFEFF[\n]\n'])('the empty array %j has no rows', async (text) => {
  expect(await all('json', inChunks(text, 1))).toEqual([]);
});

test.each([
  ['', 'it is empty'],
  ['{"a":1}', 'does not begin with ['],
  ['[1, 2', 'ends before the array is closed'],
  ['[1] 2', 'something follows the array in line 1'],
])('%j is refused as a whole', async (text, reason) => {
  await expect(all('json', inChunks(text, 2))).rejects.toThrow(reason);
});

test.each([1, 5, 1000])('NDJSON is read line by line, empty ones passed over, in chunks of %i', async (size) => {
  const text = '{"a":1}\r\n\n{"b":\n{"c":"\\u0000"}\n{"d":4}';
  const rows = await all('ndjson', inChunks(text, size));
  expect(rows).toMatchObject([
    { line: 1, value: { a: 1 } },
    { line: 3, reason: 'this is not valid JSON' },
    { line: 4, reason: expect.stringContaining('0000') },
    { line: 5, value: { d: 4 } },
  ]);
});

test('CSV cells become numbers and booleans only when written as in JSON; a row of the wrong length is named', async () => {
  const text = 'name,n,ok,zip\r\n"Two, ""words""\nand a line",1.5,true,00720\nshort,row\nlast,1.50,,-3\n';
  const rows = await all('csv', inChunks(text, 4));
  expect(rows.filter((row) => 'value' in row).map((row) => ('value' in row ? row.value : null))).toEqual([
    { name: 'Two, "words"\nand a line', n: 1.5, ok: true, zip: '00720' },
    { name: 'last', n: '1.50', zip: -3 },
  ]);
  expect(rows.filter((row) => 'reason' in row)).toEqual([
    { line: 4, reason: expect.stringContaining('columns length is 4, got 2') },
  ]);
});

test('CSV whose quotes do not close is refused as a whole or by its row, never in silence', async () => {
  const outcome = await all('csv', inChunks('a,b\n"never closed,1\n', 3)).catch((error: Error) => error.message);
  expect(JSON.stringify(outcome)).toMatch(/Quote Not Closed/i);
});

test.each<[ImportFormat, (long: string) => string]>([
  ['ndjson', (long) => `{"a":1}\n${long}\n{"b":2}\n`],
  ['json', (long) => `[{"a":1},\n"${long}",\n{"b":2}]`],
])('a row of %s that is too long is named, and those around it are read', async (format, text) => {
  const rows = await all(format, inChunks(text('x'.repeat(rowLimitChars + 10)), 64 * 1024));
  expect(rows).toEqual([
    { line: 1, value: { a: 1 } },
    { line: 2, reason: expect.stringContaining('longer than') },
    { line: 3, value: { b: 2 } },
  ]);
});

test('a NUL in a cell of CSV is refused with its line, as everywhere', async () => {
  expect(await all('csv', inChunks('a,b\n1,x\u0000y\n2,z\n', 3))).toEqual([
    { line: 2, reason: expect.stringContaining('NUL') },
    { line: 3, value: { a: 2, b: 'z' } },
  ]);
});

test.each<ImportFormat>(['ndjson', 'json', 'csv'])(
  'what the source of %s fails with comes out as it is',
  async (format) => {
    async function* broken(): AsyncGenerator<string> {
      yield '[{"a":1},';
      throw new TypeError('the source broke');
    }
    await expect(all(format, broken())).rejects.toThrow('the source broke');
  },
);
