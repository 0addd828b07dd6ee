/** What is looked at while a load runs. */
import { get } from 'node:http';

/** Calls `look` again and again, never twice at a time, and keeps what it gave. `stop` gives all of it. @template T @param {number} intervalMs @param {() => T | Promise<T>} look */
export function sample(intervalMs, look) {
  /** @type {T[]} */
  const values = [];
  let isBusy = false;
  const timer = setInterval(async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      values.push(await look());
    } catch {
      // A server that is just being killed answers nothing.
    } finally {
      isBusy = false;
    }
  }, intervalMs);
  return {
    values,
    stop() {
      clearInterval(timer);
      // A look that is under way may still come.
      return [...values];
    },
  };
}

/** Milliseconds until `GET /health` was answered: what a request waits for the server's event loop, and for a processor. @param {number} port @returns {Promise<number>} */
export function healthDelayMs(port) {
  const began = performance.now();
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/health', timeout: 30_000 }, (response) => {
      response.resume().on('end', () => resolve(performance.now() - began));
    }).on('error', reject);
  });
}
