/** The evaluator in memory: for live queries, rules and webhook filters. It agrees with `to-sql.ts` on every document that can be stored. */
import { RE2JS } from 're2js';
import type { CompareOperator, FieldFilter, Filter, JsonType, ValueTest } from './ast.js';
import { compareCodePoints } from './code-points.js';
import { beginsLikeDate } from './dates.js';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { isEqual } from './json-equality.js';
import { somewhere, type Visitor } from './paths.js';
import type { Pattern } from './pattern.js';
import { hasText } from './text-search.js';

/** Says of a document, with its metafields in it, whether the filter holds. Pure; it never throws for a JSON object. */
export type Matcher = (document: JsonObject) => boolean;

/** Prepares a filter once for many documents. What it costs is linear in the document, whatever the pattern of a `$regex`. */
export function createMatcher(filter: Filter): Matcher {
  switch (filter.kind) {
    case 'and': {
      const items = filter.items.map(createMatcher);
      return (document) => items.every((item) => item(document));
    }
    case 'or': {
      const items = filter.items.map(createMatcher);
      return (document) => items.some((item) => item(document));
    }
    case 'not': {
      const item = createMatcher(filter.item);
      return (document) => !item(document);
    }
    case 'text':
      return (document) => hasText(filter.search, document);
    case 'field':
      return createFieldMatcher(filter);
  }
}

function createFieldMatcher({ path, test }: FieldFilter): Matcher {
  const visitor = createVisitor(test);
  return (document) => somewhere(document, path, visitor);
}

type SingleTest = (value: JsonValue | undefined) => boolean;

function createVisitor(test: ValueTest): Visitor {
  const single = createSingleTest(test);
  const isDivided = test.kind !== 'exists' && test.kind !== 'size' && test.kind !== 'element';
  return {
    single,
    atKey: (value) => (isDivided && Array.isArray(value) && value.some(single)) || single(value),
  };
}

/** The test of one value as it is; `undefined` is "missing". */
function createSingleTest(test: ValueTest): SingleTest {
  switch (test.kind) {
    case 'in':
      return createEqualityTest(test.values);
    case 'compare':
      return createCompareTest(test.operator, test.value, test.isDate);
    case 'regex':
      return createPatternTest(test.pattern);
    case 'exists':
      return (value) => value !== undefined;
    case 'type':
      return (value) => value !== undefined && test.types.includes(typeOf(value));
    case 'size':
      return (value) => Array.isArray(value) && value.length === test.size;
    case 'element':
      return createElementTest(test.filter, test.isObject);
  }
}

function createEqualityTest(values: readonly JsonValue[]): SingleTest {
  const scalars = new Set<JsonValue | undefined>(values.filter((value) => typeof value !== 'object' || value === null));
  if (scalars.has(null)) scalars.add(undefined);
  const containers = values.filter((value) => typeof value === 'object' && value !== null);
  if (containers.length === 0) return (value) => scalars.has(value);
  return (value) =>
    scalars.has(value) || (value !== undefined && containers.some((container) => isEqual(container, value)));
}

function createCompareTest(operator: CompareOperator, operand: number | string | boolean, isDate: boolean): SingleTest {
  return (value) => {
    if (typeof value !== typeof operand || (isDate && !beginsLikeDate(String(value)))) return false;
    const order =
      typeof value === 'string' ? compareCodePoints(value, String(operand)) : Number(value) - Number(operand);
    switch (operator) {
      case 'gt':
        return order > 0;
      case 'gte':
        return order >= 0;
      case 'lt':
        return order < 0;
      case 'lte':
        return order <= 0;
    }
  };
}

function createPatternTest({ re2 }: Pattern): SingleTest {
  const pattern = RE2JS.compile(re2);
  return (value) => typeof value === 'string' && pattern.test(value);
}

function createElementTest(filter: Filter, isObject: boolean): SingleTest {
  if (!isObject) {
    const matches = createValueMatcher(filter);
    return (value) => Array.isArray(value) && value.some(matches);
  }
  const matches = createMatcher(filter);
  return (value) => Array.isArray(value) && value.some((item) => isJsonObject(item) && matches(item));
}

/** A filter of empty paths: each of its tests looks at the element itself. */
function createValueMatcher(filter: Filter): (value: JsonValue) => boolean {
  switch (filter.kind) {
    case 'and': {
      const items = filter.items.map(createValueMatcher);
      return (value) => items.every((item) => item(value));
    }
    case 'or': {
      const items = filter.items.map(createValueMatcher);
      return (value) => items.some((item) => item(value));
    }
    case 'not': {
      const item = createValueMatcher(filter.item);
      return (value) => !item(value);
    }
    case 'field':
      return createSingleTest(filter.test);
    case 'text':
      return () => false;
  }
}

/** The type of a value by the name that `$type` uses. */
export function typeOf(value: JsonValue): JsonType {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'number';
    case 'string':
      return 'string';
    default:
      return 'object';
  }
}
