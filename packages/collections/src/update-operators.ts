/**
 * Update operators in the body of a PUT or PATCH, as restdb.io has them (`$inc $push $pull`) and as people know them from MongoDB:
 * `{"$inc": {"stock.count": -1}, "$push": {"tags": "new"}}`. Operands are keyed by dotted paths; a number in a path is an index of an array, or a key
 * of an object. What is missing on the way is made, as objects. Pure.
 *
 * Everything that can be known without the document is refused when the operators are parsed; what depends on it (a `$push` to a text) when they are
 * applied. Both name the place.
 */
import type { JsonObject, JsonValue } from '@tidewire/protocol/json';
import { invalid } from '@tidewire/protocol/problem';
import {
  arrayIndex,
  checkKey,
  checkShape,
  child,
  type DocumentPath,
  type Effort,
  identityOf,
  isObject,
  isSameJson,
  newEffort,
  pointerTo,
  sizeOf,
  spend,
  withKey,
  withoutKey,
} from './document-path.js';
import { checkReference, hasReferenceKey, referencesAlone } from './document-reference.js';

/** Most places that one body may change by operators, and most keys of a path. */
export const operatorLimits = { places: 1_000, pathKeys: 32 } as const;

/** Gives the new value for the present one; undefined stands for none. `at` is the operand's place, for refusals. */
type Operation = (present: JsonValue | undefined, at: string, effort: Effort) => JsonValue | undefined;
/** Checks the operand and makes the operation. */
type Operator = (operand: JsonValue, at: string) => Operation;
type PlannedChange = { path: DocumentPath; at: string; operation: Operation };

const operators: Record<string, Operator> = {
  $inc(operand, at) {
    if (typeof operand !== 'number') throw invalid(at, '$inc adds a number', 'a number, as in 1 or -1');
    return (present, place) => add(present, operand, place);
  },
  $min: (operand, at) => bound('$min', operand, at, (present, value) => value < present),
  $max: (operand, at) => bound('$max', operand, at, (present, value) => value > present),
  $push(operand, at) {
    const items = itemsOf('$push', operand, at);
    return (present, place) => [...arrayAt('$push', present, place), ...items];
  },
  $addToSet(operand, at) {
    const items = itemsOf('$addToSet', operand, at);
    return (present, place) => {
      const set = [...arrayAt('$addToSet', present, place)];
      const known = new Set(set.map(identityOf));
      for (const item of items) {
        const identity = identityOf(item);
        if (!known.has(identity)) set.push(item);
        known.add(identity);
      }
      return set;
    };
  },
  $pull(operand, at) {
    const pulled = storable(operand, at);
    const size = sizeOf(pulled);
    return (present, place, effort) => {
      if (present === undefined) return undefined;
      const items = arrayAt('$pull', present, place);
      spend(effort, items.length * size, place);
      return items.filter((item) => !isPulled(item, pulled));
    };
  },
  $set(operand, at) {
    const value = storable(operand, at);
    return () => value;
  },
  $unset: () => () => undefined,
};

const operatorNames = Object.keys(operators).join(' ');

/** Whether the body has a key at its root that looks like an operator. */
export function hasOperators(body: JsonObject): boolean {
  for (const name of Object.keys(body)) if (name.startsWith('$')) return true;
  return false;
}

/**
 * The function that applies the operators of the body, in its order; other keys of the body are not looked at. Throws `validation_failed` for an unknown
 * operator, a wrong operand or path, and two operators for one place.
 */
export function parseOperators(body: JsonObject): (fields: JsonObject) => JsonObject {
  const changes: PlannedChange[] = [];
  for (const [name, operands] of Object.entries(body)) {
    if (!name.startsWith('$')) continue;
    const at = pointerTo('', name);
    const operator = Object.hasOwn(operators, name) ? operators[name] : undefined;
    if (operator === undefined) throw invalid(at, 'there is no such update operator', operatorNames);
    if (!isObject(operands))
      throw invalid(at, `${name} takes an object of paths`, `as in {"${name}": {"field.inner": …}}`);
    for (const [text, operand] of Object.entries(operands)) {
      const place = pointerTo(at, text);
      changes.push({ path: parsePath(text, place), at: place, operation: operator(operand, place) });
    }
  }
  if (changes.length > operatorLimits.places)
    throw invalid('', 'the operators change too many places', `at most ${operatorLimits.places}`);
  refuseOverlaps(changes);
  return (fields) => {
    let result = fields;
    const effort = newEffort();
    for (const change of changes) result = applyAt(result, change.path, change, effort) as JsonObject;
    checkShape(result);
    return result;
  };
}

function parsePath(text: string, at: string): DocumentPath {
  const keys = text.split('.');
  if (keys.length > operatorLimits.pathKeys)
    throw invalid(at, 'the path is too long', `at most ${operatorLimits.pathKeys} keys`);
  for (const [index, key] of keys.entries()) {
    if (key === '') throw invalid(at, 'the path has an empty key', 'keys with single dots between, as in address.city');
    checkKey(key, index === 0, at);
  }
  return keys as [string, ...string[]];
}

/** Two operators on one place, or on a place and what it holds, have no order that everybody would expect. */
function refuseOverlaps(changes: readonly PlannedChange[]): void {
  // With NUL between the keys, whatever lies below a path sorts directly behind it.
  const sorted = changes.map(({ path, at }) => ({ text: `${path.join('\0')}\0`, at }));
  sorted.sort((a, b) => (a.text < b.text ? -1 : 1));
  for (const [index, { text, at }] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before !== undefined && text.startsWith(before.text))
      throw invalid(at, 'two operators change the same place', 'one operator for a place and what it holds');
  }
}

/** The value with the change made at the path below it. Undefined when nothing is left there. */
function applyAt(
  value: JsonValue | undefined,
  path: readonly string[],
  change: PlannedChange,
  effort: Effort,
): JsonValue | undefined {
  const { at } = change;
  const [key, ...rest] = path;
  if (key === undefined) return change.operation(value, at, effort);
  if (Array.isArray(value)) return applyInArray(value, key, rest, change, effort);
  if (value !== undefined && !isObject(value))
    throw invalid(
      at,
      `the path leads through ${nameOf(value)}, which holds nothing`,
      'a path through objects and arrays',
    );
  const present = child(value, key);
  const next = applyAt(present, rest, change, effort);
  if (next === undefined) return present === undefined ? value : withoutKey(value ?? {}, key, effort, at);
  return withKey(value ?? {}, key, next, effort, at);
}

function applyInArray(
  items: JsonValue[],
  key: string,
  rest: string[],
  change: PlannedChange,
  effort: Effort,
): JsonValue {
  const { at } = change;
  const index = arrayIndex(key);
  if (index === null || index > items.length)
    throw invalid(at, 'the path leads into an array', `an index from 0 to ${items.length} there`);
  const next = applyAt(items[index], rest, change, effort);
  if (next === undefined && index === items.length) return items;
  spend(effort, items.length, at);
  // As in MongoDB: what is unset in an array becomes null, and the other items keep their indexes.
  const copy = [...items];
  copy[index] = next ?? null;
  return copy;
}

function add(present: JsonValue | undefined, operand: number, at: string): number {
  if (present === undefined) return operand;
  if (typeof present !== 'number')
    throw invalid(at, `$inc finds ${nameOf(present)} there`, 'a place that holds a number or nothing');
  const sum = present + operand;
  const isExact = !Number.isInteger(present) || !Number.isInteger(operand) || Number.isSafeInteger(sum);
  if (!Number.isFinite(sum) || !isExact)
    throw invalid(at, 'the sum cannot be held exactly', 'integers up to 2^53, other numbers up to 1.797e308');
  return sum;
}

function bound(
  name: string,
  operand: JsonValue,
  at: string,
  wins: (present: number | string, value: number | string) => boolean,
): Operation {
  if (typeof operand !== 'number' && typeof operand !== 'string')
    throw invalid(at, `${name} compares numbers or texts`, 'a number or a text');
  return (present, place) => {
    if (present === undefined) return operand;
    if (typeof present !== typeof operand)
      throw invalid(
        place,
        `${name} finds ${nameOf(present)} there`,
        `a place that holds ${nameOf(operand)} or nothing`,
      );
    return wins(present as number | string, operand) ? operand : present;
  };
}

/** The operand itself, or the items of `{"$each": […]}`. */
function itemsOf(name: string, operand: JsonValue, at: string): JsonValue[] {
  if (!isObject(operand) || !Object.hasOwn(operand, '$each')) {
    return [storable(operand, at)];
  }
  const each = operand.$each;
  if (!Array.isArray(each) || Object.keys(operand).length > 1)
    throw invalid(pointerTo(at, '$each'), `$each of ${name} takes an array, alone`, '{"$each": [1, 2]}');
  const place = pointerTo(at, '$each');
  return each.map((item, index) => storable(item, pointerTo(place, index)));
}

function arrayAt(name: string, present: JsonValue | undefined, at: string): JsonValue[] {
  if (present === undefined) return [];
  if (Array.isArray(present)) return present;
  throw invalid(at, `${name} finds ${nameOf(present)} there`, 'a place that holds an array or nothing');
}

/** An object pulls the items that have all its fields; anything else its equals. */
function isPulled(item: JsonValue, operand: JsonValue): boolean {
  if (!isObject(operand) || !isObject(item)) return isSameJson(item, operand);
  return Object.entries(operand).every(([key, value]) => Object.hasOwn(item, key) && isSameJson(item[key], value));
}

/**
 * The value as it may stand in a document. A key that begins with `$` would be stored, and then read as an operator by queries, so it is refused, but for the two of
 * a reference, which lose what stands beside them. Throws `validation_failed`.
 */
export function storable(value: JsonValue, at: string): JsonValue {
  return refuseOperatorKeys(value, at) ? referencesAlone(value) : value;
}

/** Returns whether something stands beside the keys of a reference. */
function refuseOperatorKeys(value: JsonValue, at: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  let isMore = false;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) isMore = refuseOperatorKeys(item, pointerTo(at, index)) || isMore;
    return isMore;
  }
  if (hasReferenceKey(value)) return checkReference(value, at);
  for (const [key, item] of Object.entries(value)) {
    checkKey(key, false, pointerTo(at, key));
    isMore = refuseOperatorKeys(item, pointerTo(at, key)) || isMore;
  }
  return isMore;
}

function nameOf(value: JsonValue): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  const names = { string: 'a text', number: 'a number', boolean: 'true or false', object: 'an object' } as const;
  return names[typeof value as keyof typeof names];
}
