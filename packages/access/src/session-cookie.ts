/** The cookie that carries an admin's session. */

/** The cookie's name. */
export const sessionCookieName = 'tidewire_session';

/** The session cookie's value, or null (RFC 6265, section 4.2.1). Ours needs no quotes and no escapes. */
export function readSessionCookie(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const separator = pair.indexOf('=');
    if (separator > 0 && pair.slice(0, separator).trim() === sessionCookieName) return pair.slice(separator + 1).trim();
  }
  return null;
}

/** The `Set-Cookie` line of a session: no script reads it, no other site sends it. `secure` on https only, for browsers drop it on http. */
export function sessionCookie(token: string, expiresAt: Date, secure: boolean): string {
  const flags = `HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
  return `${sessionCookieName}=${token}; Path=/; Expires=${expiresAt.toUTCString()}; ${flags}`;
}

/** The `Set-Cookie` line that removes it. */
export function endedSessionCookie(secure: boolean): string {
  return sessionCookie('', new Date(0), secure);
}
