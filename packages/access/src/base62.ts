/** Random and fixed-width base62: the alphabet of keys and tokens, which no double click splits and no URL escapes. */
import { randomBytes } from 'node:crypto';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The largest multiple of 62 that a byte can hold: bytes from here on are thrown away, so that every character is equally likely. */
const UNBIASED = 248;

/** `length` characters, each with 5.95 bits from the system's random source. */
export function randomBase62(length: number): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length - text.length)) if (byte < UNBIASED) text += alphabet[byte % 62];
  }
  return text;
}

/** A non-negative safe integer in base62, filled up with zeros to `length`. */
export function toBase62(value: number, length: number): string {
  let text = '';
  for (let rest = value; rest > 0; rest = Math.floor(rest / 62)) text = alphabet[rest % 62] + text;
  return text.padStart(length, '0');
}
