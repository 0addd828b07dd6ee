import { describe, expect, it } from 'vitest';
import { endedSessionCookie, readSessionCookie, sessionCookie } from './session-cookie.js';

describe('the session cookie', () => {
  it('can be read by no script, is sent by no other site, and over https belongs to this very host', () => {
    expect(sessionCookie('abc', new Date(0), true)).toBe(
      '__Host-tidewire_session=abc; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict; Secure',
    );
    expect(sessionCookie('abc', new Date(0), false)).toBe(
      'tidewire_session=abc; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Strict',
    );
    expect(endedSessionCookie(false)).not.toContain('Secure');
  });

  it.each([
    ['tidewire_session=a.b.c', 'a.b.c'],
    ['x=1; tidewire_session=abc; y=2', 'abc'],
    ['xtidewire_session=abc', null],
    ['__Host-tidewire_session=abc', null],
    ['', null],
    [undefined, null],
    ['tidewire_session', null],
  ])('is found over http in %j as %j', (header, value) => expect(readSessionCookie(header, false)).toBe(value));

  it.each([
    ['__Host-tidewire_session=abc', 'abc'],
    ['tidewire_session=planted; __Host-tidewire_session=abc', 'abc'],
    ['tidewire_session=planted', null],
    ['__host-tidewire_session=planted', null],
  ])('is found over https in %j as %j, whatever another host has planted', (header, value) =>
    expect(readSessionCookie(header, true)).toBe(value),
  );
});
