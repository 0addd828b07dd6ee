/** The one way to the admin API: JSON in, JSON out, the answer parsed with the protocol's schema. */
import type { z } from 'zod';
import { readRefusal, UnreachableError } from './api-error.js';
import { readLines } from './read-lines.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is sent: a value, or JSON text that goes as it stands. */
type Sent = { body?: unknown; text?: string; signal?: AbortSignal };

/** Sends one request and parses its answer. Throws `ApiError` for a refusal and `UnreachableError` when no answer came. */
export async function callApi<S extends z.ZodType>(
  method: Method,
  path: string,
  options: { schema: S } & Sent,
): Promise<z.output<S>> {
  const answer = await send(method, path, options);
  return options.schema.parse(await readBody(answer));
}

/** Sends one request of whose answer the status says enough. */
export async function callApiWithoutAnswer(method: Method, path: string, sent: Sent = {}): Promise<number> {
  return (await send(method, path, sent)).status;
}

/** Sends one request whose answer is lines of JSON, and yields them as they come. An answer that breaks off ends as one that is over. */
export async function* callApiForLines<S extends z.ZodType>(
  method: Method,
  path: string,
  options: { schema: S },
): AsyncGenerator<z.output<S>, void> {
  const { body } = await send(method, path, {});
  if (body === null) return;
  for await (const line of readLines(body)) yield options.schema.parse(JSON.parse(line));
}

/** A path of the admin API with each part encoded: `apiPath('databases', name, 'keys')`. */
export function apiPath(...parts: string[]): string {
  return `/api/${parts.map(encodeURIComponent).join('/')}`;
}

async function send(method: Method, path: string, options: Sent): Promise<Response> {
  const text = options.text ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
  const answer = await reach(path, {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(text === undefined ? {} : { body: text }),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  if (!answer.ok) throw readRefusal(answer.status, await readBody(answer), answer.headers);
  return answer;
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    throw new UnreachableError('The server cannot be reached.', { cause });
  }
}

async function readBody(answer: Response): Promise<unknown> {
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the text itself is handed on and refused by the schema, or described by its status.
    return text;
  }
}
