import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fingerprintOfResult, fingerprintOfState } from './live-query-model.mjs';

const rows = [
  { id: 'a', value: 5, by: 'w1', fingerprint: 1 },
  { id: 'b', value: 9, by: 'w2', fingerprint: 2 },
  { id: 'c', value: 5, by: 'w1', fingerprint: 3 },
  { id: 'd', value: 1, by: 'w1', fingerprint: 4 },
];
const whole = {
  ...{ collection: 'alpha', search: '', isIn: () => true, skip: 0, max: 10, totals: false },
  ...{ sort: /** @type {const} */ ('_id'), isDescending: false },
};

test('a query of the model filters, sorts by value and then by id, and cuts its page out', () => {
  assert.equal(fingerprintOfResult(whole, rows), fingerprintOfState([1, 2, 3, 4], null));
  const page = { ...whole, sort: /** @type {const} */ ('value'), skip: 1, max: 2, totals: true };
  assert.equal(fingerprintOfResult(page, rows), fingerprintOfState([1, 3], 4));
  const mine = {
    ...whole,
    isIn: ({ by }) => by === 'w1',
    sort: /** @type {const} */ ('value'),
    isDescending: true,
    max: 1,
  };
  assert.notEqual(fingerprintOfResult(mine, rows), fingerprintOfState([2], null));
});

test('equal documents stand in the order of their ids, in the direction of the field', () => {
  const ascending = { ...whole, sort: /** @type {const} */ ('value') };
  assert.equal(fingerprintOfResult(ascending, rows), fingerprintOfState([4, 1, 3, 2], null));
  assert.equal(fingerprintOfResult({ ...ascending, isDescending: true }, rows), fingerprintOfState([2, 3, 1, 4], null));
});

test('a state differs from another in its order and in its total', () => {
  assert.notEqual(fingerprintOfState([1, 2], null), fingerprintOfState([2, 1], null));
  assert.notEqual(fingerprintOfState([1], 1), fingerprintOfState([1], 2));
});
