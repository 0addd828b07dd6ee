/** Whether one filter is narrower than another, as far as that shows in how they are written: for partial indexes, which may be used only by queries that their condition follows from. */
import type { FieldFilter, Filter, ValueTest } from './ast.js';
import { canonicalText } from './canonical-text.js';
import { compareCodePoints } from './code-points.js';
import type { JsonObject, JsonValue } from './json.js';
import { createMatcher } from './matcher.js';

/** True only if every document that the filter is true for is one that the condition is true for. False when that is not seen. */
export function implies(filter: Filter, condition: Filter): boolean {
  if (condition.kind === 'and') return condition.items.every((item) => implies(filter, item));
  if (filter.kind === 'or') return filter.items.every((item) => implies(item, condition));
  if (filter.kind === 'and') return filter.items.some((item) => implies(item, condition));
  if (condition.kind === 'or') return condition.items.some((item) => implies(filter, item));
  if (filter.kind === 'field' && condition.kind === 'field' && isNarrower(filter, condition)) return true;
  return canonicalText(filter) === canonicalText(condition);
}

/** Both hold when one reached value passes, so the value that passes the filter's test is the one that passes the condition's. */
function isNarrower({ path, test }: FieldFilter, condition: FieldFilter): boolean {
  if (path.length !== condition.path.length || path.some((segment, at) => segment !== condition.path[at])) return false;
  if (condition.test.kind === 'exists') return isOfValue(test);
  if (test.kind === 'in') {
    const isMet = createMatcher(condition);
    return test.values.every((value) => isScalar(value) && isMet(documentOf(path, value)));
  }
  return test.kind === 'compare' && condition.test.kind === 'compare' && isWithin(test, condition.test);
}

/** Whether only a value passes, and nothing that is missing. */
function isOfValue(test: ValueTest): boolean {
  return test.kind !== 'in' || !test.values.includes(null);
}

/** `null` is also equal to what is missing, and objects and arrays may be reached in more than one way. */
function isScalar(value: JsonValue): boolean {
  return typeof value !== 'object';
}

/** The document in which the path reaches this value and nothing else. */
function documentOf(path: readonly string[], value: JsonValue): JsonObject {
  const [first = '', ...rest] = path;
  // A computed key makes an own property of __proto__, too.
  return { [first]: rest.length === 0 ? value : documentOf(rest, value) };
}

type Comparison = Extract<ValueTest, { kind: 'compare' }>;

function isWithin(inner: Comparison, outer: Comparison): boolean {
  if (inner.operator.slice(0, 2) !== outer.operator.slice(0, 2) || (outer.isDate && !inner.isDate)) return false;
  const order = compare(inner.value, outer.value);
  if (order === null) return false;
  if (order === 0) return inner.operator === outer.operator || outer.operator.endsWith('e');
  return inner.operator.startsWith('g') ? order > 0 : order < 0;
}

function compare(a: Comparison['value'], b: Comparison['value']): number | null {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return typeof a === 'string' && typeof b === 'string' ? compareCodePoints(a, b) : null;
}
