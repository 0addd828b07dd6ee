import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLaneQueue } from './lane-queue.js';

const one = (name: string, events = 1, deadline = 100, isAlone = false) => ({
  name,
  steps: { length: events },
  deadline,
  isAlone,
});

describe("the lane's queue", () => {
  it('hands out batches in the order of arrival within the limit (1, 2)', () => {
    const queue = createLaneQueue<ReturnType<typeof one>>({ batchLimitEvents: 3 });
    for (const operation of [one('a'), one('b', 2), one('c'), one('d', 9), one('e')]) queue.push(operation);
    const batches = [queue.takeBatch(), queue.takeBatch(), queue.takeBatch(), queue.takeBatch(), queue.takeBatch()];
    expect(batches.map((batch) => batch.map(({ name }) => name).join(''))).toEqual(['ab', 'c', 'd', 'e', '']);
  });

  it('gives an operation that wants to be alone a batch of its own (1, 4)', () => {
    const queue = createLaneQueue<ReturnType<typeof one>>({ batchLimitEvents: 10 });
    for (const operation of [one('a'), one('b', 1, 100, true), one('c', 1, 100, true), one('d'), one('e')])
      queue.push(operation);
    const batches = [queue.takeBatch(), queue.takeBatch(), queue.takeBatch(), queue.takeBatch()];
    expect(batches.map((batch) => batch.map(({ name }) => name).join(''))).toEqual(['a', 'b', 'c', 'de']);
  });

  it('hands out what is overdue and keeps the rest in order (1, 3)', () => {
    const queue = createLaneQueue<ReturnType<typeof one>>({ batchLimitEvents: 10 });
    for (const operation of [one('a', 1, 5), one('b', 1, 50), one('c', 1, 5)]) queue.push(operation);
    expect(queue.takeOverdue(5).map(({ name }) => name)).toEqual(['a', 'c']);
    expect(queue.takeBatch().map(({ name }) => name)).toEqual(['b']);
    expect(queue.length).toBe(0);
  });

  it('loses and doubles nothing (1, 2, 3)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 6 })), (sizes) => {
        const queue = createLaneQueue<ReturnType<typeof one>>({ batchLimitEvents: 4 });
        for (const [index, size] of sizes.entries()) queue.push(one(String(index), size));
        const seen: string[] = [];
        for (let batch = queue.takeBatch(); batch.length > 0; batch = queue.takeBatch()) {
          const events = batch.reduce((sum, { steps }) => sum + steps.length, 0);
          expect(batch.length === 1 || events <= 4).toBe(true);
          seen.push(...batch.map(({ name }) => name));
        }
        expect(seen).toEqual(sizes.map((_, index) => String(index)));
      }),
    );
  });
});
