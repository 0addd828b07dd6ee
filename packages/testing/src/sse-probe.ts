/**
 * An SSE client for tests that shares no code with the server: Node's HTTP client and the npm package `eventsource-parser`.
 * It keeps everything that it saw, can be cut off as by a pulled plug, and come back with the last id, as browsers do.
 */
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { createParser } from 'eventsource-parser';

/** `event` is `message` when the block named none. `at` is `performance.now()` at its arrival. */
export type ProbeMessage = { event: string; id: string | undefined; data: string; at: number; connection: number };

export type SseProbeOptions = {
  headers?: Record<string, string>;
  /** The cursor of the first connection. */
  lastEventId?: string;
  /** How the cursor is sent: as the `Last-Event-ID` header (default) or as this query parameter. */
  cursorParameter?: string;
};

export interface SseProbe {
  /** Everything that came with data, over all connections, in the order of arrival. */
  readonly messages: readonly ProbeMessage[];
  /** The last `id:` of a finished block, blocks without data included (WHATWG HTML 9.2.6), or undefined. */
  readonly lastEventId: string | undefined;
  /** Milliseconds of the last `retry:`. */
  readonly retryMs: number | undefined;
  /** The answer to the latest connection. */
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  /** The body, when the answer was not a stream. */
  readonly body: string;
  readonly isOpen: boolean;
  /** Data parsed as JSON, of all messages or of those with this event. */
  json(event?: string): unknown[];
  /** The first message (seen or to come) that fits. Rejects after `timeoutMs` (default 5 s) with what came instead. */
  waitFor(fits: string | ((message: ProbeMessage) => boolean), options?: { timeoutMs?: number }): Promise<ProbeMessage>;
  /** Resolves when the server ended the stream or the probe was cut. */
  waitForEnd(options?: { timeoutMs?: number }): Promise<void>;
  /** Stops reading: the socket's buffers fill up. */
  pause(): void;
  resume(): void;
  /** Destroys the socket without a goodbye. */
  cut(): void;
  /** Connects again with the last id that was seen, as a browser does. */
  reconnect(): Promise<void>;
  /** Ends the probe. Safe to call twice. */
  close(): void;
}

/** Connects and resolves with the answer's head, whatever its status; rejects when there is no connection. */
export async function openSse(url: string | URL, options: SseProbeOptions = {}): Promise<SseProbe> {
  const probe = new Probe(new URL(url), options);
  await probe.connect(options.lastEventId);
  return probe;
}

class Probe implements SseProbe {
  readonly messages: ProbeMessage[] = [];
  lastEventId: string | undefined;
  retryMs: number | undefined;
  body = '';
  isOpen = false;
  readonly #url: URL;
  readonly #options: SseProbeOptions;
  #response: http.IncomingMessage | undefined;
  #connections = 0;
  readonly #changes = new EventEmitter().setMaxListeners(0);

  constructor(url: URL, options: SseProbeOptions) {
    this.#url = url;
    this.#options = options;
  }

  get status(): number {
    return this.#response?.statusCode ?? 0;
  }

  get headers(): http.IncomingHttpHeaders {
    return this.#response?.headers ?? {};
  }

  async connect(lastEventId: string | undefined): Promise<void> {
    this.#connections += 1;
    const response = await this.#request(lastEventId);
    this.#response = response;
    this.isOpen = true;
    this.body = '';
    const isStream = String(response.headers['content-type']).startsWith('text/event-stream');
    const read = isStream ? this.#createReader(this.#connections) : (text: string) => this.#keepBody(text);
    response.setEncoding('utf8');
    response.on('data', read);
    // A cut socket is reported as an error; the end is what counts.
    response.on('error', () => undefined);
    response.on('close', () => {
      if (this.#response === response) this.isOpen = false;
      this.#changed();
    });
  }

  #request(lastEventId: string | undefined): Promise<http.IncomingMessage> {
    const url = new URL(this.#url);
    const headers: Record<string, string> = { accept: 'text/event-stream', ...this.#options.headers };
    const parameter = this.#options.cursorParameter;
    if (lastEventId !== undefined && parameter !== undefined) url.searchParams.set(parameter, lastEventId);
    else if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
    const { get } = url.protocol === 'https:' ? https : http;
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, resolve).on('error', reject);
    });
  }

  #createReader(connection: number): (text: string) => void {
    const parser = createParser({
      onEvent: ({ event, id, data }) => {
        this.messages.push({ event: event ?? 'message', id, data, at: performance.now(), connection });
      },
      onRetry: (retryMs) => {
        this.retryMs = retryMs;
      },
    });
    const readIds = this.#createIdReader();
    return (text) => {
      parser.feed(text);
      readIds(text);
      this.#changed();
    };
  }

  /** The parser is silent about blocks without data, but a browser takes their id. */
  #createIdReader(): (text: string) => void {
    let rest = '';
    let id: string | undefined;
    return (text) => {
      const lines = (rest + text).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line.startsWith('id:')) id = line.slice(line[3] === ' ' ? 4 : 3);
        if (line === '' && id !== undefined) this.lastEventId = id;
      }
    };
  }

  #keepBody(text: string): void {
    this.body += text;
    this.#changed();
  }

  #changed(): void {
    this.#changes.emit('change');
  }

  json(event?: string): unknown[] {
    return this.messages
      .filter((message) => event === undefined || message.event === event)
      .map(({ data }) => JSON.parse(data));
  }

  async waitFor(
    fits: string | ((message: ProbeMessage) => boolean),
    options: { timeoutMs?: number } = {},
  ): Promise<ProbeMessage> {
    const matches = typeof fits === 'string' ? (message: ProbeMessage) => message.event === fits : fits;
    const found = await this.#waitUntil(() => this.messages.find(matches), options.timeoutMs);
    if (found !== undefined) return found;
    const came = this.messages.map(({ event, id, data }) => `${event}#${id ?? '-'} ${data.slice(0, 100)}`).slice(-10);
    throw new Error(
      `The message did not come. Status ${this.status}; the last that came: ${came.join(' | ') || 'nothing'} ${this.body}`,
    );
  }

  async waitForEnd(options: { timeoutMs?: number } = {}): Promise<void> {
    const ended = await this.#waitUntil(() => (this.isOpen ? undefined : true), options.timeoutMs);
    if (ended === undefined) throw new Error('The stream is still open.');
  }

  async #waitUntil<T>(look: () => T | undefined, timeoutMs = 5_000): Promise<T | undefined> {
    const signal = AbortSignal.timeout(timeoutMs);
    for (;;) {
      const found = look();
      if (found !== undefined || signal.aborted) return found;
      await once(this.#changes, 'change', { signal }).catch(() => undefined);
    }
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  cut(): void {
    this.isOpen = false;
    this.#response?.socket.destroy();
    this.#changed();
  }

  async reconnect(): Promise<void> {
    this.cut();
    await this.connect(this.lastEventId);
  }

  close(): void {
    this.cut();
    this.#response?.destroy();
  }
}
