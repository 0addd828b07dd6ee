import { describe, expect, it } from 'vitest';
import { endedSessionCookie, readSessionCookie, sessionCookie } from './session-cookie.js';

describe('the session cookie', () => {
  it('can be read by no script and is sent by no other site', () => {
    const cookie = sessionCookie('abc', new Date(0), true);
    expect(cookie).toBe(
      'tidewire_session=abc; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict; Secure',
    );
    expect(endedSessionCookie(false)).not.toContain('Secure');
  });

  it.each([
    ['tidewire_session=a.b.c', 'a.b.c'],
    ['x=1; tidewire_session=abc; y=2', 'abc'],
    ['xtidewire_session=abc', null],
    ['', null],
    [undefined, null],
    ['tidewire_session', null],
  ])('is found in %j as %j', (header, value) => expect(readSessionCookie(header)).toBe(value));
});
