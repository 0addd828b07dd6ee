/** Where a stream begins: what a client says it has seen, held against what the log has. */

/** A restored database goes on at the next multiple of this, so that no id is ever used twice. */
export const RANGE = 10 ** 12;

export type ResetReason =
  /** The log no longer reaches back to the cursor. */
  | 'retention'
  /** The database was restored from a backup; the cursor is from before. */
  | 'restored'
  /** Not a cursor of this log: ahead of its head, or no number. */
  | 'unknown';

export type Start = { kind: 'at'; cursor: number } | { kind: 'reset'; reason: ResetReason };

/** The cursor that a client sent: null for none, NaN for something that is none. Only plain decimal digits are a number. */
export function parseCursor(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  if (!/^\d{1,16}$/.test(text)) return Number.NaN;
  const cursor = Number(text);
  return Number.isSafeInteger(cursor) ? cursor : Number.NaN;
}

/** `head` is the newest event's id (0: none), `oldest` the oldest that is kept. */
export function startFrom(cursor: number | null, log: { head: number; oldest: number }): Start {
  if (cursor === null) return { kind: 'at', cursor: log.head };
  if (Number.isNaN(cursor) || cursor > log.head) return { kind: 'reset', reason: 'unknown' };
  if (cursor + 1 >= log.oldest) return { kind: 'at', cursor };
  const isOfAnEarlierRange = Math.floor(cursor / RANGE) < Math.floor(log.head / RANGE);
  return { kind: 'reset', reason: isOfAnEarlierRange ? 'restored' : 'retention' };
}
