import type { AdminEvent } from '@tidewire/protocol/admin-api';
import { expect, test } from 'vitest';
import { type EventBuffer, emptyBuffer, hold, prepend, receive, release, rowLimit } from './event-buffer.js';

function events(from: number, to: number): AdminEvent[] {
  return Array.from({ length: to - from + 1 }, (_, index) => ({
    id: from + index,
    type: 'post' as const,
    collection: 'company',
    documentId: '577cf185e2039b0900000016',
    name: null,
    data: {},
    actor: 'key:a',
    operationId: 'o',
    at: '2026-03-03T12:00:00Z',
  }));
}

function ids(rows: readonly AdminEvent[]): number[] {
  return rows.map(({ id }) => id);
}

test('1: history and live events that overlap leave each id once, in order', () => {
  let buffer = receive(emptyBuffer, events(8, 12));
  buffer = prepend(buffer, events(5, 10));
  buffer = receive(buffer, events(11, 14));
  expect(ids(buffer.rows)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14]);
});

test('1: there are never more rows than the limit, and the oldest go first', () => {
  const buffer = receive(receive(emptyBuffer, events(1, rowLimit)), events(rowLimit + 1, rowLimit + 7));
  expect(buffer.rows).toHaveLength(rowLimit);
  expect(buffer.rows[0]?.id).toBe(8);
});

test('2: while held the rows stand still, and all that waited is shown at once afterwards', () => {
  let buffer = hold(receive(emptyBuffer, events(1, 3)));
  const { rows } = buffer;
  buffer = receive(receive(buffer, events(4, 5)), events(5, 6));
  expect(buffer.rows).toBe(rows);
  expect(ids(buffer.waiting)).toEqual([4, 5, 6]);
  buffer = release(buffer);
  expect(ids(buffer.rows)).toEqual([1, 2, 3, 4, 5, 6]);
  expect(buffer).toMatchObject({ isHeld: false, waiting: [], missed: 0 });
});

test('3: a long hold keeps the newest and counts what it had to let go', () => {
  let buffer: EventBuffer = hold(receive(emptyBuffer, events(1, 2)));
  buffer = receive(buffer, events(3, rowLimit + 12));
  expect(buffer.waiting).toHaveLength(rowLimit);
  expect(buffer.missed).toBe(10);
  expect(release(buffer).rows.at(-1)?.id).toBe(rowLimit + 12);
});

test('4: history takes only the room that is left, its newer part first', () => {
  const full = receive(emptyBuffer, events(1_000, 999 + rowLimit));
  expect(prepend(full, events(1, 999)).rows).toEqual(full.rows);
  const almost = receive(emptyBuffer, events(1_000, 999 + rowLimit - 2));
  expect(ids(prepend(almost, events(900, 999)).rows).slice(0, 3)).toEqual([998, 999, 1_000]);
});
