import { describe, expect, it } from 'vitest';
import { everything } from './ast.js';
import type { JsonObject, JsonValue } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter, parseTextFilter } from './parse-filter.js';
import { queryLimits } from './query-limits.js';

const now = new Date('2024-05-15T10:20:30.400Z');

/** Whether the filter, which must be good, matches a document with these fields. */
function matches(raw: JsonObject, fields: JsonObject): boolean {
  const parsed = parseFilter(raw, { now });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return createMatcher(parsed.filter)({ _id: '1', ...fields });
}

/** The places and messages of what is wrong. */
function problemsOf(raw: unknown): { field: string; message: string; allowed?: string[] }[] {
  const parsed = parseFilter(raw, { now });
  return parsed.ok ? [] : parsed.errors;
}

const nest = (depth: number, wrap: (inner: JsonValue) => JsonValue, innermost: JsonValue): JsonValue => {
  let value = innermost;
  for (let left = depth; left > 0; left -= 1) value = wrap(value);
  return value;
};

describe('the meaning is that of MongoDB', () => {
  it.each<[string, JsonObject, JsonObject[], JsonObject[]]>([
    [
      'a plain value is equality, on arrays "contains"',
      { a: 1 },
      [{ a: 1 }, { a: [0, 1] }],
      [{ a: '1' }, { a: [[1]] }, { a: { b: 1 } }, {}],
    ],
    [
      'an array is equal as a whole or as an element',
      { a: [1, 2] },
      [{ a: [1, 2] }, { a: [[1, 2], 3] }],
      [{ a: [2, 1] }, { a: [1, 2, 3] }],
    ],
    [
      'an object is equal as a whole, whatever the order of its keys',
      { a: { b: 1, c: 2 } },
      [{ a: { c: 2, b: 1 } }, { a: [{ b: 1, c: 2 }] }],
      [{ a: { b: 1 } }, { a: { b: 1, c: 2, d: 3 } }],
    ],
    ['null is also what is missing', { a: null }, [{ a: null }, {}, { a: [null] }], [{ a: 0 }, { a: [] }, { a: '' }]],
    [
      'null below a scalar is missing, below its elements is not',
      { 'a.b': null },
      [{ a: 5 }, {}, { a: [{}] }, { a: null }],
      [{ a: [5] }, { a: [] }, { a: { b: 1 } }],
    ],
    ['$ne is the plain negation', { a: { $ne: 1 } }, [{ a: 2 }, {}, { a: [2] }], [{ a: 1 }, { a: [1, 2] }]],
    ['$in takes several values', { a: { $in: [1, null] } }, [{ a: 1 }, {}, { a: [3, 1] }], [{ a: 2 }]],
    ['$in of nothing matches nothing', { a: { $in: [] } }, [], [{ a: 1 }, {}]],
    ['$nin is the negation of $in', { a: { $nin: [1, 2] } }, [{ a: 3 }, {}], [{ a: 2 }, { a: [2, 3] }]],
    [
      'types do not mix in comparisons',
      { a: { $gt: 1 } },
      [{ a: 2 }, { a: ['z', 2] }],
      [{ a: '2' }, { a: true }, { a: null }, { a: {} }],
    ],
    ['texts are ordered by code point', { a: { $gt: '\uff21' } }, [{ a: '😀' }, { a: '\uff22' }], [{ a: 'z' }]],
    ['false is less than true', { a: { $lt: true } }, [{ a: false }], [{ a: true }, { a: 0 }]],
    ['$gte null is null or missing', { a: { $gte: null } }, [{ a: null }, {}], [{ a: 0 }]],
    ['$gt null is nothing', { a: { $gt: null } }, [], [{ a: null }, {}, { a: 1 }]],
    [
      'several operators may be fulfilled by several elements',
      { a: { $gt: 5, $lt: 3 } },
      [{ a: [1, 9] }],
      [{ a: [4] }, { a: 4 }],
    ],
    [
      '$elemMatch wants one element for all of them',
      { a: { $elemMatch: { $gt: 5, $lt: 8 } } },
      [{ a: [1, 6] }],
      [{ a: [1, 9] }, { a: 6 }],
    ],
    [
      '$elemMatch looks into objects',
      { a: { $elemMatch: { b: 1, c: { $ne: 2 } } } },
      [{ a: [{ b: 1 }] }],
      [{ a: [{ b: 1, c: 2 }, { b: 2 }] }, { a: { b: 1 } }],
    ],
    ['$bt has both its ends', { a: { $bt: [1, 3] } }, [{ a: 1 }, { a: 3 }], [{ a: 0.99 }, { a: 3.01 }, { a: '2' }]],
    ['$all wants each value', { a: { $all: [1, 2] } }, [{ a: [2, 1, 0] }], [{ a: [1] }, { a: 1 }]],
    ['$all with one value takes a scalar', { a: { $all: [1] } }, [{ a: 1 }, { a: [1] }], [{ a: [] }]],
    ['$size counts elements', { a: { $size: 2 } }, [{ a: [1, [2]] }], [{ a: [1] }, { a: 'ab' }, { a: [[1, 2]] }]],
    ['$exists is true for null', { a: { $exists: true } }, [{ a: null }, { a: [] }], [{}]],
    [
      'an array is not empty when its first element exists',
      { 'a.0': { $exists: true } },
      [{ a: [null] }, { a: { 0: 1 } }],
      [{ a: [] }, { a: 1 }],
    ],
    [
      '$type names JSON types, of the value or an element',
      { a: { $type: ['string', 'null'] } },
      [{ a: 'x' }, { a: null }, { a: [1, 'x'] }],
      [{ a: 1 }, {}, { a: {} }],
    ],
    ['$type array is the array itself', { a: { $type: 'array' } }, [{ a: [] }, { a: [1] }], [{ a: {} }]],
    [
      '$regex is searched for, unanchored, in texts',
      { a: { $regex: 'b.d' } },
      [{ a: 'abcde' }, { a: ['x', 'bcd'] }],
      [{ a: 'b\nd' }, { a: 5 }],
    ],
    ['$options i is for either case', { a: { $regex: 'éA', $options: 'i' } }, [{ a: 'Éa' }], [{ a: 'ea' }]],
    ['$not turns one field around', { a: { $not: { $gt: 1 } } }, [{ a: 1 }, {}, { a: 'x' }], [{ a: 2 }]],
    ['$not turns a query around', { $not: { a: 1, b: 1 } }, [{ a: 1 }, {}], [{ a: 1, b: 1 }]],
    [
      '$and, $or and $nor',
      { $and: [{ $or: [{ a: 1 }, { b: 1 }] }, { $nor: [{ c: 1 }, { d: 1 }] }] },
      [{ a: 1 }, { b: 1 }],
      [{ a: 1, c: 1 }, {}],
    ],
    [
      'numbers in paths are indexes and keys',
      { 'a.1.b': 1 },
      [{ a: [0, { b: 1 }] }, { a: { 1: { b: 1 } } }, { a: [{ 1: { b: 1 } }] }],
      [{ a: [{ b: 1 }] }],
    ],
    [
      'a path goes through arrays of objects, not through arrays in arrays',
      { 'a.b': 1 },
      [{ a: [{ b: [1] }] }, { a: { b: 1 } }],
      [{ a: [[{ b: 1 }]] }],
    ],
    ['an index at the end is that element, undivided', { 'a.0': 1 }, [{ a: [1] }], [{ a: [[1]] }]],
    [
      'a lookup of restdb.io by the id of its first element',
      { 'route.0._id': 'x' },
      [{ route: [{ _id: 'x', name: 'n' }] }],
      [{ route: [] }],
    ],
    [
      'keys of Object.prototype are names like any other',
      { constructor: null, toString: { $exists: false } },
      [{}],
      [{ toString: 1 }],
    ],
    ['metafields are fields', { _id: '1', _version: { $exists: false } }, [{}], [{ _version: 1 }]],
  ])('%s', (_name, raw, yes, no) => {
    for (const fields of yes) expect(matches(raw, fields), JSON.stringify(fields)).toBe(true);
    for (const fields of no) expect(matches(raw, fields), JSON.stringify(fields)).toBe(false);
  });
});

describe('dates', () => {
  it.each<[JsonValue, string | null]>([
    [{ $date: '2024-05-01T12:00:00.000Z' }, '2024-05-01T12:00:00.000Z'],
    [{ $date: '2024-05-01T14:00:00+02:00' }, '2024-05-01T12:00:00.000Z'],
    [{ $date: '2024-05-01T12:00' }, '2024-05-01T12:00:00.000Z'],
    [{ $date: '2024-05-01 12:00:00.1234567' }, '2024-05-01T12:00:00.123Z'],
    [{ $date: '2024-05-01' }, '2024-05-01T00:00:00.000Z'],
    [{ $date: 1714564800000 }, '2024-05-01T12:00:00.000Z'],
    [{ $date: '$currentDate' }, '2024-05-15T00:00:00.000Z'],
    [{ $currentDate: true }, '2024-05-15T00:00:00.000Z'],
    [{ $currentDate: -15 }, '2024-04-30T00:00:00.000Z'],
    [{ $currentMonth: true }, '2024-05-01T00:00:00.000Z'],
    [{ $currentMonth: 8 }, '2025-01-01T00:00:00.000Z'],
    [{ $currentYear: -1 }, '2023-01-01T00:00:00.000Z'],
  ])('%j stands for %s', (operand, text) => {
    expect(matches({ a: { $eq: operand } }, { a: text })).toBe(true);
    expect(matches({ a: { $gte: operand, $lte: operand } }, { a: text })).toBe(true);
  });

  it.each([
    { $date: '2024-02-30' },
    { $date: 'tomorrow' },
    { $date: null },
    { $date: '2024-05-01T25:00Z' },
    { $date: 1e300 },
    { $currentDate: 1.5 },
    { $currentYear: 9_000 },
    { $date: '12024-01-01' },
  ])('%j is refused, with what is allowed', (operand) => {
    expect(problemsOf({ a: { $lt: operand } })[0]?.field).toMatch(/^\/a\/\$lt\/\$/);
  });

  it('compare only with texts that begin like a date', () => {
    expect(matches({ a: { $gt: { $date: '2024-05-01' } } }, { a: '2024-05-02T00:00:00.000Z' })).toBe(true);
    expect(matches({ a: { $gt: { $date: '2024-05-01' } } }, { a: 'zebra' })).toBe(false);
    expect(matches({ a: { $gt: '2024-05-01' } }, { a: 'zebra' })).toBe(true);
  });

  it('a dynamic date as an operator means: within that day, month or year', () => {
    expect(matches({ a: { $currentMonth: true } }, { a: '2024-05-31T23:59:59.999Z' })).toBe(true);
    expect(matches({ a: { $currentMonth: true } }, { a: '2024-06-01T00:00:00.000Z' })).toBe(false);
    expect(matches({ a: { $currentDate: -1 } }, { a: '2024-05-14T10:00:00.000Z' })).toBe(true);
    expect(matches({ a: { $currentYear: true } }, { a: '2023-12-31T23:59:59.999Z' })).toBe(false);
  });
});

describe('what is no query is refused with the place, and with what is allowed there', () => {
  it.each<[unknown, string, RegExp]>([
    [null, '', /JSON object/],
    ['a', '', /JSON object/],
    [[{ a: 1 }], '', /JSON object/],
    [{ $where: 'sleep(1000)' }, '/$where', /no operator "\$where"/],
    [{ a: { $where: '1' } }, '/a/$where', /no operator "\$where"/],
    [{ $expr: { $eq: [1, 1] } }, '/$expr', /no operator/],
    [{ a: { $function: {} } }, '/a/$function', /no operator/],
    [{ $gt: 1 }, '/$gt', /belongs to a field/],
    [{ a: { b: 1, $gt: 1 } }, '/a/b', /field beside operators/],
    [{ a: { b: { $gt: 1 } } }, '/a/b/$gt', /dotted path/],
    [{ 'a.$gt': 1 }, '/a.$gt', /begin with \$/],
    [{ 'a/b~c': { $x: 1 } }, '/a~1b~0c/$x', /no operator/],
    [{ '': 1 }, '/', /missing/],
    [{ a: { $gt: {} } }, '/a/$gt', /one value/],
    [{ a: { $gt: [1] } }, '/a/$gt', /one value/],
    [{ a: { $in: 1 } }, '/a/$in', /array/],
    [{ a: { $bt: [1] } }, '/a/$bt', /two values/],
    [{ a: { $exists: 'yes' } }, '/a/$exists', /true or false/],
    [{ a: { $type: 'date' } }, '/a/$type', /JSON type/],
    [{ a: { $size: -1 } }, '/a/$size', /whole number/],
    [{ a: { $not: 1 } }, '/a/$not', /\$ne/],
    [{ a: { $regex: '(?=x)' } }, '/a/$regex', /look-ahead/],
    [{ a: { $regex: 'x', $options: 'm' } }, '/a/$options', /"i"/],
    [{ a: { $options: 'i' } }, '/a/$options', /belongs to a \$regex/],
    [{ a: { $elemMatch: 1 } }, '/a/$elemMatch', /object/],
    [{ a: { $elemMatch: { $text: { $search: 'a' } } } }, '/a/$elemMatch/$text', /no operator/],
    [{ $and: [] }, '/$and', /at least one/],
    [{ $or: { a: 1 } }, '/$or', /array/],
    [{ $and: [{ a: 1 }, 5] }, '/$and/1', /object/],
    [{ $text: 'a' }, '/$text', /object/],
    [{ $text: { $search: '!' } }, '/$text/$search', /no words/],
    [{ $text: { $search: 'a', $language: 'en' } }, '/$text/$language', /no option/],
    [{ a: 'x\0' }, '/a', /U\+0000/],
    [{ a: '\ud800' }, '/a', /surrogate/],
    [{ 'a\0': 1 }, '/a\0', /U\+0000/],
    [{ a: Number.POSITIVE_INFINITY }, '', /double/],
  ])('%j', (raw, field, message) => {
    const [problem] = problemsOf(raw);
    expect(problem?.field).toBe(field);
    expect(problem?.message).toMatch(message);
  });

  it('all problems are told at once, operators with the list of those there are', () => {
    const problems = problemsOf({ a: { $foo: 1, $size: 'x' }, $where: '' });
    expect(problems.map(({ field }) => field)).toEqual(['/a/$foo', '/a/$size', '/$where']);
    expect(problems[0]?.allowed).toContain('$gte');
    expect(problems[2]?.allowed).toContain('$or');
  });
});

describe('the bounds hold', () => {
  it('logical operators, $not and $elemMatch count in the depth', () => {
    const wraps: ((inner: JsonValue) => JsonValue)[] = [
      (inner) => ({ $and: [inner] }),
      (inner) => ({ $nor: [inner] }),
      (inner) => ({ $not: inner }),
      (inner) => ({ a: { $elemMatch: inner } }),
    ];
    for (const wrap of wraps) {
      expect(problemsOf(nest(queryLimits.depth, wrap, { a: 1 }))).toEqual([]);
      expect(problemsOf(nest(queryLimits.depth + 1, wrap, { a: 1 }))[0]?.message).toMatch(/8 deep/);
    }
  });

  it('nesting of any depth is answered without a fall', () => {
    for (const wrap of [
      (inner: JsonValue) => ({ $not: inner }),
      (inner: JsonValue) => ({ a: inner }),
      (inner: JsonValue) => [inner],
    ]) {
      expect(problemsOf({ a: nest(1_000, wrap, 1) })).toHaveLength(1);
      expect(problemsOf(nest(100_000, wrap, { a: 1 })).length).toBe(1);
    }
  });

  it('conditions, lists, paths, values and the whole text', () => {
    const many = (count: number, item: JsonValue) => Array.from({ length: count }, () => item);
    expect(problemsOf({ $or: many(99, { a: 1 }) })[0]?.message).toMatch(/more than 100/);
    expect(problemsOf({ $or: many(49, { a: 1 }) })).toEqual([]);
    expect(problemsOf({ a: { $in: many(1_000, '5f5e7a3c0b1c2d3e4f506172') } })).toEqual([]);
    expect(problemsOf({ a: { $in: many(1_001, 1) } })[0]?.message).toMatch(/1000/);
    expect(problemsOf({ a: { $all: many(101, 1) } })[0]?.message).toMatch(/more than 100/);
    expect(problemsOf({ a: 'x'.repeat(40_000) })[0]?.message).toMatch(/32768 bytes/);
    expect(problemsOf({ [many(17, 'a').join('.')]: 1 })[0]?.message).toMatch(/16 segments/);
    expect(problemsOf({ 'a.0.1.2.3': 1 })[0]?.message).toMatch(/3 segments that are numbers/);
    expect(problemsOf({ ['a'.repeat(600)]: 1 })[0]?.message).toMatch(/512 characters/);
    expect(problemsOf({ a: { $eq: nest(40, (inner) => [inner], 1) } })[0]?.message).toMatch(/32 deep/);
    expect(problemsOf({ a: { $regex: 'x'.repeat(257) } })[0]?.message).toMatch(/256/);
    expect(problemsOf(Object.fromEntries(many(30, 1).map((_one, index) => [`a${index}`, { $x: 1 }]))).length).toBe(
      queryLimits.problems,
    );
  });
});

it('nothing, and an empty object, mean everything', () => {
  expect(parseFilter(undefined)).toEqual({ ok: true, filter: everything });
  expect(parseFilter({})).toEqual({ ok: true, filter: everything });
  expect(parseTextFilter('  ')).toEqual({ ok: true, filter: everything });
});

it('no query changes what objects inherit', () => {
  const raw = JSON.parse(
    '{"__proto__": {"polluted": 1}, "a": {"__proto__": {"polluted": 1}}, "constructor.prototype.polluted": 1}',
  );
  const parsed = parseFilter(raw);
  expect(parsed.ok).toBe(true);
  if (parsed.ok) createMatcher(parsed.filter)(JSON.parse('{"__proto__": {"polluted": 2}}'));
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
