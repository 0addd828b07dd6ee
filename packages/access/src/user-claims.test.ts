import { describe, expect, it } from 'vitest';
import { claimAt, readUserClaims, roleNames } from './user-claims.js';

const own = { isOwn: true, toleranceSeconds: 0 };
const foreign = { isOwn: false, toleranceSeconds: 60 };

describe('the claims of a token', () => {
  it('are taken with an end and a subject that can be written down, and with nothing less', () => {
    const good = { sub: 'auth0|ann', exp: 2_000_000_000 };
    expect(readUserClaims(good, foreign)).toMatchObject({ subject: 'auth0|ann', expiresAt: 2_000_000_060_000 });
    for (const wrong of [
      { exp: Number.POSITIVE_INFINITY },
      { exp: -1 },
      { exp: '2000000000' },
      { exp: 253_402_300_800 },
    ])
      expect(readUserClaims({ ...good, ...wrong }, foreign)).toBeNull();
    for (const sub of ['', 'a\nb', 'a\u2028b', '\ud800', 'x'.repeat(256), 1, null])
      expect(readUserClaims({ ...good, sub }, foreign)).toBeNull();
  });

  it('name a session only in a token of our own', () => {
    const sid = '0190a0b0-0000-7000-8000-000000000000';
    const payload = { sub: 'a', exp: 2_000_000_000, sid };
    expect(readUserClaims(payload, own)?.sessionId).toBe(sid);
    expect(readUserClaims(payload, foreign)?.sessionId).toBeNull();
    expect(readUserClaims({ ...payload, sid: 'x' }, own)).toBeNull();
  });

  it('have an e-mail address unless it is not verified', () => {
    const emailOf = (claims: object) => readUserClaims({ sub: 'a', exp: 2_000_000_000, ...claims }, foreign)?.email;
    expect(emailOf({ email: 'Ann@Example.org' })).toBe('ann@example.org');
    expect(emailOf({ email: 'ann@example.org', email_verified: true })).toBe('ann@example.org');
    for (const is of [false, 'false']) expect(emailOf({ email: 'ann@example.org', email_verified: is })).toBeNull();
    expect(emailOf({ email: ['ann@example.org'] })).toBeNull();
  });

  it('are found by their name, also with dots in it, or by a path, never in what an object inherits', () => {
    const claims = { 'https://app.example/roles': ['a'], app: { roles: 'b' } };
    expect(claimAt(claims, 'https://app.example/roles')).toEqual(['a']);
    expect(claimAt(claims, 'app.roles')).toBe('b');
    for (const path of ['constructor', '__proto__', 'app.constructor', 'app.roles.length', 'missing.x', ''])
      expect(claimAt(claims, path)).toBeUndefined();
  });

  it('give names of roles from a text or a list, and from nothing else', () => {
    expect([roleNames('a'), roleNames(['a', 1, 'b'] as never), roleNames(''), roleNames({ a: 1 })]).toEqual([
      ['a'],
      ['a', 'b'],
      [],
      [],
    ]);
  });
});
