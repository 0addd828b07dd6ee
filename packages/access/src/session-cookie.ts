/** The cookie that carries an admin's session. */

/** The cookie's name on http, which is for this machine alone. */
const plainName = 'tidewire_session';
/** Its name on https: browsers take it with Secure, Path=/ and without Domain only, so no other host of the same site can put one there (RFC 6265bis, section 4.1.3.2). */
const hostName = '__Host-tidewire_session';

/** `isSecure`: the request came over https. */
export function sessionCookieName(isSecure: boolean): string {
  return isSecure ? hostName : plainName;
}

/** The session cookie's value, or null (RFC 6265, section 4.2.1). Ours needs no quotes and no escapes. Over https the plain name means nothing. */
export function readSessionCookie(header: string | undefined, isSecure: boolean): string | null {
  const name = sessionCookieName(isSecure);
  for (const pair of (header ?? '').split(';')) {
    const separator = pair.indexOf('=');
    if (separator > 0 && pair.slice(0, separator).trim() === name) return pair.slice(separator + 1).trim();
  }
  return null;
}

/** The `Set-Cookie` line of a session: no script reads it, no other site sends it. `Secure` on https only, for browsers drop it on http. */
export function sessionCookie(token: string, expiresAt: Date, isSecure: boolean): string {
  const flags = `HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
  return `${sessionCookieName(isSecure)}=${token}; Path=/; Expires=${expiresAt.toUTCString()}; ${flags}`;
}

/** The `Set-Cookie` line that removes it. */
export function endedSessionCookie(isSecure: boolean): string {
  return sessionCookie('', new Date(0), isSecure);
}
