import { expect, test } from 'vitest';
import { collectionOfGrants } from './collection-of-grants.js';

test('examples use a collection that the key was granted, never an event name or a star', () => {
  expect(collectionOfGrants({ rest: ['GET:*', 'POST:orders'], listen: [] })).toBe('orders');
  expect(collectionOfGrants({ rest: [], listen: ['PUBLISH:goal', 'POST:company'] })).toBe('company');
  expect(collectionOfGrants({ rest: ['*:*'], listen: [] })).toBeUndefined();
});
