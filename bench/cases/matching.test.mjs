import assert from 'node:assert/strict';
import { test } from 'node:test';
import { check } from './matching.mjs';

const count = 5;
const enter = (number) => ({
  code: `code-${String((number * 7_919) % count).padStart(6, '0')}`,
  event: 'enter',
  number,
});
const good = [1, 2, 3, 4, 5, 6, 7].map(enter);

test('steps that each went to their own stream, once and in order, have no fault', () => {
  assert.deepEqual(check({ received: good }, 1, 7, count), []);
});

const faulty = {
  'a step that is missing': good.slice(1),
  'a step that came twice': [...good, good[2]],
  'a step that came to another stream': [...good.slice(1), { ...good[0], code: enter(2).code }],
  'steps of one stream in the wrong order': [...good.slice(1, 6), good[6], good[0]],
  'a step of another kind': [...good.slice(1), { ...good[0], event: 'leave' }],
};

for (const [name, received] of Object.entries(faulty)) {
  test(`${name} is a fault`, () => assert.notDeepEqual(check({ received }, 1, 7, count), []));
}
