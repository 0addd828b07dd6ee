import { describe, expect, it } from 'vitest';
import { cutOf, type SizedEvent } from './retention-cut.js';

const nowMs = Date.parse('2026-01-31T00:00:00Z');
const dayMs = 24 * 60 * 60_000;
/** Event `id` of 10 happened `11 - id` days ago and takes 100 bytes. */
const events = Array.from({ length: 10 }, (_, index): SizedEvent => {
  return { id: index + 1, at: nowMs - (10 - index) * dayMs, bytes: 100 };
});
const forEver = { keepDays: null, keepBytes: null, keepEvents: null };
const cut = (keep: Partial<typeof forEver | Record<string, number>>, page = events, youngestMs = 60_000) =>
  cutOf(page, { head: 10, bytes: 1_000, keep: { ...forEver, ...keep } }, { nowMs, youngestMs });

describe('a log is cut', () => {
  it('nowhere without a limit, and nowhere while it is within its limits', () => {
    expect(cut({})).toBeNull();
    expect(cut({ keepDays: 10, keepBytes: 1_000, keepEvents: 10 })).toBeNull();
    expect(cut({ keepEvents: 1 }, [])).toBeNull();
  });

  it('behind what is beyond the days, the bytes or the number, whichever goes furthest', () => {
    expect(cut({ keepDays: 7 })).toBe(4);
    expect(cut({ keepBytes: 450 })).toBe(7);
    expect(cut({ keepEvents: 3 })).toBe(8);
    expect(cut({ keepDays: 7, keepBytes: 450, keepEvents: 3 })).toBe(8);
  });

  it('at most behind the events that are looked at', () => expect(cut({ keepEvents: 1 }, events.slice(0, 4))).toBe(5));

  it('never among the young ones, whatever the limits', () => {
    expect(cut({ keepBytes: 1 }, events, 2.5 * dayMs)).toBe(9);
    expect(cut({ keepEvents: 1 }, events, 30 * dayMs)).toBeNull();
  });

  it('with all of it gone when nothing is kept: the oldest is then the next to come', () =>
    expect(cut({ keepBytes: 1 }, events, 0)).toBe(11));
});
