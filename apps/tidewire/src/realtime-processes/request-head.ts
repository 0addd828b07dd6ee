/** Requests that can be given to another process together with their connection. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { isStreamTarget } from '@tidewire/protocol/stream-paths';
import { hasBody } from '@tidewire/server-kit/body-time';

/**
 * Whether the request is a stream's, and is alone on its connection: nothing before it waits for an answer, and it brings no body,
 * so that the head is all there is to give away.
 */
export function isStreamRequest(request: IncomingMessage, response: ServerResponse): boolean {
  return (
    request.method === 'GET' &&
    request.url !== undefined &&
    isStreamTarget(request.url, request.headers.accept) &&
    !hasBody(request) &&
    response.socket === request.socket &&
    !('encrypted' in request.socket)
  );
}

/** The head of the request as it came (RFC 9112, section 2.1), in Latin-1; only blanks around values are lost. */
export function headOf({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    lines.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}
