import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CommandPlace, openCommandPlace } from './commands.fixture.js';
import { checkExport, runExport } from './export.js';
import { runImport } from './import.js';
import { inferTypes } from './types.js';

const database = 'default';
let place: CommandPlace;
let core: CommandPlace['core'];

beforeAll(async () => {
  place = await openCommandPlace(database);
  ({ core } = place);
});

afterAll(() => place.close());

const at = (name: string) => place.at(name);
const importing = (collection: string, name: string, keepIds = true) =>
  runImport(core, collection, at(name), { database, format: undefined, keepIds });
const exporting = (collection: string, name: string) =>
  runExport(core, collection, at(name), { database, format: undefined, metafields: false });

test.each(['ndjson', 'json'])(
  'a collection that was exported as %s and imported again is the same file',
  async (ending) => {
    const rows = Array.from({ length: 1_500 }, (_, n) => ({ n, text: `Zeile ${n} "😀"`, list: [n, null] }));
    writeFileSync(at('rows.ndjson'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    await importing(`a-${ending}`, 'rows.ndjson');
    expect(await exporting(`a-${ending}`, `first.${ending}`)).toContain('Exported 1500 documents');
    await importing(`b-${ending}`, `first.${ending}`);
    await exporting(`b-${ending}`, `second.${ending}`);
    const first = readFileSync(at(`first.${ending}`), 'utf8');
    expect(readFileSync(at(`second.${ending}`), 'utf8')).toBe(first);
    expect(first.match(/"_id"/g)).toHaveLength(1_500);
  },
);

test('an export that fails leaves no file and no part of one', async () => {
  await expect(exporting('nobody', 'nobody.json')).rejects.toThrow(/There is no collection nobody\. There are: a-json/);
  await expect(exporting('a-json', 'missing/file.json')).rejects.toThrow('There is no folder');
  expect([existsSync(at('nobody.json')), existsSync(at('nobody.json.part'))]).toEqual([false, false]);
});

test('an ending that tells no format is a usage error', () => {
  expect(() => checkExport('company', at('rows.xls'), undefined)).toThrow(/--format ndjson, json, csv/);
});

test('types prints an interface for each collection, the same each time', async () => {
  const text = await inferTypes(core, { database });
  expect(text).toContain(
    'export interface AJson {\n  _id: string;\n  n: number;\n  text: string;\n  list: (number | null)[];\n}',
  );
  expect(text).toContain('"b-ndjson": BNdjson;');
  expect(await inferTypes(core, { database })).toBe(text);
});
