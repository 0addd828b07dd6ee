import type { JsonObject } from '@tidewire/protocol/json';
import { expect, it } from 'vitest';
import { publishedSchemaOf } from './json-schema.js';
import { renderSchemaType } from './schema-types.js';

const schema: JsonObject = {
  type: 'object',
  $defs: {
    place: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
  properties: {
    no: { fieldType: 'number', autoIncrement: true },
    'first-name': { fieldType: 'text' },
    state: { fieldType: 'option', enum: ['new', 3] },
    day: { fieldType: 'date' },
    company: { fieldType: 'relation', collection: 'company' },
    people: { fieldType: 'child', collection: 'person' },
    home: { $ref: '#/$defs/place' },
    tags: { type: 'array', items: { type: ['string', 'number'] } },
    either: { oneOf: [{ type: 'boolean' }, { const: 'x' }] },
    anything: { fieldType: 'json' },
    label: { computed: 'string(no)' },
  },
  required: ['no', 'state', 'home'],
};

it('a schema is the type of its documents as they are read', () => {
  expect(renderSchemaType(publishedSchemaOf(schema).document)).toBe(`{
  _id: string;
  no: number;
  "first-name"?: string | null;
  state: "new" | 3;
  day?: string | null;
  company?: {
    _id: string;
    [field: string]: unknown;
  }[];
  home: {
    city: string;
  };
  tags?: (string | number)[];
  either?: boolean | "x";
  anything?: unknown;
  label?: unknown;
  [field: string]: unknown;
}`);
});

it('what a client may send has no fields that the server makes, and relations in any form', () => {
  const { fields } = publishedSchemaOf(schema);
  expect(Object.keys(fields.properties ?? {})).toEqual([
    'first-name',
    'state',
    'day',
    'company',
    'home',
    'tags',
    'either',
    'anything',
  ]);
  expect(fields).toMatchObject({ required: ['state', 'home'], properties: { company: {} } });
  expect(JSON.stringify(fields)).not.toContain('tidewire-');
});
