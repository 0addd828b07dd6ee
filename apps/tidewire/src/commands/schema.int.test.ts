import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SilentFailure } from '../exit.js';
import { type CommandPlace, openCommandPlace } from './commands.fixture.js';
import { runImport } from './import.js';
import { getSchema, readSchemaFile, setSchema } from './schema.js';
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
const options = { database, dryRun: false, acceptFailing: false };

test('a schema is set, got back as a file, and shown as types', async () => {
  const schema = { type: 'object', properties: { n: { fieldType: 'number' } }, required: ['n'] };
  writeFileSync(at('schema.json'), JSON.stringify(schema));
  const text = await setSchema(core, 'thing', readSchemaFile('thing', at('schema.json')), options);
  expect(text).toBe('0 of 0 documents fail the schema.\nthing is held to the schema now.\n');
  expect(JSON.parse(await getSchema(core, 'thing', undefined, { database }))).toEqual(schema);
  await getSchema(core, 'thing', at('got.json'), { database });
  expect(JSON.parse(readFileSync(at('got.json'), 'utf8'))).toEqual(schema);
  expect(await inferTypes(core, { database })).toContain('export interface Thing {\n  _id: string;\n  n: number;\n');
});

test('an import is held to the schema, and a schema names the documents that fail it', async () => {
  writeFileSync(at('rows.ndjson'), '{"n":1}\n{"n":"x"}\n{"n":3}\n');
  const importing = runImport(core, 'thing', at('rows.ndjson'), { database, format: undefined, keepIds: false });
  await expect(importing).rejects.toThrow(SilentFailure);
  const stricter = { type: 'object', properties: { n: { fieldType: 'number', maximum: 2 } } };
  const dry = await setSchema(core, 'thing', stricter, { ...options, dryRun: true });
  expect(dry).toMatch(
    /^1 of 2 documents fail the schema\.\n {2}[0-9a-f]{24} {2}\/n: the number is too great \(allowed: 2 or less\)\n$/,
  );
  await expect(setSchema(core, 'thing', stricter, options)).rejects.toMatchObject({ code: 'conflict' });
  expect(await setSchema(core, 'thing', stricter, { ...options, acceptFailing: true })).toContain(
    'held to the schema now',
  );
});

test('a file that is none, and a schema that is none, are said', async () => {
  expect(() => readSchemaFile('thing', at('missing.json'))).toThrow('There is no file');
  writeFileSync(at('broken.json'), '{');
  expect(() => readSchemaFile('thing', at('broken.json'))).toThrow('broken.json');
  await expect(setSchema(core, 'thing', { type: 'objekt' }, options)).rejects.toThrow('documents are objects');
  await expect(getSchema(core, 'nothing', undefined, { database })).rejects.toMatchObject({ code: 'not_found' });
});
