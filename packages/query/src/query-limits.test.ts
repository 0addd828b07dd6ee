/** Every bound of the language: what is at the bound is taken, what is beyond it is refused with the bound in the message. */
import { describe, expect, it } from 'vitest';
import { aggregate } from './aggregate.js';
import { parseAggregation } from './aggregation.js';
import { parseHints } from './hints.js';
import type { JsonValue } from './json.js';
import { parseFilter, parseTextFilter } from './parse-filter.js';
import type { Parsed } from './problems.js';
import { parseProjection } from './projection.js';
import { queryLimits } from './query-limits.js';
import { times } from './random.fixture.js';
import { parseSort } from './sort.js';

/** What is `size` large in the respect that is bounded. */
type Make = (size: number) => Parsed<object>;

const nest = (depth: number, wrap: (inner: JsonValue) => JsonValue): JsonValue =>
  times(depth, () => wrap).reduce<JsonValue>((inner, outer) => outer(inner), { a: 1 });
const fields = <T>(count: number, value: T) => Object.fromEntries(times(count, (index) => [`f${index}`, value]));
const regex = (pattern: string) => parseFilter({ a: { $regex: pattern } });
const words = (count: number) => times(count, (index) => `w${index}`).join(' ');

const makers: Record<Exclude<keyof typeof queryLimits, 'problems'>, Make> = {
  depth: (size) => parseFilter(nest(size, (inner) => ({ $not: inner }))),
  nodes: (size) => parseFilter(fields(size, 1)),
  listValues: (size) => parseFilter({ a: { $in: times(size, () => 1) } }),
  filterBytes: (size) => parseFilter({ a: 'x'.repeat(size - '{"a":""}'.length) }),
  // The value itself is not yet nested.
  valueDepth: (size) => parseFilter({ a: nest(size, (inner) => ({ b: inner })) }),
  patternLength: (size) => regex('x'.repeat(size)),
  repeat: (size) => regex(`a{${size}}`),
  // Nine hundred and one, and one for each letter.
  expandedPattern: (size) => regex(`${'a{100}'.repeat(9)}${'b'.repeat(size - 901)}`),
  searchLength: (size) => parseTextFilter('x'.repeat(size)),
  searchWords: (size) => parseTextFilter(words(size)),
  pathLength: (size) => parseFilter({ ['x'.repeat(size)]: 1 }),
  pathSegments: (size) => parseFilter({ [times(size, () => 'x').join('.')]: 1 }),
  numericSegments: (size) => parseFilter({ [`a${'.0'.repeat(size)}`]: 1 }),
  sortFields: (size) => parseSort(fields(size, 1)),
  projectionFields: (size) => parseProjection(fields(size, 1)),
  groupKeys: (size) => parseAggregation({ groupby: times(size, (index) => `f${index}`) }),
  aggregateItems: (size) => parseAggregation({ aggregate: times(size, (index) => `SUM:f${index}`) }),
  groups: (size) => {
    const parsed = parseAggregation({ groupby: ['a'] });
    return parsed.ok
      ? aggregate(
          parsed.aggregation,
          times(size, (a) => ({ a })),
        )
      : parsed;
  },
  nameLength: (size) => parseAggregation({ aggregate: [`COUNT:${'x'.repeat(size)}`] }),
  max: (size) => parseHints({ $max: size }),
  skip: (size) => parseHints({ $skip: size }),
};

describe('a bound is the greatest that is taken, and is named when it is passed', () => {
  it.each(Object.entries(makers))('%s', (name, make) => {
    const limit = queryLimits[name as keyof typeof queryLimits];
    const atLimit = make(limit);
    expect(atLimit.ok ? [] : atLimit.errors).toEqual([]);
    const beyond = make(limit + 1);
    expect(beyond.ok ? 'taken' : beyond.errors[0]?.message).toContain(String(limit));
  });
});

it('no more problems are told than the bound, wherever they are', () => {
  const count = 60;
  for (const parsed of [
    parseFilter(fields(count, { $x: 1 })),
    parseSort(fields(8, 5)),
    parseProjection(fields(count, 5)),
    parseHints(Object.fromEntries(times(count, (index) => [`x${index}`, 1]))),
    parseAggregation({ aggregate: times(32, () => 'X') }),
  ]) {
    expect(parsed.ok ? 0 : parsed.errors.length).toBeGreaterThan(1);
    expect(parsed.ok ? 0 : parsed.errors.length).toBeLessThanOrEqual(queryLimits.problems);
  }
});
