/** Where the token of a user can stand in a request, beside a key or alone. */
import { type CredentialSource, readTexts } from './key-credentials.js';

/**
 * What a request carries. `key`: the key beside the token, which says the database and the origins. A request with a key alone is `key`; two tokens, or two keys, that differ are
 * `several` (RFC 6750, section 2).
 */
export type UserCredentials =
  | { status: 'none' }
  | { status: 'key' }
  | { status: 'token'; token: string; key: string | null }
  | { status: 'several' };

/** The cookie that may carry a user's token; on https with the prefix that binds it to this host (RFC 6265bis, section 4.1.3). */
export const userCookieNames = ['__Host-tidewire_user', 'tidewire_user'] as const;

const none: UserCredentials = { status: 'none' };
const key: UserCredentials = { status: 'key' };
const several: UserCredentials = { status: 'several' };
const tokenInQuery = /[?&](?:jwt|token)=/;

/** False for requests that cannot have one, which are most: told without parsing anything. */
export function mayHaveToken({ headers, url = '' }: CredentialSource): boolean {
  return headers.authorization !== undefined || headers.cookie !== undefined || tokenInQuery.test(url);
}

/**
 * A token is told from a key by its dots. It is taken from `Authorization: Bearer …`, from the query (`jwt`, or wherever a key may stand), or, when there is no other credential, from
 * the cookie: a browser sends that by itself.
 */
export function readUserCredentials(request: CredentialSource): UserCredentials {
  const tokens: string[] = [];
  const keys: string[] = [];
  for (const text of readTexts(request)) (text.includes('.') ? tokens : keys).push(text);
  if (tokens.length > 1 || keys.length > 1) return several;
  const [token] = tokens;
  if (token !== undefined) return { status: 'token', token, key: keys[0] ?? null };
  if (keys.length === 1) return key;
  const ofCookie = readUserCookie(request.headers.cookie);
  return ofCookie === null || !ofCookie.includes('.') ? none : { status: 'token', token: ofCookie, key: null };
}

/** The cookie's value, or null (RFC 6265, section 4.2.1). */
export function readUserCookie(header: string | undefined): string | null {
  const pairs = (header ?? '').split(';').map((pair) => {
    const separator = pair.indexOf('=');
    return [pair.slice(0, Math.max(0, separator)).trim(), pair.slice(separator + 1).trim()] as const;
  });
  for (const name of userCookieNames) {
    const value = pairs.find(([given]) => given === name)?.[1];
    if (value !== undefined && value !== '') return value;
  }
  return null;
}

/** The `Set-Cookie` line that carries an access token, or removes it (null): no script reads it. `secure` on https. */
export function userCookie(token: string | null, maxAgeSeconds: number, secure: boolean): string {
  const name = userCookieNames[secure ? 0 : 1];
  const age = token === null ? 0 : maxAgeSeconds;
  return `${name}=${token ?? ''}; Path=/; Max-Age=${age}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`;
}
