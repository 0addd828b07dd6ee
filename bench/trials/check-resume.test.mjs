import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkResume } from './check-resume.mjs';

/** Events 1 … 100; every third one is of the part. */
const events = new Map(
  Array.from({ length: 100 }, (_, index) => [
    index + 1,
    { event: 'post', data: `{"n":${index + 1}}`, isOfPart: index % 3 === 0 },
  ]),
);
const item = (id) => ({ kind: 'event', id, event: 'post', data: `{"n":${id}}` });
const items = (from, to) => Array.from({ length: to - from + 1 }, (_, index) => item(from + index));
const reset = (reason, { oldest = 41, newest = 90 } = {}) => ({
  ...{ kind: 'reset', id: newest, event: 'reset' },
  data: JSON.stringify({ reason, oldest, newest }),
});
const reach = { before: { head: 90, oldest: 40 }, after: { head: 100, oldest: 41 } };
const check = (cursor, came, { isWhole = true, end = 100 } = {}) =>
  checkResume({ ...reach, answer: { items: came, cursor: end }, cursor, isWhole, events });
const faultOf = (...given) => check(...given).fault ?? null;

test('an exact replay is taken, of all and of a part', () => {
  assert.deepEqual(check(60, items(61, 100)), { resets: [], shown: 40 });
  const part = items(61, 100).filter(({ id }) => events.get(id)?.isOfPart);
  assert.deepEqual(check(60, part, { isWhole: false }), { resets: [], shown: part.length });
  assert.deepEqual(check(95, [], { isWhole: false, end: 96 }), { resets: [], shown: 0 });
});

test('a reset is taken where it is needed, first or on the way, and what follows is exact', () => {
  assert.deepEqual(check(10, [reset('retention'), ...items(91, 100)]), {
    resets: [{ reason: 'retention', isFirst: true }],
    shown: 10,
  });
  assert.deepEqual(check(5, [...items(6, 20), reset('retention'), ...items(91, 100)]).resets, [
    { reason: 'retention', isFirst: false },
  ]);
  assert.equal(faultOf(5_000, [reset('unknown'), ...items(91, 100)]), null);
  assert.equal(faultOf(-1, [reset('unknown'), ...items(91, 100)]), null);
});

for (const [name, cursor, came, options] of [
  ['a hole', 60, [...items(61, 70), ...items(72, 100)]],
  ['a hole at the beginning', 60, items(62, 100)],
  ['a hole at the end', 60, items(61, 99)],
  ['a double', 60, [...items(61, 70), ...items(70, 100)]],
  ['two in the wrong order', 60, [item(62), item(61), ...items(63, 100)]],
  ['an event from before the cursor', 60, items(60, 100)],
  ['other data', 60, [{ ...item(61), data: '{"n":62}' }, ...items(62, 100)]],
  ['another type', 60, [{ ...item(61), event: 'put' }, ...items(62, 100)]],
  ['what may not be heard', 60, items(61, 100), { isWhole: false }],
  ['a silent jump over what the log has lost', 10, items(91, 100)],
  ['a reset that nothing asked for', 60, [reset('retention'), ...items(91, 100)]],
  ['a reset on the way that nothing asked for', 50, [...items(51, 60), reset('retention'), ...items(91, 100)]],
  ['the wrong reason', 10, [reset('unknown'), ...items(91, 100)]],
  ['the wrong reason for a cursor that was never given out', 5_000, [reset('retention'), ...items(91, 100)]],
  ['a hole behind a reset', 10, [reset('retention'), ...items(92, 100)]],
  ['a reset into the future', 10, [reset('retention', { newest: 101 })], { end: 101 }],
  ['a reset that names an oldest event that is not', 10, [reset('retention', { oldest: 77 }), ...items(91, 100)]],
])
  test(`${name} is found`, () => assert.notEqual(faultOf(cursor, came, options), null));
