import assert from 'node:assert/strict';
import { test } from 'node:test';
import { welchT } from './statistics.mjs';

test('Welch’s t is that of a worked example, changes its sign with the sides, and is 0 for the same samples', () => {
  // By hand: means 3 and 6, variances 2.5 and 10, five samples each.
  const [left, right] = [
    [1, 2, 3, 4, 5],
    [2, 4, 6, 8, 10],
  ];
  assert.ok(Math.abs(welchT(left, right) - -3 / Math.sqrt(0.5 + 2)) < 1e-12);
  assert.equal(welchT(right, left), -welchT(left, right));
  assert.equal(welchT(left, left), 0);
  assert.equal(welchT([1, 1], [1, 1]), 0);
});

test('Welch’s t finds a difference of a fiftieth of the spread in enough samples, and none where there is none', () => {
  const samples = (shift) => Array.from({ length: 40_000 }, (_, n) => ((n * 7919) % 1_000) / 1_000 + shift);
  assert.ok(welchT(samples(0.02), samples(0)) > 4.5);
  assert.ok(Math.abs(welchT(samples(0), samples(0))) < 4.5);
});
