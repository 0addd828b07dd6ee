/** The one way to the admin API: JSON in, JSON out, the answer parsed with the protocol's schema. */
import type { z } from 'zod';
import { readRefusal, UnreachableError } from './api-error.js';

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

/** Sends one request and parses its answer. Throws `ApiError` for a refusal and `UnreachableError` when no answer came. */
export async function callApi<S extends z.ZodType>(
  method: Method,
  path: string,
  options: { schema: S; body?: unknown; signal?: AbortSignal },
): Promise<z.output<S>> {
  const answer = await send(method, path, options);
  return options.schema.parse(await readBody(answer));
}

/** Sends one request whose answer has no body. */
export async function callApiWithoutAnswer(method: Method, path: string): Promise<void> {
  await send(method, path, {});
}

/** A path of the admin API with each part encoded: `apiPath('databases', name, 'keys')`. */
export function apiPath(...parts: string[]): string {
  return `/api/${parts.map(encodeURIComponent).join('/')}`;
}

async function send(
  method: Method,
  path: string,
  options: { body?: unknown; signal?: AbortSignal },
): Promise<Response> {
  const answer = await reach(path, {
    method,
    credentials: 'same-origin',
    headers: {
      accept: 'application/json',
      ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
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
