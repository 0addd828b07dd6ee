/** What a shape makes of documents, told to a validator that is not ours to configure. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
// biome-ignore lint/style/noRestrictedImports: the package has no other name for this dialect.
import { Ajv2020 } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileShape } from './compile-shape.js';

const seed = 20_260_301;

/** Each field type with what a plain validator makes of its stored value, and of null. */
const id = { type: 'string', pattern: '^[0-9a-f]{24}$' };
const reference = { type: 'object', required: ['_id'], properties: { _id: id }, additionalProperties: false };
const plain: Record<string, JsonObject> = {
  text: { type: ['string', 'null'] },
  richtext: { type: ['string', 'null'] },
  email: { type: ['string', 'null'], format: 'email' },
  number: { type: ['integer', 'null'] },
  float: { type: ['number', 'null'] },
  money: { type: ['number', 'null'] },
  bool: { type: ['boolean', 'null'] },
  date: { anyOf: [{ type: 'null' }, { type: 'string', format: 'date' }, { type: 'string', format: 'date-time' }] },
  datetime: { type: ['string', 'null'], format: 'date-time' },
  time: { type: ['string', 'null'], pattern: '^[0-9]{2}:[0-9]{2}' },
  option: { enum: ['red', 'green', 3, null] },
  json: {},
  image: { type: 'array', maxItems: 1, items: id },
  images: { type: 'array', items: id },
  file: { type: 'array', maxItems: 1, items: id },
  files: { type: 'array', items: id },
  relation: { type: 'array', maxItems: 1, items: reference },
  relations: { type: 'array', items: reference },
};
const properties = Object.fromEntries(
  Object.keys(plain).map((fieldType) => {
    const more: JsonObject = fieldType.startsWith('relation') ? { collection: 'other' } : {};
    return [fieldType, { fieldType, ...more, ...(fieldType === 'option' ? { enum: ['red', 'green', 3] } : {}) }];
  }),
);
const shape = compileShape({
  type: 'object',
  properties: {
    ...properties,
    no: { fieldType: 'number', autoIncrement: true },
    state: { fieldType: 'text', default: 'new' },
    label: { computed: 'text == null ? "none" : "a text"' },
    nested: { type: 'object', properties: { deep: { type: 'string', default: 'x' } }, required: ['deep'] },
    people: { fieldType: 'child', collection: 'person' },
  },
  required: ['no', 'state', 'label'],
});
const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
ajvFormats.default(ajv);
const isValid = ajv.compile({
  type: 'object',
  properties: {
    ...plain,
    no: { type: 'integer' },
    state: { type: ['string', 'null'] },
    label: { enum: ['none', 'a text'] },
    nested: { type: 'object', properties: { deep: { type: 'string' } }, required: ['deep'] },
    people: false,
  },
  required: ['no', 'state', 'label'],
});

const idText = fc.stringMatching(/^[0-9a-f]{24}$/);
const reasonable: fc.Arbitrary<JsonValue> = fc.oneof(
  fc.constant(null),
  idText,
  idText.map((_id) => ({ _id, name: 'x' })),
  fc.array(
    fc.oneof(
      idText,
      idText.map((_id) => ({ _id })),
    ),
    { maxLength: 3 },
  ),
  fc.integer(),
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom('red', '2026-03-01', '2026-03-01T10:00:00Z', '10:00', 'anna@example.com', '', '24:00', '2026-02-30'),
  fc.string(),
  fc.record({ deep: fc.string() }, { requiredKeys: [] }),
);
const anything: fc.Arbitrary<JsonValue> = fc.oneof(
  { weight: 9, arbitrary: reasonable },
  fc.jsonValue() as fc.Arbitrary<JsonValue>,
);
const names = [...Object.keys(plain), 'no', 'state', 'label', 'nested', 'people', 'more'];
const document = fc.dictionary(fc.constantFrom(...names), anything, { maxKeys: 6 }) as fc.Arbitrary<JsonObject>;

const outcomeOf = (work: () => JsonObject): JsonObject | Problem => {
  try {
    return work();
  } catch (error) {
    if (error instanceof Problem && error.code === 'validation_failed') return error;
    throw error;
  }
};

test(`what is stored is valid, whatever was sent, or it was refused by name (seed ${seed})`, () => {
  let stored = 0;
  fc.assert(
    fc.property(document, document, fc.boolean(), (sent, changes, isReplaced) => {
      const before = JSON.stringify(sent);
      const made = outcomeOf(() => shape.prepareNew(sent, { numbers: new Map([['no', 3]]), isValidated: true }));
      expect(JSON.stringify(sent)).toBe(before);
      if (made instanceof Problem) {
        expect(made.errors.length).toBeGreaterThan(0);
        return;
      }
      stored += 1;
      expect(isValid(made), JSON.stringify({ sent, made, errors: isValid.errors })).toBe(true);
      expect(made).toMatchObject({ no: 3 });
      // What is stored stays as it is when it is written again.
      expect(shape.prepareChanged(made, made, { isReplaced: true })).toEqual(made);
      const changed = outcomeOf(() =>
        shape.prepareChanged(made, { ...(isReplaced ? {} : made), ...changes }, { isReplaced }),
      );
      if (changed instanceof Problem) return;
      expect(isValid(changed), JSON.stringify({ changes, changed, errors: isValid.errors })).toBe(true);
      expect(changed).toMatchObject({ no: 3 });
    }),
    { seed, numRuns: 1_500 },
  );
  expect(stored).toBeGreaterThan(100);
}, 30_000);
