/** Answers with JSON text, in one write. Express's `res.json` would stringify, hash for an ETag and look at six headers for each answer. */
import type { ServerResponse } from 'node:http';
import { apiHeaders } from './api-headers.js';
import { requestIdOf } from './request-id.js';

const jsonType = 'application/json; charset=utf-8';
const problemType = 'application/problem+json; charset=utf-8';

/** `headers` alternate names and values; headers set on the response before are kept. A HEAD request gets no body. */
export function sendJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: readonly string[] = [],
): void {
  send(response, status, jsonType, text, headers);
}

/** The same for a problem body. */
export function sendProblemJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: readonly string[],
): void {
  send(response, status, problemType, text, headers);
}

/** An answer without a body, 204 unless said otherwise, with the API's headers and these. */
export function sendNothing(response: ServerResponse, status = 204, headers: readonly string[] = []): void {
  const length = status === 204 ? [] : ['Content-Length', '0'];
  response.writeHead(status, [...length, ...apiHeaders, 'X-Request-Id', requestIdOf(response), ...headers]);
  response.end();
}

function send(response: ServerResponse, status: number, type: string, text: string, headers: readonly string[]): void {
  const all = ['Content-Type', type, 'Content-Length', String(Buffer.byteLength(text)), ...apiHeaders];
  all.push('X-Request-Id', requestIdOf(response), ...headers);
  response.writeHead(status, all);
  response.end(response.req.method === 'HEAD' ? undefined : text);
}
