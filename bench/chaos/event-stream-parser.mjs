/**
 * A parser of event streams after WHATWG HTML, section 9.2.6, for bytes that may be cut anywhere. It is the harness's own, so that it
 * shares no mistake with the server's encoder.
 *
 * @typedef {{ id: string | undefined, event: string, data: string | null }} Dispatched `id` is that of this block, undefined without one;
 *   `data` is null for a block without data, which a browser does not show to anybody but takes the id of.
 */
export class EventStreamParser {
  #decoder = new TextDecoder('utf-8');
  #text = '';
  /** @type {{ id: string | undefined, event: string, data: string[] }} */
  #block = { id: undefined, event: '', data: [] };
  #onBlock;

  /** @param {(block: Dispatched) => void} onBlock called for every block that has an id or data */
  constructor(onBlock) {
    this.#onBlock = onBlock;
  }

  /** @param {Uint8Array} bytes */
  feed(bytes) {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    for (;;) {
      const end = this.#text.search(/[\r\n]/);
      // A CR at the very end may be the first half of CR LF.
      if (end < 0 || (this.#text[end] === '\r' && end === this.#text.length - 1)) return;
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + (this.#text.startsWith('\r\n', end) ? 2 : 1));
      this.#take(line);
    }
  }

  #take(line) {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (name === 'data') this.#block.data.push(value);
    else if (name === 'event') this.#block.event = value;
    else if (name === 'id' && !value.includes('\0')) this.#block.id = value;
  }

  #dispatch() {
    const { id, event, data } = this.#block;
    this.#block = { id: undefined, event: '', data: [] };
    if (id === undefined && data.length === 0) return;
    this.#onBlock({ id, event: event === '' ? 'message' : event, data: data.length === 0 ? null : data.join('\n') });
  }
}
