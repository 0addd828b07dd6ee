/** Places within a document, and changing them without touching what others hold: every function gives a new value and leaves its input as it is. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { invalid } from '@tidewire/protocol/problem';
import { hasReferenceKey, isReference } from './document-reference.js';

/** The keys from the document's root to the place; at least one. Items of arrays are decimal indexes. */
export type DocumentPath = readonly [string, ...string[]];

/** What a stored document is held to, as a body at the door is (`server-kit/json-text.ts`). */
export const documentLimits = { depth: 64, keysPerObject: 10_000, keyBytes: 512 } as const;

/** True for a JSON object; an array is none. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of a key or index, or undefined. Inherited names (`constructor`) are no keys. */
export function child(container: JsonValue | undefined, key: string): JsonValue | undefined {
  if (Array.isArray(container)) {
    const index = arrayIndex(key);
    return index === null ? undefined : container[index];
  }
  return isObject(container) && Object.hasOwn(container, key) ? container[key] : undefined;
}

/** The index that a key means, written without a sign or leading zeros, or null. */
export function arrayIndex(key: string): number | null {
  return /^(?:0|[1-9]\d{0,8})$/.test(key) ? Number(key) : null;
}

/**
 * What is left of the work that one change of one document may take. Whoever copies or compares says so before, so that no body, however it is made, holds up the writers
 * of a database.
 */
export type Effort = { left: number };

/** An item of an array that is copied costs 1, a key of an object 10; about 5 ns each. */
const EFFORT_LIMIT = 20_000_000;
const KEY_COST = 10;

export function newEffort(): Effort {
  return { left: EFFORT_LIMIT };
}

/** Throws `validation_failed` that names the place when nothing is left. */
export function spend(effort: Effort, cost: number, at: string): void {
  effort.left -= cost;
  if (effort.left < 0)
    throw invalid(at, 'the change takes too much work', 'fewer operations on large arrays and objects in one request');
}

/** The object with the key set, its place kept. */
export function withKey(object: JsonObject, key: string, value: JsonValue, effort: Effort, at: string): JsonObject {
  spend(effort, KEY_COST * Object.keys(object).length, at);
  return { ...object, [key]: value };
}

/** The object without the key. */
export function withoutKey(object: JsonObject, key: string, effort: Effort, at: string): JsonObject {
  spend(effort, KEY_COST * Object.keys(object).length, at);
  const { [key]: _removed, ...rest } = object;
  return rest;
}

/** Appends to a JSON Pointer (RFC 6901); long keys are cut, for messages. */
export function pointerTo(base: string, key: string | number): string {
  return `${base}/${String(key).slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/**
 * Refuses a key that may not stand in a document: one of the server's (`_…`, at the root), an operator's (`$…`), `__proto__`, one that is empty or too
 * long. `at` is the place in the body that is named. Throws `validation_failed`.
 */
export function checkKey(key: string, isRoot: boolean, at: string): void {
  if (key === '__proto__') throw invalid(at, 'the key __proto__ is not allowed', 'any other key');
  if (isRoot && key.startsWith('_'))
    throw invalid(at, 'names that begin with _ belong to the server', 'names that begin otherwise');
  if (key.startsWith('$')) throw invalid(at, 'keys that begin with $ are operators', 'keys that begin otherwise');
  if (Buffer.byteLength(key) > documentLimits.keyBytes)
    throw invalid(at, 'a key is too long', `at most ${documentLimits.keyBytes} bytes`);
}

/** Refuses a document that a change has made too deep or too wide, so that it could be sent to us again. Throws `validation_failed`. */
export function checkShape(value: JsonValue, depth = 1): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > documentLimits.depth)
    throw invalid('', 'the document would be nested too deeply', `at most ${documentLimits.depth} levels`);
  const items = Array.isArray(value) ? value : Object.values(value);
  if (!Array.isArray(value) && items.length > documentLimits.keysPerObject)
    throw invalid('', 'an object of the document would have too many keys', `at most ${documentLimits.keysPerObject}`);
  if (isObject(value) && hasReferenceKey(value) && (depth === 1 || items.length > 2 || !isReference(value)))
    throw invalid('', 'a reference has no fields of its own', 'the change of a whole reference, {"$ref":…,"$id":…}');
  for (const item of items) checkShape(item, depth + 1);
}

/** Whether two values are the same JSON: the order of keys does not count, that of items does. */
export function isSameJson(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isSameJson(item, b[index]));
  if (!isObject(a) || !isObject(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSameJson(a[key], b[key]))
  );
}

/** A text that is the same for the same JSON, and for nothing else. */
export function identityOf(value: JsonValue): string {
  if (Array.isArray(value)) return `[${value.map(identityOf).join()}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${identityOf(value[key] ?? null)}`).join()}}`;
}

/** How many values there are in a value, itself included. */
export function sizeOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 1;
  let size = 1;
  for (const item of Array.isArray(value) ? value : Object.values(value)) size += sizeOf(item);
  return size;
}
