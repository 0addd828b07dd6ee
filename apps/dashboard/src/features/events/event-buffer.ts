/**
 * The rows of the event console, without the console: history below, live events above, a hold in between.
 *
 * 1. `rows` are in the order of ids, each id once, and never more than `rowLimit`.
 * 2. While the buffer is held, live events wait in `waiting` and `rows` do not change from above; `waiting` obeys the same limit.
 * 3. At the limit the oldest go first: of the rows when they are live, of the waiting when they are held. `missed` counts the waiting
 *    that went before anyone could see them.
 * 4. Older history is taken only as far as there is room: it never pushes out what is newer.
 */
import type { AdminEvent } from '@tidewire/protocol/admin-api';

export const rowLimit = 5_000;

export type EventBuffer = {
  readonly rows: readonly AdminEvent[];
  readonly isHeld: boolean;
  readonly waiting: readonly AdminEvent[];
  readonly missed: number;
};

export const emptyBuffer: EventBuffer = { rows: [], isHeld: false, waiting: [], missed: 0 };

/** Takes live events, in the order of ids. */
export function receive(buffer: EventBuffer, events: readonly AdminEvent[]): EventBuffer {
  if (!buffer.isHeld) return { ...buffer, rows: lastRows(append(buffer.rows, events)) };
  const newest = buffer.rows.at(-1)?.id ?? 0;
  const waiting = append(
    buffer.waiting,
    events.filter(({ id }) => id > newest),
  );
  const kept = lastRows(waiting);
  return { ...buffer, waiting: kept, missed: buffer.missed + waiting.length - kept.length };
}

/** Stops the rows from moving. */
export function hold(buffer: EventBuffer): EventBuffer {
  return buffer.isHeld ? buffer : { ...buffer, isHeld: true };
}

/** Lets the rows move again and shows what waited. */
export function release(buffer: EventBuffer): EventBuffer {
  if (!buffer.isHeld) return buffer;
  return { rows: lastRows(append(buffer.rows, buffer.waiting)), isHeld: false, waiting: [], missed: 0 };
}

/** Puts history below the rows, as much of its newer part as there is room for. Live events that came first may overlap with it. */
export function prepend(buffer: EventBuffer, older: readonly AdminEvent[]): EventBuffer {
  const oldest = buffer.rows[0]?.id ?? Number.POSITIVE_INFINITY;
  const fitting = older.filter(({ id }) => id < oldest);
  const room = rowLimit - buffer.rows.length;
  return { ...buffer, rows: [...(room > 0 ? fitting.slice(-room) : []), ...buffer.rows] };
}

function append(rows: readonly AdminEvent[], events: readonly AdminEvent[]): readonly AdminEvent[] {
  const newest = rows.at(-1)?.id ?? Number.NEGATIVE_INFINITY;
  const news = events.filter(({ id }) => id > newest);
  return news.length === 0 ? rows : [...rows, ...news];
}

function lastRows(rows: readonly AdminEvent[]): readonly AdminEvent[] {
  return rows.length > rowLimit ? rows.slice(-rowLimit) : rows;
}
