/**
 * The sort key of a JSON value: a text whose order by code point is the order of values. MongoDB's order of types: an empty array, then null and missing, numbers, strings,
 * objects, arrays within arrays, false, true. Objects are all alike in order, and so are arrays within arrays: jsonb does not keep the order of keys that a comparison would
 * need. A text counts with its first 256 characters, so that keys (and the cursors made of them) stay small. Written twice, in JavaScript and in SQL; the two give the same text.
 *
 * A number's key is its IEEE 754 bits in hexadecimal: as they are for zero and above, each digit turned over below zero.
 */
import { isJsonObject, type JsonValue } from './json.js';

/** Of an empty array at the end of a path. */
export const emptyArrayKey = '0';
/** Of null and of a missing value. */
export const nullKey = '1';

/** Characters of a text that count. */
export const keyTextLength = 256;

const bits = new DataView(new ArrayBuffer(8));

/** The key of a value; `undefined` is a missing one. */
export function keyOf(value: JsonValue | undefined): string {
  if (value === undefined || value === null) return nullKey;
  switch (typeof value) {
    case 'number':
      return keyOfNumber(value);
    case 'string':
      return `3${firstCharacters(value, keyTextLength)}`;
    case 'boolean':
      return value ? '6t' : '6f';
    default:
      return isJsonObject(value) ? '4' : '5';
  }
}

/** Cuts by characters, never through a surrogate pair, as Postgres' left() does. */
export function firstCharacters(text: string, length: number): string {
  return text.length <= length ? text : [...text.slice(0, 2 * length)].slice(0, length).join('');
}

function keyOfNumber(value: number): string {
  bits.setFloat64(0, value === 0 ? 0 : value);
  const hex = bits.getBigUint64(0).toString(16).padStart(16, '0');
  return value >= 0
    ? `2p${hex}`
    : `2n${[...hex].map((digit) => (15 - Number.parseInt(digit, 16)).toString(16)).join('')}`;
}

/** The key of the value that a jsonb expression gives (NULL: missing), as an SQL expression; of a string's first characters only (a number, or the name of one). */
export function writeKey(value: string, textLength: number | 'text_length' = keyTextLength): string {
  const bytes = `encode(float8send((${value})::float8), 'hex')`;
  const text = `${value} #>> '{}'`;
  return [
    `(CASE jsonb_typeof(${value})`,
    `WHEN 'string' THEN '3' || left(${text}, ${textLength})`,
    `WHEN 'number' THEN CASE WHEN (${value})::numeric >= 0 THEN '2p' || ${bytes}`,
    `ELSE '2n' || translate(${bytes}, '0123456789abcdef', 'fedcba9876543210') END`,
    `WHEN 'boolean' THEN CASE WHEN (${value})::boolean THEN '6t' ELSE '6f' END`,
    `WHEN 'object' THEN '4' WHEN 'array' THEN '5' ELSE '1' END)`,
  ].join(' ');
}
