import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idsOfRuns, runsOfIds } from './id-runs.mjs';
import { createRandom } from './random.mjs';

test('runs keep every id in its place: gaps, doubles and steps back included', () => {
  assert.deepEqual(runsOfIds([1, 2, 3, 5, 5, 4, 6, 7]), [1, 3, 5, 5, 5, 5, 4, 4, 6, 7]);
  const random = createRandom(7, 'ids');
  for (let round = 0; round < 200; round += 1) {
    const ids = Array.from({ length: random.integer(0, 30) }, () => random.integer(1, 10));
    assert.deepEqual(idsOfRuns(runsOfIds(ids)), ids);
  }
});
