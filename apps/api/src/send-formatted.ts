/** Answers of the collections API in other formats than JSON, and the answer that nothing has changed. */
import type { ServerResponse } from 'node:http';
import type { Format } from '@tidewire/collections/read-request';
import { apiHeaders } from '@tidewire/server-kit/api-headers';
import { requestIdOf } from '@tidewire/server-kit/request-id';
import { sendJson } from '@tidewire/server-kit/send-json';

/** `name` is the name of a file that the answer is saved as: letters, digits, `_` and `-`. */
export type FormattedAnswer = { text: string; format: Format; name: string };

/** Nothing of a page may run or be loaded, whatever stands in the documents; the sandbox gives it an origin of its own as well. */
const pagePolicy =
  "default-src 'none'; style-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox";

/** 200. `headers` alternate names and values. CSV is offered to be saved, HTML is shown. A HEAD request gets no body. */
export function sendFormatted(
  response: ServerResponse,
  { text, format, name }: FormattedAnswer,
  headers: readonly string[],
): void {
  if (format === 'json') {
    sendJson(response, 200, text, headers);
    return;
  }
  const isPage = format === 'html';
  const all = ['Content-Type', isPage ? 'text/html; charset=utf-8' : 'text/csv; charset=utf-8; header=present'];
  all.push('Content-Length', String(Buffer.byteLength(text)), ...(isPage ? pageHeaders : apiHeaders));
  all.push('Content-Disposition', `${isPage ? 'inline' : 'attachment'}; filename="${name}.${format}"`);
  response.writeHead(200, [...all, 'X-Request-Id', requestIdOf(response), ...headers]);
  response.end(response.req.method === 'HEAD' ? undefined : text);
}

/** 304. */
export function sendNotModified(response: ServerResponse, headers: readonly string[]): void {
  response.writeHead(304, [...apiHeaders, 'X-Request-Id', requestIdOf(response), ...headers]);
  response.end();
}

const pageHeaders = apiHeaders.map((value, index) =>
  apiHeaders[index - 1] === 'Content-Security-Policy' ? pagePolicy : value,
);
