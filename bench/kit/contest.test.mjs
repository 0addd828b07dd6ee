import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContest, rowsAgainst } from './contest.mjs';

const ours = /** @type {any} */ ({ name: 'Tidewire', label: 'Tidewire', dialect: 'tidewire' });
let stops = 0;
const stop = async () => {
  stops += 1;
};
const peer = /** @type {any} */ ({ name: 'peer', label: 'a peer', dialect: 'nchan', stop });
const good = async () => ({ figure: 1, faults: [] });
const contestOf = () => createContest(() => undefined);

test('a fault of Tidewire fails the run, and its figures of that run do not count', async () => {
  const contest = contestOf();
  const results = await contest.rounds(2, [ours, peer], (target) =>
    target === ours ? Promise.resolve({ figure: 1, faults: ['an event came twice'] }) : good(),
  );
  assert.deepEqual(Object.keys(results), ['peer']);
  assert.equal(contest.faults.length, 2);
  assert.deepEqual(contest.peerFaults, []);
});

test('a peer with a fault is reported, stopped, and takes no further part', async () => {
  const contest = contestOf();
  let calls = 0;
  const results = await contest.rounds(3, [ours, peer], (target) => {
    if (target === ours) return good();
    calls += 1;
    return Promise.resolve({ figure: 1, faults: ['an event was lost'] });
  });
  assert.deepEqual([calls, results.peer, results.Tidewire?.length, stops], [1, undefined, 3, 1]);
  assert.deepEqual([contest.faults, contest.peerFaults], [[], ['a peer: an event was lost']]);
});

test('a peer that breaks is skipped with the reason; Tidewire that breaks ends the case', async () => {
  const contest = contestOf();
  const fail = (wrong) => (target) => (target === wrong ? Promise.reject(new Error('it broke')) : good());
  const results = await contest.rounds(2, [ours, peer], fail(peer));
  assert.deepEqual([results.peer, contest.skipped], [undefined, [{ other: 'a peer', why: 'it broke' }]]);
  await assert.rejects(contestOf().rounds(1, [ours, peer], fail(ours)), /it broke/);
});

test('rows hold Tidewire against each other one that has figures', () => {
  const results = { Tidewire: [{ ms: 1 }, { ms: 2 }], peer: [{ ms: 4 }] };
  const other = { ...peer, name: 'absent' };
  const rows = rowsAgainst(results, [ours, peer, other], {
    what: 'ms',
    field: 'ms',
    better: 'less',
    targets: { peer: 2 },
  });
  const expected = { what: 'ms', ours: [1, 2], other: 'a peer', theirs: [4], better: 'less', targetRatio: 2 };
  assert.deepEqual(rows, [{ ...expected, targetAtMost: undefined }]);
});
