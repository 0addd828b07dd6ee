/** Short stand-ins for texts and JSON values, so that the history of an hour fits into memory. */
import { createHash } from 'node:crypto';

/** 52 bits of SHA-1, as a number. @param {string} text */
export function fingerprintOf(text) {
  return Number.parseInt(createHash('sha1').update(text).digest('hex').slice(0, 13), 16);
}

/** The same for equal JSON values, in whatever order their keys stand. @param {unknown} value */
export function fingerprintOfJson(value) {
  return fingerprintOf(JSON.stringify(sorted(value)));
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
