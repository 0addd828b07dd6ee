/**
 * Server-sent events as bytes (WHATWG HTML, section 9.2.6, "Interpreting an event stream"). An event name or id that holds CR, LF or
 * NUL would end its line, or make the browser drop the id, so it throws; data may hold line breaks and becomes one `data:` line each.
 */

/** One block of a stream. Without `data` a block only moves the client's cursor (`id`) or its reconnection time (`retry`). */
export type SseBlock = {
  /** Becomes the client's `lastEventId`. */
  id?: string | number;
  /** Type of the event; a client without one calls it `message`. */
  event?: string;
  data?: string;
  /** Milliseconds that the client waits before it reconnects. */
  retry?: number;
};

/** The text of a block, with its blank line. Throws a RangeError for a name or id that cannot stand in a line. */
export function encodeBlock({ id, event, data, retry }: SseBlock): string {
  let text = '';
  if (id !== undefined) text += `id: ${oneLine('id', String(id))}\n`;
  if (event !== undefined) text += `event: ${oneLine('event', event)}\n`;
  if (retry !== undefined) text += `retry: ${Math.round(retry)}\n`;
  if (data !== undefined) text += `data: ${/[\r\n]/.test(data) ? data.split(/\r\n|\r|\n/).join('\ndata: ') : data}\n`;
  return `${text}\n`;
}

function oneLine(field: string, text: string): string {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === 10 || code === 13 || code === 0) throw new RangeError(`the ${field} of an event holds CR, LF or NUL`);
  }
  return text;
}
