import { createHmac } from 'node:crypto';

const STEP_MS = 30_000;

/** The code that an authenticator app shows at this time, in milliseconds since the epoch, for a base32 secret: RFC 4226, section 5.3, and RFC 6238 with its defaults. By hand, for the server uses a library. */
export function totpCode(secret: string, at: number): string {
  const bits = [...secret.trim()].map((letter) =>
    'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0'),
  );
  const key = Buffer.from((bits.join('').match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / STEP_MS)));
  const digest = createHmac('sha1', key).update(counter).digest();
  const offset = (digest.at(-1) ?? 0) & 15;
  return String((digest.readUInt32BE(offset) & 0x7fff_ffff) % 1_000_000).padStart(6, '0');
}
