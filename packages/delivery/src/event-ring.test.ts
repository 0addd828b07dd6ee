import { sizeOf } from '@tidewire/change-log/log-event';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventOf, idsBetween } from './delivery.fixture.js';
import { EventRing } from './event-ring.js';

const size = sizeOf(eventOf(1_000_000));

describe('the ring', () => {
  it('gives the events between two ids, and null where it no longer reaches', () => {
    const ring = new EventRing(10 * size);
    ring.push(idsBetween(5, 12).map(eventOf));
    expect(ring.slice(6, 9)?.map(({ id }) => id)).toEqual([7, 8, 9]);
    expect(ring.slice(4, 5)?.map(({ id }) => id)).toEqual([5]);
    expect(ring.slice(3, 9)).toBeNull();
  });

  it('never holds more than its limit, and always the newest', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 20 }), (batches) => {
        const ring = new EventRing(700 * size);
        let head = 0;
        for (const count of batches) {
          ring.push(idsBetween(head + 1, head + count).map(eventOf));
          head += count;
          expect(ring.bytes).toBeLessThanOrEqual(700 * size);
          const kept = Math.min(head, 650);
          expect(ring.slice(head - kept, head)?.map(({ id }) => id)).toEqual(idsBetween(head - kept + 1, head));
          if (head > 1_600) expect(ring.slice(head - 1_600, head)).toBeNull();
        }
      }),
    );
  });
});
