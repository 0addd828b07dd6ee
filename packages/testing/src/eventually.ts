/** Waiting for something that becomes true, instead of sleeping and hoping. */
import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `fn` until it neither throws nor rejects, and returns its value. After `timeoutMs` (default 5 s) it fails with the last
 * error of `fn` as its cause and in its message.
 */
export async function eventually<T>(
  fn: () => T | Promise<T>,
  options: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const { timeoutMs = 5_000, intervalMs = 10 } = options;
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await fn();
    } catch (cause) {
      if (performance.now() >= until) {
        const last = cause instanceof Error ? cause.message : String(cause);
        throw new Error(`Not so within ${timeoutMs} ms. The last try said: ${last}`, { cause });
      }
    }
    await delay(intervalMs);
  }
}
