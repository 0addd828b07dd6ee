import type { CatalogDatabase } from '@tidewire/db/catalog';
import { makeCatalogDatabase } from '@tidewire/db/catalog.fixture';
import type { JsonObject } from '@tidewire/protocol/json';
import { expect, it } from 'vitest';
import { childCollectionOf, fieldsReferringTo, relationFieldsOf } from './relation-fields.js';

/** A snapshot with these schemas, by the names of the collections. */
function databaseOf(schemas: Record<string, JsonObject | null>): CatalogDatabase {
  const names = Object.keys(schemas);
  const collections = new Map(names.map((name, index) => [name, index + 1]));
  const shapes = new Map(names.map((name, index) => [index + 1, { schema: schemas[name] ?? null, indexes: [] }]));
  return makeCatalogDatabase({ collections, shapes });
}

const to = (fieldType: string, collection: unknown): JsonObject => ({ fieldType, collection: collection as string });
const database = databaseOf({
  orders: {
    properties: {
      customer: to('relation', 'customers'),
      others: to('relations', 'customers'),
      lines: to('child', 'lines'),
      history: to('child', 'lines'),
      broken: to('relation', 'no name'),
      number: to('relation', 5),
      photo: { fieldType: 'image' },
      papers: { fieldType: 'files' },
      text: { fieldType: 'text', collection: 'customers' },
      any: true,
    },
  },
  customers: { properties: { friend: to('relation', 'customers') } },
  empty: null,
  odd: { properties: 'none' },
});

it('the fields of a schema are read by what they are', () => {
  const { relations, children, files } = relationFieldsOf(database, 1);
  expect(Object.fromEntries(relations)).toEqual({ customer: 'customers', others: 'customers' });
  expect(Object.fromEntries(children)).toEqual({ lines: 'lines' });
  expect([...files]).toEqual(['photo', 'papers']);
  expect(relationFieldsOf(database, 1)).toBe(relationFieldsOf(database, 1));
});

it('a collection without a schema, or that is not there, has none', () => {
  for (const id of [3, 4, 99, null]) expect(relationFieldsOf(database, id).relations.size).toBe(0);
  expect(childCollectionOf(database, 'empty', 'lines')).toBeNull();
  expect(childCollectionOf(database, 'nothing', 'lines')).toBeNull();
  expect(childCollectionOf(database, 'orders', 'customer')).toBeNull();
  expect(childCollectionOf(database, 'orders', 'constructor')).toBeNull();
  expect(childCollectionOf(database, 'orders', 'lines')).toBe('lines');
});

it('all fields that refer to a collection are found, by collection', () => {
  expect(fieldsReferringTo(database, 'customers')).toEqual([
    { collection: 'customers', collectionId: 2, fields: ['friend'] },
    { collection: 'orders', collectionId: 1, fields: ['customer', 'others'] },
  ]);
  expect(fieldsReferringTo(database, 'orders')).toEqual([]);
});
