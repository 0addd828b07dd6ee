import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { describe, expect, it } from 'vitest';
import { compileShape } from './compile-shape.js';
import { parseSchema } from './parse-schema.js';
import { schemaLimits } from './schema-limits.js';

/** The wrong places of a schema; empty when it is taken. */
function wrongPlaces(schema: JsonValue): string[] {
  try {
    compileShape(schema);
    return [];
  } catch (error) {
    if (error instanceof Problem && error.code === 'validation_failed') return error.errors.map(({ field }) => field);
    throw error;
  }
}
const withProperty = (property: JsonValue, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties: { f: property },
  ...more,
});

describe('a schema', () => {
  it.each<[string, JsonValue, string[]]>([
    ['that is no object', [], ['']],
    ['without type: object', {}, ['/type']],
    ['with an unknown keyword', { type: 'object', propertys: {}, 'a/b': 1 }, ['/propertys', '/a~1b']],
    ['with an unknown keyword within', withProperty({ items: { typ: 'string' } }), ['/properties/f/items/typ']],
    [
      'with a keyword of a field below the root',
      withProperty({ properties: { g: { fieldType: 'text' } } }),
      ['/properties/f/properties/g/fieldType'],
    ],
    ['with a keyword of a field at the root', { type: 'object', unique: true }, ['/unique']],
    ['with an unknown field type', withProperty({ fieldType: 'colour' }), ['/properties/f/fieldType']],
    ['with an unknown format', withProperty({ format: 'regex' }), ['/properties/f/format']],
    ['with a format of ours', withProperty({ format: 'tidewire-date' }), ['/properties/f/format']],
    ['with another dialect', { type: 'object', $schema: 'http://json-schema.org/draft-07/schema#' }, ['/$schema']],
    ['with a remote $ref', withProperty({ $ref: 'https://example.com/a.json' }), ['/properties/f/$ref']],
    ['with a $ref to the root', withProperty({ $ref: '#' }), ['/properties/f/$ref']],
    ['with a $ref to nothing', withProperty({ $ref: '#/$defs/a' }), ['/properties/f/$ref']],
    [
      'with a $ref to what every object has',
      withProperty({ $ref: '#/$defs/constructor' }, { $defs: {} }),
      ['/properties/f/$ref'],
    ],
    ['with definitions below the root', withProperty({ $defs: {} }), ['/properties/f/$defs']],
    ['with a pattern that is none', withProperty({ pattern: '(' }), ['/properties/f/pattern']],
    ['with a back-reference', withProperty({ pattern: '(a)\\1' }), ['/properties/f/pattern']],
    [
      'with a look-ahead as a name',
      withProperty({ patternProperties: { '(?=a)': {} } }),
      ['/properties/f/patternProperties/(?=a)'],
    ],
    ['with unbounded unique items', withProperty({ uniqueItems: true }), ['/properties/f/uniqueItems']],
    ['with too many unique items', withProperty({ uniqueItems: true, maxItems: 1_001 }), ['/properties/f/uniqueItems']],
    ['with an option of nothing', withProperty({ fieldType: 'option' }), ['/properties/f/enum']],
    ['with a relation to nowhere', withProperty({ fieldType: 'relation' }), ['/properties/f/collection']],
    [
      'with a collection beside a text',
      withProperty({ fieldType: 'text', collection: 'a' }),
      ['/properties/f/collection'],
    ],
    [
      'with a unique list',
      withProperty({ fieldType: 'relations', collection: 'a', unique: true }),
      ['/properties/f/unique'],
    ],
    [
      'with a unique name that no index has',
      { type: 'object', properties: { 'a.b': { unique: true }, '1a': { unique: true } } },
      ['/properties/1a/unique', '/properties/a.b/unique'],
    ],
    [
      'with a default beside a number of the server',
      withProperty({ autoIncrement: true, default: 1 }),
      ['/properties/f/autoIncrement'],
    ],
    ['with a step of nothing', withProperty({ autoIncrement: { step: 0 } }), ['/properties/f/autoIncrement']],
    [
      'with a required child',
      withProperty({ fieldType: 'child', collection: 'a' }, { required: ['f'] }),
      ['/properties/f'],
    ],
    [
      'with a child under a path of the API',
      { type: 'object', properties: { history: { fieldType: 'child', collection: 'a' } } },
      ['/properties/history'],
    ],
    [
      'with a field of the server',
      { type: 'object', properties: { _id: {}, $a: {} } },
      ['/properties/_id', '/properties/$a'],
    ],
    [
      'with a name that JavaScript keeps',
      JSON.parse('{"type":"object","properties":{"__proto__":{"type":"string"}}}'),
      ['/properties/__proto__'],
    ],
    [
      'with wrong operands',
      withProperty({ type: 'text', minimum: '1', minLength: -1, enum: [], required: 'a' }),
      ['type', 'minimum', 'minLength', 'enum', 'required'].map((name) => `/properties/f/${name}`),
    ],
  ])('%s is refused by name', (_title, schema, places) => {
    expect(wrongPlaces(schema).sort()).toEqual(places.sort());
  });

  it('of every known kind of keyword is taken', () => {
    const schema: JsonObject = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'https://example.com/person',
      title: 'Person',
      type: 'object',
      $defs: { zip: { type: 'string', pattern: '^\\d{5}$' }, place: { properties: { zip: { $ref: '#/$defs/zip' } } } },
      properties: {
        a: { $ref: '#/$defs/place', description: 'x' },
        b: { type: ['string', 'null'], format: 'uri', minLength: 1 },
        c: { type: 'array', prefixItems: [{ const: 1 }], items: false, uniqueItems: true, maxItems: 1_000 },
        d: { oneOf: [{ type: 'string' }, { type: 'number', exclusiveMinimum: 0 }], not: { const: '' } },
        e: { patternProperties: { '^x-': true }, unevaluatedProperties: false, propertyNames: { maxLength: 9 } },
        f: { fieldType: 'text', unique: true, default: 'x' },
      },
      required: ['a'],
      dependentRequired: { a: ['b'] },
      dependentSchemas: { b: { required: ['a'] } },
      if: { required: ['b'] },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema.
      then: { minProperties: 2 },
      else: true,
      additionalProperties: false,
    };
    expect(wrongPlaces(schema)).toEqual([]);
    const shape = compileShape(schema);
    const fields = { a: { zip: '89073' }, b: 'https://example.com/', c: [1], d: 2, e: { 'x-a': 1 }, f: 'y' };
    expect(shape.check(fields)).toEqual([]);
    expect(shape.check({ ...fields, a: { zip: 'x' }, c: [1, 2], e: { y: 1 } }).map(({ field }) => field)).toEqual([
      '/a/zip',
      '/c',
      '/e/y',
    ]);
  });
});

describe('the bounds of a schema', () => {
  it('refuse more text than 64 Ki characters', () => {
    expect(wrongPlaces(withProperty({ description: 'x'.repeat(schemaLimits.textLength) }))).toEqual(['']);
  });

  it('refuse more depth than is allowed, with what is referred to', () => {
    const nested = (depth: number, end: JsonValue): JsonValue =>
      depth === 0 ? end : { items: nested(depth - 1, end) };
    expect(wrongPlaces(withProperty(nested(schemaLimits.depth - 1, {})))).toEqual([]);
    expect(wrongPlaces(withProperty(nested(schemaLimits.depth, {})))).toHaveLength(1);
    const half = schemaLimits.depth / 2;
    const halves = { $defs: { a: nested(half, {}) } };
    expect(wrongPlaces(withProperty(nested(half, { $ref: '#/$defs/a' }), halves))).not.toEqual([]);
  });

  it('refuse definitions that hold themselves, directly or by way of others', () => {
    const itself = { $defs: { a: { items: { $ref: '#/$defs/a' } } } };
    expect(wrongPlaces(withProperty({ $ref: '#/$defs/a' }, itself))).toContain('/$defs/a/items/$ref');
    const others = { $defs: { a: { items: { $ref: '#/$defs/b' } }, b: { not: { $ref: '#/$defs/a' } } } };
    expect(wrongPlaces({ type: 'object', ...others })).not.toEqual([]);
  });

  it('refuse definitions that grow without bound by being used twice each', () => {
    const definitions: JsonObject = { d0: { type: 'string' } };
    for (let n = 1; n <= 12; n += 1)
      definitions[`d${n}`] = { anyOf: [{ $ref: `#/$defs/d${n - 1}` }, { $ref: `#/$defs/d${n - 1}` }] };
    expect(wrongPlaces(withProperty({ $ref: '#/$defs/d12' }, { $defs: definitions }))).toEqual(['']);
  });

  it('tell at most twenty wrong places', () => {
    const properties = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`f${n}`, { wrong: 1 }]));
    expect(wrongPlaces({ type: 'object', properties })).toHaveLength(schemaLimits.problems);
  });

  it('hold for the time of a pattern that takes forever in JavaScript', () => {
    const shape = compileShape(withProperty({ type: 'string', pattern: '^(a+)+$' }));
    expect(shape.check({ f: `${'a'.repeat(50_000)}!` }).map(({ field }) => field)).toEqual(['/f']);
    expect(shape.check({ f: 'a'.repeat(50_000) })).toEqual([]);
    expect(shape.check({ f: 'a'.repeat(schemaLimits.patternText + 1) }).map(({ field }) => field)).toEqual(['/f']);
  });

  it('hold for the time of every format, whatever the text', () => {
    const formats = [
      'email',
      'uri',
      'uri-reference',
      'hostname',
      'ipv6',
      'duration',
      'json-pointer',
      'date-time',
      'time',
      'uuid',
    ];
    const attacks = ['a', 'a.', 'a-', ':', '1:', '%41', '/~0', 'P1', '@', 'a@', '0'].flatMap((part) =>
      [20, 250, 2_000, 1_000_000].map((length) => `${part.repeat(Math.ceil(length / part.length))}!`),
    );
    for (const format of formats) {
      const shape = compileShape(withProperty({ type: 'string', format }));
      for (const text of attacks) shape.check({ f: text });
      expect(shape.check({ f: 'a'.repeat(1_000_000) })).not.toEqual([]);
    }
  });

  it('keep what is counted apart from how a schema is written', () => {
    expect(parseSchema(withProperty({ fieldType: 'number', autoIncrement: { start: 5 } })).fields).toEqual([
      {
        name: 'f',
        fieldType: 'number',
        isRequired: false,
        isUnique: false,
        autoIncrement: { start: 5, step: 1 },
        computed: null,
      },
    ]);
  });
});
