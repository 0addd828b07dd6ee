import type { JsonValue } from '@tidewire/protocol/json';
import { expect, it } from 'vitest';
import { type FoundReference, mapReferences, type ReferencePlaces } from './map-references.js';

const a = 'aaaaaaaaaaaaaaaaaaaaaaaa';
const b = 'bbbbbbbbbbbbbbbbbbbbbbbb';
const places: ReferencePlaces = { relations: new Map([['of', 'company']]), anywhere: true, isShown: () => true };
const name = ({ collection, id, declared }: FoundReference) => `${declared ? '' : '$'}${collection}/${id[0]}`;

it.each([
  [
    [{ _id: a }, { _id: b }],
    ['company/a', 'company/b'],
  ],
  [{ _id: a }, ['company/a']],
  [a, ['company/a']],
  [
    [a, 'no id', 5, null, { x: 1 }, { _id: 'x' }],
    ['company/a', 'no id', 5, null, { x: 1 }, { _id: 'x' }],
  ],
  [[], []],
  [null, null],
  ['no id', 'no id'],
  [
    { $ref: 'people', $id: a },
    { $ref: 'people', $id: a },
  ],
])('a declared field that holds %j becomes %j', (value, mapped) => {
  expect(mapReferences({ of: value as JsonValue }, places, name)).toEqual({ of: mapped });
});

it('references without a schema are replaced at any depth, but not within declared fields', () => {
  const reference = { $ref: 'people', $id: b };
  const document = { x: reference, y: [{ z: [reference, { $ref: 'x' }] }] };
  expect(mapReferences(document, places, name)).toEqual({ x: '$people/b', y: [{ z: ['$people/b', { $ref: 'x' }] }] });
  expect(document.x).toBe(reference);
  expect(mapReferences(document, { ...places, anywhere: false }, name)).toEqual(document);
});

it('fields that are not shown are passed over', () => {
  const document = { of: [{ _id: a }], x: { $ref: 'people', $id: b } };
  expect(mapReferences(document, { ...places, isShown: (field) => field === 'x' }, name)).toEqual({
    of: [{ _id: a }],
    x: '$people/b',
  });
});
