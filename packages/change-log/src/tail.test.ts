import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventLog } from './event-log.js';
import { publishEvent } from './log-event.fixture.js';
import { createTail } from './tail.js';

/** A log in memory that holds `oldest … head`; each read takes a turn of the event loop. */
function logOf(state: { head: number; oldest: number; reads: number }): EventLog {
  return {
    heads: async () => [{ databaseId: 1, head: state.head, oldest: state.oldest, configVersion: 1 }],
    async read(_databaseId, after) {
      state.reads += 1;
      await new Promise((resolve) => setImmediate(resolve));
      const from = Math.max(after + 1, state.oldest);
      const to = Math.min(state.head, after + 5);
      return Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => publishEvent(from + index));
    },
    readAfter: async () => [],
    readBefore: async () => [],
  };
}

const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const settle = async () => {
  for (let turn = 0; turn < 60; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

function start(state: { head: number; oldest: number; reads: number }, from = 0) {
  const seen: number[] = [];
  const gaps: number[] = [];
  const tail = createTail({
    databaseId: 1,
    start: from,
    log: logOf(state),
    onEvents: (events) => seen.push(...events.map((event) => event.id)),
    onGap: (lastLost) => gaps.push(lastLost),
    onError: (error) => {
      throw error;
    },
  });
  return { tail, seen, gaps };
}

describe('the tail', () => {
  it('delivers the next hint at once and without a read (2)', () => {
    const state = { head: 2, oldest: 1, reads: 0 };
    const { tail, seen } = start(state);
    tail.offer([publishEvent(1), publishEvent(2)]);
    expect(seen).toEqual([1, 2]);
    expect(state.reads).toBe(0);
  });

  it('drops what it has delivered, and the part of a hint that it has (2)', () => {
    const { tail, seen } = start({ head: 3, oldest: 1, reads: 0 });
    tail.offer([publishEvent(1), publishEvent(2)]);
    tail.offer([publishEvent(1)]);
    tail.offer([publishEvent(2), publishEvent(3)]);
    expect(seen).toEqual([1, 2, 3]);
  });

  it('reads a hole from the log, across pages (1, 2)', async () => {
    const { tail, seen } = start({ head: 12, oldest: 1, reads: 0 });
    tail.offer([publishEvent(12)]);
    await settle();
    expect(seen).toEqual(ids(1, 12));
  });

  it('catches up with a head that nobody hinted at (2)', async () => {
    const { tail, seen } = start({ head: 3, oldest: 1, reads: 0 }, 1);
    tail.noteHead(3);
    await settle();
    expect(seen).toEqual([2, 3]);
  });

  it('tells of a gap that retention made and goes on behind it (3)', async () => {
    const { tail, seen, gaps } = start({ head: 20, oldest: 18, reads: 0 }, 4);
    tail.noteHead(20);
    await settle();
    expect(gaps).toEqual([17]);
    expect(seen).toEqual([18, 19, 20]);
  });

  it('delivers nothing after close (4)', async () => {
    const { tail, seen } = start({ head: 5, oldest: 1, reads: 0 });
    tail.noteHead(5);
    tail.close();
    tail.offer([publishEvent(1)]);
    await settle();
    expect(seen).toEqual([]);
  });

  it('delivers 1 … head once and in order for any order, loss and doubling of hints (1)', async () => {
    const hint = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 0, max: 4 }), fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.array(hint, { maxLength: 40 }), async (hints) => {
        const { tail, seen } = start({ head: 34, oldest: 1, reads: 0 });
        for (const [first, more, yields] of hints) {
          tail.offer(ids(first, first + more).map((id) => publishEvent(id)));
          if (yields) await new Promise((resolve) => setImmediate(resolve));
        }
        tail.noteHead(34);
        await settle();
        expect(seen).toEqual(ids(1, 34));
      }),
      { numRuns: 60 },
    );
  });
});
