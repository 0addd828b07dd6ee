/** JSON Patch (RFC 6902) on the fields of a document. Pure. */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { invalid, Problem } from '@tidewire/protocol/problem';
import {
  arrayIndex,
  checkKey,
  checkShape,
  child,
  type Effort,
  isObject,
  isSameJson,
  newEffort,
  pointerTo,
  spend,
  withKey,
  withoutKey,
} from './document-path.js';
import { storable } from './update-operators.js';

/** The media type of its bodies. */
export const jsonPatchType = 'application/json-patch+json';

/** Most operations of a patch; most keys of a pointer; most characters, about, that all `copy` operations of a patch may make. */
export const jsonPatchLimits = { operations: 1_000, pointerKeys: 64, copiedChars: 4 * 1024 * 1024 } as const;

type Pointer = readonly string[];
type Step = { at: string } & (
  | { op: 'add' | 'replace' | 'test'; path: Pointer; value: JsonValue }
  | { op: 'remove'; path: Pointer }
  | { op: 'move' | 'copy'; from: Pointer; path: Pointer }
);

/** What is left of what the patch may copy, and of the work that it may take. */
type Room = Effort & { chars: number };

const kinds = 'add, remove, replace, move, copy or test';

/**
 * The function that applies the patch to the fields of a document: all of its operations, or none. Throws `validation_failed` for a malformed patch, and the
 * function throws it for a place that is not there, `conflict` for a `test` that fails. The server's fields (`_id` …) cannot be reached.
 */
export function parseJsonPatch(body: JsonValue): (fields: JsonObject) => JsonObject {
  if (!Array.isArray(body))
    throw invalid('', 'a JSON Patch is an array of operations', '[{"op":"replace","path":"/name","value":"x"}]');
  if (body.length > jsonPatchLimits.operations)
    throw invalid('', 'the patch has too many operations', `at most ${jsonPatchLimits.operations}`);
  const steps = body.map((item, index) => parseStep(item, `/${index}`));
  return (fields) => {
    let result: JsonValue = fields;
    const room = { chars: jsonPatchLimits.copiedChars, ...newEffort() };
    for (const step of steps) result = applyStep(result, step, room);
    return checkResult(result);
  };
}

function parseStep(item: JsonValue, at: string): Step {
  if (!isObject(item)) throw invalid(at, 'an operation is an object', '{"op":…,"path":…}');
  const { op } = item;
  const path = parsePointer(item, 'path', at);
  switch (op) {
    case 'add':
    case 'replace':
    case 'test': {
      const { value } = item;
      if (value === undefined) throw invalid(`${at}/value`, `${op} needs a value`, 'any JSON value');
      return { op, path, value: op === 'test' ? value : storable(value, `${at}/value`), at };
    }
    case 'remove':
      return { op, path, at };
    case 'move':
    case 'copy': {
      const from = parsePointer(item, 'from', at);
      const isWithin = path.length > from.length && from.every((key, index) => key === path[index]);
      if (op === 'move' && isWithin)
        throw invalid(`${at}/path`, 'a value cannot be moved into itself', 'a path that is not below from');
      return { op, from, path, at };
    }
    default:
      throw invalid(`${at}/op`, 'there is no such operation', kinds);
  }
}

/** A JSON Pointer (RFC 6901) as its keys. */
function parsePointer(item: JsonObject, member: 'path' | 'from', at: string): Pointer {
  const text = Object.hasOwn(item, member) ? item[member] : undefined;
  const place = `${at}/${member}`;
  if (typeof text !== 'string' || !/^(?:\/(?:[^~]|~[01])*)?$/s.test(text))
    throw invalid(place, 'this is not a JSON Pointer', 'a text as in /address/city or /tags/0');
  const keys = text
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  if (keys.length > jsonPatchLimits.pointerKeys)
    throw invalid(place, 'the pointer is too long', `at most ${jsonPatchLimits.pointerKeys} keys`);
  for (const [index, key] of keys.entries()) checkKey(key, index === 0, place);
  return keys;
}

function applyStep(document: JsonValue, step: Step, room: Room): JsonValue {
  const { at } = step;
  switch (step.op) {
    case 'add':
      return add(document, step.path, step.value, at, room);
    case 'replace':
      valueAt(document, step.path, `${at}/path`);
      return replace(document, step.path, step.value, at, room);
    case 'remove':
      return remove(document, step.path, at, room);
    case 'move': {
      const value = valueAt(document, step.from, `${at}/from`);
      return add(remove(document, step.from, at, room), step.path, value, at, room);
    }
    case 'copy': {
      const value = valueAt(document, step.from, `${at}/from`);
      takeRoom(value, room, at);
      return add(document, step.path, value, at, room);
    }
    case 'test':
      if (isSameJson(valueAt(document, step.path, `${at}/path`), step.value)) return document;
      throw new Problem(
        'conflict',
        `${at}: the test failed: the document has another value there. Nothing was changed.`,
        {
          errors: [{ field: at, message: 'the test failed: the document has another value there' }],
        },
      );
  }
}

function valueAt(document: JsonValue, path: Pointer, at: string): JsonValue {
  let value: JsonValue | undefined = document;
  for (const key of path) value = child(value, key);
  if (value === undefined) throw nothingThere(at);
  return value;
}

/** Rebuilds the containers on the way to the last key, which `change` is given with its own. */
function changeAt(
  value: JsonValue,
  path: Pointer,
  at: string,
  effort: Effort,
  change: (container: JsonValue, key: string) => JsonValue,
): JsonValue {
  const [key = '', ...rest] = path;
  if (rest.length === 0) return change(value, key);
  const inner = child(value, key);
  if (inner === undefined) throw nothingThere(`${at}/path`);
  return put(value, key, changeAt(inner, rest, at, effort, change), effort, at);
}

/** Puts a value where one is. */
function put(container: JsonValue, key: string, value: JsonValue, effort: Effort, at: string): JsonValue {
  if (!Array.isArray(container)) return withKey(container as JsonObject, key, value, effort, at);
  spend(effort, container.length, at);
  const items = [...container];
  items[Number(key)] = value;
  return items;
}

function add(document: JsonValue, path: Pointer, value: JsonValue, at: string, effort: Effort): JsonValue {
  if (path.length === 0) return value;
  return changeAt(document, path, at, effort, (container, key) => {
    if (isObject(container)) return withKey(container, key, value, effort, at);
    if (!Array.isArray(container)) throw nothingThere(`${at}/path`);
    const index = key === '-' ? container.length : arrayIndex(key);
    if (index === null || index > container.length)
      throw invalid(
        `${at}/path`,
        'there is no such place in the array',
        `an index from 0 to ${container.length}, or -`,
      );
    spend(effort, container.length, at);
    return [...container.slice(0, index), value, ...container.slice(index)];
  });
}

function replace(document: JsonValue, path: Pointer, value: JsonValue, at: string, effort: Effort): JsonValue {
  if (path.length === 0) return value;
  return changeAt(document, path, at, effort, (container, key) => put(container, key, value, effort, at));
}

function remove(document: JsonValue, path: Pointer, at: string, effort: Effort): JsonValue {
  if (path.length === 0) throw invalid(at, 'the document cannot be taken from itself', 'DELETE, to delete it');
  return changeAt(document, path, at, effort, (container, key) => {
    if (child(container, key) === undefined) throw nothingThere(`${at}/path`);
    if (!Array.isArray(container)) return withoutKey(container as JsonObject, key, effort, at);
    const index = Number(key);
    spend(effort, container.length, at);
    return [...container.slice(0, index), ...container.slice(index + 1)];
  });
}

/** Copies of copies double the text with each operation, without taking memory until it is written out; so their size is counted before. */
function takeRoom(value: JsonValue, room: Room, at: string): void {
  if (typeof value === 'string') room.chars -= value.length;
  room.chars -= 8;
  if (room.chars < 0)
    throw invalid(at, 'the patch copies too much', `about ${jsonPatchLimits.copiedChars} characters in all`);
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) for (const item of value) takeRoom(item, room, at);
  else
    for (const [key, item] of Object.entries(value)) {
      room.chars -= key.length;
      takeRoom(item, room, at);
    }
}

/** A patch may replace the whole document; what it leaves must still be one. */
function checkResult(result: JsonValue): JsonObject {
  if (!isObject(result)) throw invalid('', 'the patch leaves no JSON object', 'a document is an object');
  for (const key of Object.keys(result)) checkKey(key, true, pointerTo('', key));
  checkShape(result);
  return result;
}

function nothingThere(at: string): Problem {
  return invalid(at, 'the document has nothing there', 'a place that exists; add makes one');
}
