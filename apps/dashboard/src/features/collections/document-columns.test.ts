import { expect, test } from 'vitest';
import { deriveFields, splitDocument, summarizeValue } from './document-columns.js';

test('fields that most documents have come first, metafields never, and the rest is counted', () => {
  const documents = [
    { _id: '1', _created: 'x', name: 'a' },
    { _id: '2', city: 'b', name: 'c', age: 1 },
    { _id: '3', city: 'd', odd: true },
  ];
  expect(deriveFields(documents, 10)).toEqual({ fields: ['name', 'city', 'age', 'odd'], hidden: 0 });
  expect(deriveFields(documents, 2)).toEqual({ fields: ['name', 'city'], hidden: 2 });
  expect(deriveFields([], 5)).toEqual({ fields: [], hidden: 0 });
});

test('every kind of value has one short line', () => {
  expect(summarizeValue(undefined).kind).toBe('absent');
  expect(summarizeValue(null)).toEqual({ kind: 'word', text: 'null' });
  expect(summarizeValue('')).toEqual({ kind: 'empty', text: 'empty text' });
  expect(summarizeValue(0)).toEqual({ kind: 'number', text: '0' });
  expect(summarizeValue([1, 2]).text).toBe('[2 entries]');
  expect(summarizeValue({ a: 1, b: 2, c: 3, d: 4, e: 5 }).text).toBe('{a, b, c, d, …}');
  expect(summarizeValue('x'.repeat(10_000)).text).toHaveLength(121);
});

test('a document is split into what it says and what the server keeps about it', () => {
  expect(splitDocument({ _id: '1', name: 'a', _version: 2 })).toEqual({
    own: { name: 'a' },
    meta: { _id: '1', _version: 2 },
  });
});
