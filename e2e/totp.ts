import { createHmac } from 'node:crypto';

const stepMs = 30_000;

/**
 * The code that an authenticator shows for a base32 secret, RFC 6238 with its defaults. `clock: 'next'` is that of one whose clock is a step ahead: the server takes it,
 * and takes each step once, so that a test that has used the present code need not wait.
 */
export function codeOf(secret: string, clock: 'now' | 'next' = 'now'): string {
  const bits = [...secret.trim()].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const key = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / stepMs) + (clock === 'next' ? 1 : 0)));
  const digest = createHmac('sha1', key).update(counter).digest();
  const at = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(at) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}
