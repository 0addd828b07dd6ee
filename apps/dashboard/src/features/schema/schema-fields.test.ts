import { expect, test } from 'vitest';
import { fieldsOfSchema, type SchemaField } from './schema-fields.js';

const plain: Omit<SchemaField, 'name' | 'type'> = {
  isRequired: false,
  isUnique: false,
  defaultText: null,
  autoIncrement: null,
  computed: null,
  relation: null,
};

test('each field is told with all that the schema says of it', () => {
  const fields = fieldsOfSchema({
    type: 'object',
    required: ['email'],
    properties: {
      no: { fieldType: 'number', autoIncrement: true },
      ticket: { type: 'integer', autoIncrement: { start: 100, step: 10 } },
      email: { fieldType: 'email', unique: true },
      state: { fieldType: 'option', enum: ['new', 'old'], default: 'new' },
      company: { fieldType: 'relation', collection: 'company' },
      tasks: { fieldType: 'child', collection: 'task' },
      label: { computed: 'email + "!"' },
    },
  });
  expect(fields).toEqual([
    { ...plain, name: 'no', type: 'number', autoIncrement: 'from 1' },
    { ...plain, name: 'ticket', type: 'integer', autoIncrement: 'from 100, in steps of 10' },
    { ...plain, name: 'email', type: 'email', isRequired: true, isUnique: true },
    { ...plain, name: 'state', type: 'option', defaultText: '"new"' },
    { ...plain, name: 'company', type: 'relation', relation: { collection: 'company', isChild: false } },
    { ...plain, name: 'tasks', type: 'child', relation: { collection: 'task', isChild: true } },
    { ...plain, name: 'label', type: 'any', computed: 'email + "!"' },
  ]);
});

test('plain JSON Schema is told by its types', () => {
  const types = fieldsOfSchema({
    properties: {
      a: { type: ['string', 'null'] },
      b: { type: 'string', format: 'date-time' },
      c: { type: 'array', items: { type: 'number' } },
      d: { enum: [1, 2] },
      e: { $ref: '#/$defs/address' },
      f: true,
      g: false,
      h: { fieldType: 'txt' },
    },
  }).map(({ type }) => type);
  expect(types).toEqual([
    'string or null',
    'string (date-time)',
    'array of number',
    'one of a list',
    'address',
    'any',
    'nothing',
    'txt (unknown)',
  ]);
});

test('what is no schema has no fields', () => {
  for (const value of [null, [], 'x', 1, true, {}, { properties: [] }, { properties: null }])
    expect(fieldsOfSchema(value)).toEqual([]);
});
