/** PostgreSQL's own log file, kept short. */
import { copyFileSync, statSync, truncateSync } from 'node:fs';

const limitBytes = 10 * 1024 * 1024;
const checkIntervalMs = 60_000;

/**
 * Looks at the log now and once a minute; when it is too long it is copied to `<file>.1`, over the one before, and emptied.
 * PostgreSQL writes it in append mode, so it goes on at the new end. What is written between copy and cut is lost.
 * Returns the timer; it does not keep the process alive.
 */
export function keepLogShort(file: string): NodeJS.Timeout {
  shorten(file, limitBytes);
  return setInterval(() => shorten(file, limitBytes), checkIntervalMs).unref();
}

/** Exported for its test. */
export function shorten(file: string, limit: number): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= limit) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file, 0);
}
