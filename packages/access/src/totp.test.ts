import { TOTP } from 'otpauth';
import { describe, expect, it } from 'vitest';
import { createRecoveryCodes, createTotpSecret, hashRecoveryCode, totpUri, verifyTotp } from './totp.js';

/** RFC 6238, appendix B: the secret of its SHA-1 table, in base32. */
const rfcSecret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';

describe('a one-time code', () => {
  // The last six of the eight digits of the table.
  it.each([
    [59, '287082', 1],
    [1_111_111_109, '081804', 37_037_036],
    [1_111_111_111, '050471', 37_037_037],
    [1_234_567_890, '005924', 41_152_263],
    [2_000_000_000, '279037', 66_666_666],
    [20_000_000_000, '353130', 666_666_666],
  ])('of the standard at %i s is %s, of step %i', (seconds, code, step) =>
    expect(verifyTotp(rfcSecret, code, seconds * 1000)).toBe(step),
  );

  it('is good a step before and after, and no further', () => {
    const at = 1_111_111_109_000;
    const steps = [-90, -60, -30, 0, 30, 60, 90].map((s) => verifyTotp(rfcSecret, '081804', at + s * 1000));
    expect(steps).toEqual([null, null, 37_037_036, 37_037_036, 37_037_036, null, null]);
  });

  it.each(['', '81804', '0818040', '081804 ', '٠٨١٨٠٤', 'abcdef', '081805', '-81804', '0x1804'])('is not %j', (code) =>
    expect(verifyTotp(rfcSecret, code, 1_111_111_109_000)).toBeNull(),
  );
});

describe('a secret', () => {
  it('has 160 random bits, and an authenticator that reads its address makes the codes that are taken', () => {
    const secret = createTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(createTotpSecret()).not.toBe(secret);
    const uri = totpUri(secret, 'ada+x@example.org');
    expect(uri).toMatch(/^otpauth:\/\/totp\/Tidewire:ada%2Bx%40example\.org\?issuer=Tidewire&secret=/);
    const url = new URL(uri);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      secret,
      digits: '6',
      period: '30',
      algorithm: 'SHA1',
    });
    const authenticator = new TOTP({ secret: url.searchParams.get('secret') ?? '' });
    expect(verifyTotp(secret, authenticator.generate({ timestamp: 1e12 }), 1e12)).toBe(Math.floor(1e9 / 30));
  });
});

describe('recovery codes', () => {
  it('are ten that differ, of letters that nobody confuses, and known by their hash in whatever way they are typed', () => {
    const { codes, hashes } = createRecoveryCodes();
    expect(new Set(codes).size).toBe(10);
    for (const [index, code] of codes.entries()) {
      expect(code).toMatch(/^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){3}$/);
      for (const typed of [code, code.toUpperCase(), code.replaceAll('-', ' '), ` ${code.replaceAll('-', '')}`])
        expect(hashRecoveryCode(typed)).toBe(hashes[index]);
    }
  });
});
