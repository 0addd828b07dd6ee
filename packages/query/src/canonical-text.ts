/**
 * A text by which filters of the same meaning are found to be the same, whatever the order and wording in which they were sent. Equal texts mean equal meaning; the
 * reverse holds for the ordinary ways to say one thing: order, nesting and doubling of parts, negations pushed down, the order of values in a list.
 */
import type { Filter, ValueTest } from './ast.js';
import type { JsonValue } from './json.js';
import { canonicalJson } from './json-equality.js';
import type { TextSearch } from './text-search.js';

/** The canonical text of a filter. */
export function canonicalText(filter: Filter): string {
  return JSON.stringify(normalize(filter, false));
}

/** Parts as `["and" | "or", …]` with their texts sorted, tests as `["is" | "not", path, test]`. `["and"]` always holds, `["or"]` never. */
function normalize(filter: Filter, isNegated: boolean): JsonValue[] {
  switch (filter.kind) {
    case 'not':
      return normalize(filter.item, !isNegated);
    case 'and':
    case 'or':
      return join(
        (filter.kind === 'and') === isNegated ? 'or' : 'and',
        filter.items.map((item) => normalize(item, isNegated)),
      );
    case 'text':
      return [isNegated ? 'not' : 'is', '$text', normalizeSearch(filter.search)];
    case 'field':
      return normalizeTest(filter.path, filter.test, isNegated);
  }
}

function join(kind: 'and' | 'or', parts: readonly JsonValue[][]): JsonValue[] {
  const opposite = kind === 'and' ? 'or' : 'and';
  const flat = parts.flatMap((part) => (part[0] === kind ? (part.slice(1) as JsonValue[][]) : [part]));
  if (flat.some((part) => part.length === 1 && part[0] === opposite)) return [opposite];
  const byText = new Map(flat.map((part) => [JSON.stringify(part), part]));
  const distinct = [...byText.keys()].sort().flatMap((text) => [byText.get(text) ?? []]);
  return distinct.length === 1 ? (distinct[0] ?? []) : [kind, ...distinct];
}

function normalizeTest(path: readonly string[], test: ValueTest, isNegated: boolean): JsonValue[] {
  return [isNegated ? 'not' : 'is', [...path], testOf(test)];
}

function testOf(test: ValueTest): JsonValue[] {
  switch (test.kind) {
    case 'in':
      return ['in', ...new Set(test.values.map(canonicalJson).sort())];
    case 'compare':
      return [test.operator, test.value, test.isDate];
    case 'regex':
      return ['regex', test.pattern.postgres];
    case 'exists':
      return ['exists'];
    case 'type':
      return ['type', ...[...test.types].sort()];
    case 'size':
      return ['size', test.size];
    case 'element':
      return ['element', test.isObject, normalize(test.filter, false)];
  }
}

function normalizeSearch({ allOf, anyOf, noneOf, optional }: TextSearch): JsonValue[] {
  return [allOf, anyOf, noneOf, optional].map((terms) => terms.map((term) => term.join(' ')).sort());
}
