import type { AdminEvent } from '@tidewire/protocol/admin-api';
import { expect, test } from 'vitest';
import { eventMatcher, isFiltering, parseEventFilter } from './event-filter.js';

const event: AdminEvent = {
  id: 42,
  type: 'post',
  collection: 'company',
  documentId: '577cf185e2039b0900000016',
  name: null,
  data: { name: 'Acme', note: { city: 'Lund' } },
  actor: 'key:abc',
  operationId: 'o',
  at: '2026-03-03T12:00:00Z',
};

test('a filter in the URL survives, and nonsense there is no filter', () => {
  expect(parseEventFilter({ type: 'put', collection: 'company', text: 'acme' })).toEqual({
    type: 'put',
    collection: 'company',
    text: 'acme',
  });
  expect(parseEventFilter({ text: 42 })).toEqual({ text: '42' });
  expect(parseEventFilter({ type: 'sing', collection: '', text: {}, other: 1 })).toEqual({});
  expect(isFiltering({})).toBe(false);
  expect(isFiltering({ text: 'a' })).toBe(true);
});

test('all parts of a filter must fit', () => {
  expect(eventMatcher({})(event)).toBe(true);
  expect(eventMatcher({ type: 'post', collection: 'company', text: 'ACME' })(event)).toBe(true);
  expect(eventMatcher({ type: 'put', collection: 'company' })(event)).toBe(false);
  expect(eventMatcher({ collection: 'comp' })(event)).toBe(false);
});

test('the text is looked for in the data, the ids and the actor', () => {
  for (const text of ['lund', '42', '577cf185', 'key:abc', ' acme ']) expect(eventMatcher({ text })(event)).toBe(true);
  expect(eventMatcher({ text: 'oslo' })(event)).toBe(false);
});
