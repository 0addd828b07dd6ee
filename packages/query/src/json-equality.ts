/** Equality of JSON values: numbers by value, objects whatever the order of their keys (jsonb keeps none). */
import { isJsonObject, type JsonValue, memberOf } from './json.js';

/** Whether the values are equal. */
export function isEqual(a: JsonValue, b: JsonValue): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isEqual(item, b[index] ?? null));
  }
  if (!isJsonObject(a) || !isJsonObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length &&
    keys.every((key) => {
      const other = memberOf(b, key);
      return other !== undefined && isEqual(memberOf(a, key) ?? null, other);
    })
  );
}

/** JSON text that is the same for equal values, and for no others: keys by code unit, -0 as 0. */
export function canonicalJson(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const members = Object.keys(value).sort();
  return `{${members.map((key) => `${JSON.stringify(key)}:${canonicalJson(memberOf(value, key) ?? null)}`).join(',')}}`;
}
