/** Where a key can stand in a request. */
import type { IncomingMessage } from 'node:http';

/** What a request carries: one key text, none, or several that differ (RFC 6750, section 2: not more than one). */
export type KeyCredentials = { status: 'one'; text: string } | { status: 'none' } | { status: 'several' };

/** What it is read from; any Node request has it. */
export type CredentialSource = Pick<IncomingMessage, 'headers' | 'url' | 'rawHeaders'>;

/** Query parameters that may hold a credential: the key, restdb.io's name for the key beside a user's token, and that token. */
export const keyParameters: readonly string[] = ['apikey', 'token', 'rt-apikey', 'jwt'];

const none: KeyCredentials = { status: 'none' };
const several: KeyCredentials = { status: 'several' };

/**
 * Reads the key from the header `x-apikey`, from `Authorization: Bearer …`, or from the query (`keyParameters`). The same text in
 * several places is one credential.
 */
export function readKeyCredentials(request: CredentialSource): KeyCredentials {
  const fromHeader = request.headers['x-apikey'];
  const { authorization } = request.headers;
  const url = request.url ?? '';
  const queryStart = url.indexOf('?');
  // The usual case, kept short: one header and nothing else. Node joins a header that is sent twice with a comma.
  if (typeof fromHeader === 'string' && authorization === undefined && queryStart < 0 && !fromHeader.includes(',')) {
    return { status: 'one', text: fromHeader };
  }
  const texts = readTexts(request);
  const [text] = texts;
  if (text === undefined) return none;
  return texts.size === 1 ? { status: 'one', text } : several;
}

/** Every text that stands where a credential may stand, each once. */
export function readTexts({ headers, rawHeaders, url = '' }: CredentialSource): ReadonlySet<string> {
  const fromHeader = headers['x-apikey'];
  const queryStart = url.indexOf('?');
  const texts = new Set<string>();
  if (typeof fromHeader === 'string') for (const part of fromHeader.split(',')) texts.add(part.trim());
  if (headers.authorization !== undefined) for (const token of readBearers(rawHeaders)) texts.add(token);
  if (queryStart >= 0) for (const value of readParameters(url.slice(queryStart + 1))) texts.add(value);
  return texts;
}

/** From the raw headers, because Node drops every `Authorization` header but the first. */
function readBearers(rawHeaders: readonly string[]): string[] {
  const tokens: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    if (rawHeaders[index]?.toLowerCase() !== 'authorization') continue;
    const token = /^bearer +(\S+) *$/i.exec(rawHeaders[index + 1] ?? '')?.[1];
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

function readParameters(query: string): string[] {
  const parameters = new URLSearchParams(query);
  return keyParameters.flatMap((name) => parameters.getAll(name)).filter((value) => value !== '');
}
