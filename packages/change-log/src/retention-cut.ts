/** Where a log is to be cut: which of its oldest events are beyond what the settings keep. */
import type { DatabaseSettings } from '@tidewire/protocol/settings';

/** An event as retention sees it. `at` is milliseconds since the epoch, `bytes` what it takes on disk, about. */
export type SizedEvent = { id: number; at: number; bytes: number };

/** The log of which the events are the oldest. `bytes` is that of the whole log. */
export type CutLog = { head: number; bytes: number; keep: DatabaseSettings['log'] };

/** `youngestMs`: events that are younger are never cut. */
export type CutTime = { nowMs: number; youngestMs: number };

const dayMs = 24 * 60 * 60_000;

/** The new oldest id when the first of these events (ascending) are to go, at most behind the last of them; null when none is. */
export function cutOf(
  events: readonly SizedEvent[],
  { head, bytes, keep }: CutLog,
  { nowMs, youngestMs }: CutTime,
): number | null {
  const { keepDays, keepBytes, keepEvents } = keep;
  let oldest: number | null = null;
  let bytesFromHere = bytes;
  for (const { id, at, bytes: own } of events) {
    const isTooOld = keepDays !== null && at < nowMs - keepDays * dayMs;
    const isTooMuch = keepBytes !== null && bytesFromHere > keepBytes;
    const isTooMany = keepEvents !== null && id <= head - keepEvents;
    if (at > nowMs - youngestMs || !(isTooOld || isTooMuch || isTooMany)) return oldest;
    oldest = id + 1;
    bytesFromHere -= own;
  }
  return oldest;
}
