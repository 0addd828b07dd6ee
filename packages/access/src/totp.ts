/** One-time codes of an authenticator app (TOTP, RFC 6238: SHA-1, six digits, 30 s, as every app takes them), and the recovery codes beside them. */
import { createHash, randomBytes } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';

const PERIOD_S = 30;
/** A step before and after are taken as well, for clocks that differ (RFC 6238, section 5.2). */
const WINDOW = 1;
const RECOVERY_CODES = 10;
/** Crockford's letters: none is taken for another. */
const recoveryLetters = '0123456789abcdefghjkmnpqrstvwxyz';

/** 160 random bits (RFC 4226, section 4, R6), in base32. */
export function createTotpSecret(): string {
  return new Secret({ size: 20 }).base32;
}

/** What a QR code holds: `otpauth://totp/…`. */
export function totpUri(secret: string, email: string): string {
  return totpOf(secret, email).toString();
}

/**
 * The time step that the code is of, or null. `now`: milliseconds since the epoch. Whoever takes a code stores its step and takes none of that step or an earlier one again: seen
 * over a shoulder, it is worth nothing.
 */
export function verifyTotp(secret: string, code: string, now: number): number | null {
  if (!/^\d{6}$/.test(code)) return null;
  const delta = totpOf(secret, '').validate({ token: code, timestamp: now, window: WINDOW });
  return delta === null ? null : Math.floor(now / 1000 / PERIOD_S) + delta;
}

function totpOf(secret: string, label: string): TOTP {
  const options = { algorithm: 'SHA1', digits: 6, period: PERIOD_S } as const;
  return new TOTP({ issuer: 'Tidewire', label, secret: Secret.fromBase32(secret), ...options });
}

/** Ten codes of 80 random bits, as `xxxx-xxxx-xxxx-xxxx`; what is stored of them are their hashes. */
export function createRecoveryCodes(): { codes: string[]; hashes: string[] } {
  const codes = Array.from({ length: RECOVERY_CODES }, () => {
    const letters = Array.from(randomBytes(16), (byte) => recoveryLetters[byte & 31] ?? '');
    return (letters.join('').match(/.{4}/g) ?? []).join('-');
  });
  return { codes, hashes: codes.map(hashRecoveryCode) };
}

/** SHA-256 as 64 hex digits; dashes, blanks and case do not matter. */
export function hashRecoveryCode(code: string): string {
  return createHash('sha256').update(code.replaceAll(/[\s-]/g, '').toLowerCase()).digest('hex');
}
