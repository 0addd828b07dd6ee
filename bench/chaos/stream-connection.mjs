/** One connection of a stream, to its end: what every subscriber does, whatever it listens to. */
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { EventStreamParser } from './event-stream-parser.mjs';

/** Pings come every 8 s; a line that is silent for longer is dead. */
const silenceLimitMs = 12_000;

/**
 * `ended` resolves when the line is closed, by whomever. `onRefused`: a status that is not 200, after which a browser's EventSource gives up
 * for ever.
 * @param {{ port: number, path: string, headers: Record<string, string>, onBlock: (block: import('./event-stream-parser.mjs').Dispatched) => void, onRefused: (text: string) => void, onOpen?: () => void }} options
 */
export function openStream({ port, path, headers, onBlock, onRefused, onOpen = () => {} }) {
  const parser = new EventStreamParser(onBlock);
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const request = get({
    ...{ host: '127.0.0.1', port, path, agent: false },
    headers: { Accept: 'text/event-stream', ...headers },
  });
  const watch = () => {
    clearTimeout(timer);
    timer = setTimeout(() => request.destroy(), silenceLimitMs);
  };
  const ended = new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    watch();
    request.on('response', (response) => {
      onOpen();
      if (response.statusCode !== 200) void refused(response);
      response.on('data', (bytes) => {
        watch();
        if (response.statusCode === 200 && !request.destroyed) parser.feed(bytes);
      });
      response.on('error', end).on('close', end);
    });
    request.on('error', end).on('close', end);
  });
  async function refused(response) {
    const body = await text(response).catch(() => '');
    onRefused(
      `a stream was answered with ${response.statusCode}, after which a browser never comes back: ${body.slice(0, 300)}`,
    );
  }
  return { ended, destroy: () => void request.destroy() };
}
