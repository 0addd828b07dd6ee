/**
 * The text of an API key: `tw_<id>_<secret><checksum>`, 54 characters.
 *
 * - `id`: 12 characters, public, the primary key of its row.
 * - `secret`: 32 characters of base62, 190 random bits.
 * - `checksum`: CRC-32 of everything before it, in 6 characters, so that scanners of leaked secrets recognise a key without asking
 *   anybody, and a mistyped one costs no read.
 *
 * The server keeps the SHA-256 of the whole text. A slow hash would add nothing: 190 bits cannot be guessed.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { randomBase62, toBase62 } from './base62.js';

const ID_LENGTH = 12;
const SECRET_LENGTH = 32;
const CHECKSUM_LENGTH = 6;
const idPattern = /^[0-9A-Za-z]{12}$/;
const pattern = /^tw_([0-9A-Za-z]{12})_[0-9A-Za-z]{38}$/;

/** Whether a text can be the public id of a key. */
export function isApiKeyId(text: string): boolean {
  return idPattern.test(text);
}

/** A key just made: `text` is shown once and never stored, `hash` is stored, `prefix` is what lists show to recognise it by. */
export type NewApiKey = { id: string; text: string; prefix: string; hash: string };

/** Makes a key from the system's random source; with the id of a key that is there, another text for it. */
export function createApiKey(id: string = randomBase62(ID_LENGTH)): NewApiKey {
  const body = `tw_${id}_${randomBase62(SECRET_LENGTH)}`;
  const text = body + checksum(body);
  return { id, text, prefix: `tw_${id}`, hash: hashApiKey(text) };
}

/** The id in a key's text, or null when the text cannot be a key: wrong shape or wrong checksum. Says nothing on whether the key exists. */
export function parseApiKey(text: string): { id: string } | null {
  const id = pattern.exec(text)?.[1];
  if (id === undefined) return null;
  const end = text.length - CHECKSUM_LENGTH;
  return checksum(text.slice(0, end)) === text.slice(end) ? { id } : null;
}

/** SHA-256 of the key's text as 64 hex digits: what `api_keys.hash` holds. */
export function hashApiKey(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether the text is the key that was stored as `hash`; takes the same time wherever the two differ. */
export function isApiKey(text: string, hash: string): boolean {
  return isSameHash(hashApiKey(text), hash);
}

/** Whether two hashes are the same; takes the same time wherever they differ. */
export function isSameHash(hash: string, other: string): boolean {
  return timingSafeEqual(Buffer.from(hash), Buffer.from(other.padEnd(64).slice(0, 64)));
}

function checksum(body: string): string {
  return toBase62(crc32(body), CHECKSUM_LENGTH);
}
