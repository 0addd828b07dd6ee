import { describe, expect, it } from 'vitest';
import { createSealedSecrets, SealedSecretError } from './sealed-secrets.js';

const secrets = createSealedSecrets('a secret for tests only, of some length');

describe('a sealed secret', () => {
  it.each(['', 'x', 'JBSWY3DPEHPK3PXP', 'ä€😀'.repeat(1_000), '\u0000'])('is the same when it is opened', (secret) => {
    expect(secrets.open(secrets.seal(secret, 'totp:1'), 'totp:1')).toBe(secret);
  });

  it('looks different each time, and shows nothing of what it holds', () => {
    const texts = Array.from({ length: 100 }, () => secrets.seal('canary', 'c'));
    expect(new Set(texts).size).toBe(100);
    for (const text of texts) expect(text).toMatch(/^v1\.[\w-]+$/);
    expect(Buffer.from(texts[0]?.slice(3) ?? '', 'base64url').includes('canary')).toBe(false);
  });

  it('is known by every process with the same SECRET_KEY', () => {
    const other = createSealedSecrets('a secret for tests only, of some length');
    expect(other.open(secrets.seal('s', 'c'), 'c')).toBe('s');
  });

  it('does not open in another context, with another SECRET_KEY, or with any bit of it changed', () => {
    const sealed = secrets.seal('secret', 'totp:1');
    expect(() => secrets.open(sealed, 'totp:2')).toThrow(SealedSecretError);
    expect(() => createSealedSecrets('another secret, of some length too').open(sealed, 'totp:1')).toThrow(
      SealedSecretError,
    );
    const bytes = Buffer.from(sealed.slice(3), 'base64url');
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => secrets.open(`v1.${changed.toString('base64url')}`, 'totp:1')).toThrow(SealedSecretError);
    }
  });

  it.each(['', 'v1', 'v1.', 'v1.AAAA', 'v2.', 'x', '.', 'v1.a.b', `v1.${'A'.repeat(39)}=`, 'v1.!!!!'])(
    'is not %j',
    (text) => expect(() => secrets.open(text, 'c')).toThrow(SealedSecretError),
  );

  it('opens in one spelling only', () => {
    const sealed = secrets.seal('secret', 'c');
    for (const text of [`${sealed}=`, ` ${sealed}`, `${sealed}\n`, sealed.replace('v1', 'V1'), `${sealed}.`])
      expect(() => secrets.open(text, 'c')).toThrow(SealedSecretError);
  });
});
