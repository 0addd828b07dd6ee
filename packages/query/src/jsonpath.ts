/**
 * Conditions as jsonpath predicates of Postgres, in lax mode. The text is bound as a parameter; names and strings in it are escaped here and nowhere
 * else. What lax mode does, and what this rests on:
 *
 * - `.key` on an array goes into its elements, once: elements that are arrays themselves give nothing. That is how MongoDB walks.
 * - A comparison and `like_regex` divide an array operand into its elements, once; types that do not compare are "unknown", which is not true.
 * - A filter `? (…)` directly after `.key` or an index divides an array, once; `@` is then an element as it is, be it an array. (After `[*]` it would divide again.)
 * - `.type()` and `.size()` never divide. `[0]` on what is no array means the value itself, hence the guards before indexes.
 *
 * "Unknown" must not be negated (it would stay unknown): predicates are negated as `!exists(x ? (predicate))`, and predicates on single values are guarded by type
 * so that they are true or false.
 */
import type { FieldFilter, Filter, JsonType, ValueTest } from './ast.js';
import { datePrefix } from './dates.js';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { isIndex } from './paths.js';

/** Longer lists become a variable instead of alternatives in the text. */
const LIST_IN_TEXT = 16;
/** Beyond it there is no array element, and jsonpath takes no greater index. */
const GREATEST_INDEX = 2_147_483_647;

/** The variables of a jsonpath: lists that are too long for its text. */
export class JsonpathVariables {
  readonly values: JsonObject = {};
  private count = 0;

  /** Returns the place of the variable, such as `$v0`. */
  add(value: JsonValue): string {
    const name = `v${this.count}`;
    this.count += 1;
    this.values[name] = value;
    return `$${name}`;
  }

  get isEmpty(): boolean {
    return this.count === 0;
  }
}

/** Where a filter looks from: the document `$`, or an element `@` that is an object. */
type Scope = '$' | '@';

/** The filter, which has no text search, as a predicate on an object: the root or, with scope `@`, the present element. */
export function writeFilter(filter: Filter, scope: Scope, variables: JsonpathVariables): string {
  switch (filter.kind) {
    case 'and':
      return join(filter.items, '&&', '1 == 1', (item) => writeFilter(item, scope, variables));
    case 'or':
      return join(filter.items, '||', '1 == 0', (item) => writeFilter(item, scope, variables));
    case 'not':
      return `!exists(${scope} ? (${writeFilter(filter.item, scope, variables)}))`;
    case 'field':
      return writeField(filter, scope, variables);
    case 'text':
      throw new TypeError('A text search is no jsonpath.');
  }
}

function join(items: readonly Filter[], operator: '&&' | '||', none: string, write: (item: Filter) => string): string {
  return items.length === 0 ? `(${none})` : `(${items.map((item) => write(item)).join(` ${operator} `)})`;
}

/** A set of values: `tail` of those items of `parents` that are objects and pass the guards. Guards speak of `@`, such an object. */
type Reach = { parents: string; isScope: boolean; guards: readonly string[]; tail: string; isByKey: boolean };

function writeField({ path, test }: FieldFilter, scope: Scope, variables: JsonpathVariables): string {
  const parts = reachesOf(path, scope).map((reach) => writeLeaf(reach, test, variables));
  if (test.kind === 'in' && test.values.includes(null)) parts.push(...writeMissing(path, scope));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : `(${parts.join(' || ')})`;
}

/** All ways to read the path: a segment that is a number is a key and, after the first, an index too. */
export function reachesOf(path: readonly string[], scope: Scope): Reach[] {
  let reaches: Reach[] = [];
  path.forEach((segment, at) => {
    if (at === 0) {
      reaches = [{ parents: scope, isScope: true, guards: [], tail: accessor(segment), isByKey: true }];
      return;
    }
    const isElement = isIndex(segment) && Number(segment) <= GREATEST_INDEX;
    reaches = reaches.flatMap((reach) =>
      isElement ? [byKey(reach, segment), byIndex(reach, segment)] : [byKey(reach, segment)],
    );
  });
  return reaches;
}

function byKey(reach: Reach, segment: string): Reach {
  return { parents: writeReach(reach), isScope: false, guards: [], tail: accessor(segment), isByKey: true };
}

function byIndex(reach: Reach, segment: string): Reach {
  const guards = [...reach.guards, `@${reach.tail}.type() == "array"`];
  return { ...reach, guards, tail: `${reach.tail}[${segment}]`, isByKey: false };
}

/** The values as one path; arrays among them are not divided. */
export function writeReach({ parents, guards, tail }: Reach): string {
  if (guards.length === 0) return `${parents}${tail}`;
  return `${parents} ? (${['@.type() == "object"', ...guards].join(' && ')})${tail}`;
}

function writeLeaf(reach: Reach, test: ValueTest, variables: JsonpathVariables): string {
  const { parents, isScope, guards, tail, isByKey } = reach;
  if (guards.length === 0 && isScope) return writeTest(`${parents}${tail}`, test, isByKey, variables);
  if (guards.length === 0 && canFanOut(test)) return writeTest(`${parents}${tail}`, test, isByKey, variables);
  const conditions = ['@.type() == "object"', ...guards, writeTest(`@${tail}`, test, isByKey, variables)];
  return `exists(${parents} ? (${conditions.join(' && ')}))`;
}

/** Whether the test's text is right for a path that gives many values at once. */
function canFanOut(test: ValueTest): boolean {
  if (test.kind === 'in') return test.values.every((value) => typeof value !== 'object' || value === null);
  return (test.kind === 'compare' && !test.isDate) || test.kind === 'regex' || test.kind === 'exists';
}

/** Where the path reaches "missing": an object lacks the key, or a scalar that is no element of an array stands in the way. */
function writeMissing(path: readonly string[], scope: Scope): string[] {
  return path.flatMap((_segment, at) => {
    const isLast = at === path.length - 1;
    return reachesOf(path.slice(0, at + 1), scope)
      .filter(({ isByKey }) => isByKey)
      .map(({ parents, isScope, tail }) => {
        const write = (value: string) => {
          const lacks = `!exists(${value})`;
          return isLast ? lacks : `(${lacks} || (${value}.type() != "object" && ${value}.type() != "array"))`;
        };
        return isScope
          ? write(`${parents}${tail}`)
          : `exists(${parents} ? (@.type() == "object" && ${write(`@${tail}`)}))`;
      });
  });
}

/** The predicate that the path reaches "missing" in the document. */
export function writeIsMissing(path: readonly string[]): string {
  return writeMissing(path, '$').join(' || ');
}

/** The predicate that an array stands on the path, or at its end. */
export function writeHasArray(path: readonly string[]): string {
  return path
    .map(
      (_segment, at) =>
        `$${path
          .slice(0, at + 1)
          .map(accessor)
          .join('')}.type() == "array"`,
    )
    .join(' || ');
}

/** The test of what `value`, one path, gives. By key, an array passes when one of its elements does. */
function writeTest(value: string, test: ValueTest, isByKey: boolean, variables: JsonpathVariables): string {
  if (!isByKey) return writeSingle(value, test, variables);
  switch (test.kind) {
    case 'in':
      return writeOneOf(value, test.values, variables);
    case 'compare':
      if (test.isDate) return `exists(${value} ? (${writeSingle('@', test, variables)}))`;
      return `${value} ${comparison[test.operator]} ${literal(test.value)}`;
    case 'regex':
      return `${value} like_regex ${literal(test.pattern.postgres)} flag "s"`;
    case 'type':
      return `(${writeTypes(value, test.types)} || exists(${value} ? (${writeTypes('@', test.types)})))`;
    case 'exists':
    case 'size':
    case 'element':
      return writeSingle(value, test, variables);
  }
}

function writeOneOf(value: string, values: readonly JsonValue[], variables: JsonpathVariables): string {
  const scalars = values.filter((item) => typeof item !== 'object' || item === null);
  const containers = values.filter((item) => typeof item === 'object' && item !== null);
  const parts = containers.flatMap((item) => {
    const element = `exists(${value} ? (${writeEquality('@', item)}))`;
    return Array.isArray(item) ? [writeEquality(value, item), element] : [element];
  });
  if (scalars.length > LIST_IN_TEXT) parts.push(`${value} == ${variables.add([...scalars])}[*]`);
  else parts.push(...scalars.map((item) => `${value} == ${literal(item)}`));
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : `(${parts.join(' || ')})`;
}

/** The test of one value as it is; true or false, never unknown. */
function writeSingle(value: string, test: ValueTest, variables: JsonpathVariables): string {
  switch (test.kind) {
    case 'in':
      return writeSingleOneOf(value, test.values, variables);
    case 'compare': {
      const guard = test.isDate ? ` && ${value} like_regex ${literal(datePrefix)}` : '';
      const order = `${value} ${comparison[test.operator]} ${literal(test.value)}`;
      return `(${value}.type() == "${jsonpathType(test.value)}"${guard} && ${order})`;
    }
    case 'regex':
      return `(${value}.type() == "string" && ${value} like_regex ${literal(test.pattern.postgres)} flag "s")`;
    case 'exists':
      return `exists(${value})`;
    case 'type':
      return writeTypes(value, test.types);
    case 'size':
      return `(${value}.type() == "array" && ${value}.size() == ${test.size})`;
    case 'element':
      return `(${value}.type() == "array" && exists(${value} ? (${writeElement(test.filter, test.isObject, variables)})))`;
  }
}

function writeSingleOneOf(value: string, values: readonly JsonValue[], variables: JsonpathVariables): string {
  const scalars = values.filter((item) => typeof item !== 'object' || item === null);
  if (scalars.length <= LIST_IN_TEXT) return `(${values.map((item) => writeEquality(value, item)).join(' || ')})`;
  const containers = values.filter((item) => typeof item === 'object' && item !== null);
  const isScalar = `${value}.type() != "array" && ${value}.type() != "object"`;
  // Within the guard, "unknown" of types that do not compare is made false by exists().
  const isListed = `(${isScalar} && exists(${value} ? (@ == ${variables.add([...scalars])}[*])))`;
  return `(${[isListed, ...containers.map((item) => writeEquality(value, item))].join(' || ')})`;
}

function writeElement(filter: Filter, isObject: boolean, variables: JsonpathVariables): string {
  if (isObject) return `@.type() == "object" && ${writeFilter(filter, '@', variables)}`;
  return writeValueFilter(filter, variables);
}

/** A filter of empty paths, on the element `@` as it is. */
function writeValueFilter(filter: Filter, variables: JsonpathVariables): string {
  switch (filter.kind) {
    case 'and':
      return join(filter.items, '&&', '1 == 1', (item) => writeValueFilter(item, variables));
    case 'or':
      return join(filter.items, '||', '1 == 0', (item) => writeValueFilter(item, variables));
    case 'not':
      return `!(${writeValueFilter(filter.item, variables)})`;
    case 'field':
      return writeSingle('@', filter.test, variables);
    case 'text':
      throw new TypeError('A text search is no jsonpath.');
  }
}

function writeTypes(value: string, types: readonly JsonType[]): string {
  return `(${types.map((type) => `${value}.type() == "${type === 'bool' ? 'boolean' : type}"`).join(' || ')})`;
}

/** Whether what `value` gives, at most one item, equals the constant; never unknown. */
function writeEquality(value: string, constant: JsonValue): string {
  if (constant === null) return `${value}.type() == "null"`;
  if (Array.isArray(constant)) {
    const items = constant.map((item, index) => writeEquality(`${value}[${index}]`, item));
    return `(${[`${value}.type() == "array"`, `${value}.size() == ${constant.length}`, ...items].join(' && ')})`;
  }
  if (!isJsonObject(constant))
    return `(${value}.type() == "${jsonpathType(constant)}" && ${value} == ${literal(constant)})`;
  const members = Object.entries(constant);
  const parts = members.map(([key, item]) => writeEquality(`${value}${accessor(key)}`, item));
  const names = members.map(([key]) => `@.key != ${literal(key)}`);
  const others = names.length === 0 ? `${value}.keyvalue()` : `${value}.keyvalue() ? (${names.join(' && ')})`;
  return `(${[`${value}.type() == "object"`, ...parts, `!exists(${others})`].join(' && ')})`;
}

const comparison = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

function jsonpathType(value: number | string | boolean): string {
  return typeof value;
}

function accessor(key: string): string {
  return `.${literal(key)}`;
}

/** A scalar in jsonpath. Its strings take JSON's escapes; JSON.stringify leaves nothing in them that could end the string. */
function literal(value: null | boolean | number | string): string {
  return JSON.stringify(value);
}
