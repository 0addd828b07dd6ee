/** Reads the JSON body of a request: its type, its size, its encoding, then its text. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { JsonValue } from '@tidewire/protocol/json';
import { Problem } from '@tidewire/protocol/problem';
import { bodyLimitMs, tooSlowBody } from './body-time.js';
import { parseJsonText } from './json-text.js';

/** Most bytes of a body. */
export const bodyLimitBytes = 1024 * 1024;

/** What is read and thrown away after a body turned out too large, so that the client sees the answer; then the socket is closed. */
const DISCARD_LIMIT_BYTES = 64 * 1024 * 1024;

const jsonType = 'application/json';

/**
 * The parsed body. `mediaTypes` are those that are taken, lower case; `application/json` unless said otherwise. Rejects with a Problem: `unsupported_media_type`
 * (another type, not in UTF-8, or compressed), `body_too_large` (over
 * 1 MiB), `request_timeout` (not here within a minute), `bad_request` (the client went away, or bytes that are not UTF-8), and what `parseJsonText` throws.
 */
export async function readJsonBody(
  request: IncomingMessage,
  mediaTypes: readonly string[] = [jsonType],
): Promise<JsonValue> {
  checkHeaders(request, mediaTypes);
  const bytes = await readBytes(request);
  if (!isUtf8(bytes)) throw new Problem('bad_request', 'The body is not valid UTF-8.');
  return parseJsonText(bytes.toString('utf8'));
}

/** The media type of the request, lower case, without its parameters. */
export function mediaTypeOf({ headers }: IncomingMessage): string {
  return (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

function checkHeaders(request: IncomingMessage, mediaTypes: readonly string[]): void {
  const { headers } = request;
  const type = headers['content-type'];
  if (type !== jsonType && !isJsonInUtf8(request, mediaTypes)) {
    const wanted = mediaTypes.join(' or ');
    throw refuse(
      request,
      new Problem('unsupported_media_type', `Send JSON in UTF-8, with the header Content-Type: ${wanted}.`, {
        ...(mediaTypes.length > 1 ? { headers: { 'Accept-Patch': mediaTypes.join(', ') } } : {}),
      }),
    );
  }
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
    const problem = new Problem(
      'unsupported_media_type',
      'Compressed bodies are not taken. Send the body without Content-Encoding.',
      {
        headers: { 'Accept-Encoding': 'identity' },
      },
    );
    throw refuse(request, problem);
  }
  if (Number(headers['content-length'] ?? 0) > bodyLimitBytes) throw refuse(request, tooLarge());
}

/** One of the media types, alone or with `charset=utf-8` (RFC 9110, section 8.3). */
function isJsonInUtf8(request: IncomingMessage, mediaTypes: readonly string[]): boolean {
  if (!mediaTypes.includes(mediaTypeOf(request))) return false;
  const [, ...parameters] = (request.headers['content-type'] ?? '').toLowerCase().split(';');
  return parameters.every((parameter) => ['', 'charset=utf-8', 'charset="utf-8"'].includes(parameter.trim()));
}

function readBytes(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= bodyLimitBytes) chunks.push(chunk);
      else settle(() => reject(refuse(request, tooLarge())));
    };
    const onEnd = () =>
      settle(() => resolve(chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)));
    const onBroken = () =>
      settle(() => reject(new Problem('bad_request', 'The connection broke before the body was complete.')));
    const onTimeout = () => settle(() => reject(refuse(request, tooSlowBody(bodyLimitMs))));
    const settle = (finish: () => void) => {
      clearTimeout(timer);
      request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
      finish();
    };
    const timer = setTimeout(onTimeout, bodyLimitMs);
    // Whoever goes away while the key is looked up has closed already, and no event would come any more.
    if (request.destroyed) return onBroken();
    request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
  });
}

/**
 * Lets the rest of the body run into nothing. To close at once would make the client's kernel throw our answer away (a reset), and the client
 * would see a broken connection instead of the reason.
 */
function refuse(request: IncomingMessage, problem: Problem): Problem {
  let discarded = 0;
  request.on('error', () => undefined);
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > DISCARD_LIMIT_BYTES) request.destroy();
  });
  return problem;
}

function tooLarge(): Problem {
  return new Problem(
    'body_too_large',
    `The body is too large: at most ${bodyLimitBytes} bytes. Send less, or in several requests.`,
  );
}
