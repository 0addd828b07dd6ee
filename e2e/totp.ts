import { totpCode } from '@tidewire/testing/totp-code';

/**
 * The code of an authenticator for a base32 secret. `clock: 'next'` is that of one whose clock is a step of 30 s ahead: the server takes it, and takes each step once, so that a test
 * that has used the present code need not wait.
 */
export function codeOf(secret: string, clock: 'now' | 'next' = 'now'): string {
  return totpCode(secret, Date.now() + (clock === 'next' ? 30_000 : 0));
}
