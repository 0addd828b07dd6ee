/** A stream of `/realtime` of which everything is noted: events with the time of their arrival, resets, the end. */
import { get } from 'node:http';

/**
 * @typedef {{ id: number, event: string, data: string, at: number }} Seen `at` in ms of the monotonic clock
 * @typedef {{ kind: 'event' } & Seen | { kind: 'reset' } & Seen} Item
 */

const changes = new Set(['post', 'put', 'patch', 'delete', 'publish', 'rename', 'drop']);

export class TrialStream {
  status = 0;
  /** Events and resets in the order of arrival. @type {Item[]} */
  items = [];
  /** The last id of any block: where a browser would go on. */
  cursor = -1;
  /** The event with which the server ended the stream, `revoked` or `expired`; '' for none. */
  farewell = '';
  isEnded = false;
  #request;
  /** @type {(() => void)[]} */
  #waiting = [];

  /** @param {{ port: number, path: string, headers: Record<string, string> }} options */
  constructor({ port, path, headers }) {
    const accept = { accept: 'text/event-stream', ...headers };
    this.#request = get({ host: '127.0.0.1', port, path, headers: accept, agent: false }, (response) => {
      this.status = response.statusCode ?? 0;
      let rest = '';
      response.setEncoding('utf8').on('data', (text) => {
        const blocks = (rest + text).split('\n\n');
        rest = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block);
        this.#wake();
      });
      response.on('error', () => undefined);
      response.on('close', () => this.#end());
      this.#wake();
    });
    this.#request.on('error', () => this.#end());
  }

  /** A block as this server writes it: lines with a blank behind the colon, data on one line. */
  #take(block) {
    let [id, event, data] = [-1, '', ''];
    for (const line of block.split('\n')) {
      if (line.startsWith('id: ')) id = Number(line.slice(4));
      else if (line.startsWith('event: ')) event = line.slice(7);
      else if (line.startsWith('data: ')) data = line.slice(6);
    }
    if (id >= 0) this.cursor = id;
    if (data === '') return;
    const seen = { id, event, data, at: performance.now() };
    if (changes.has(event)) this.items.push({ kind: 'event', ...seen });
    else if (event === 'reset') this.items.push({ kind: 'reset', ...seen });
    else if (event === 'revoked' || event === 'expired') this.farewell = event;
  }

  #end() {
    this.isEnded = true;
    this.#wake();
  }

  #wake() {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /**
   * Resolves when it is so, or the stream has ended, or the time is over. True when it is so.
   * @param {(stream: TrialStream) => boolean} isSo @param {number} timeoutMs
   */
  async until(isSo, timeoutMs) {
    const over = performance.now() + timeoutMs;
    while (!isSo(this)) {
      const left = over - performance.now();
      if (this.isEnded || left <= 0) return false;
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve(undefined);
        });
      });
    }
    return true;
  }

  close() {
    this.#request.destroy();
  }
}
