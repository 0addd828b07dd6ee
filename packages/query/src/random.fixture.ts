/**
 * Random documents and queries for the differential tests, biased to collide: few names, few values, arrays of objects, nulls, what is missing, numbers and texts
 * at the edges. Everything follows from a seed.
 */
import type { JsonObject, JsonValue } from './json.js';
import { setMember } from './json.js';
import { comparisons } from './parse-filter.js';

/** A source of random numbers from 0 to below 1 (mulberry32). */
export type Random = () => number;

/** The same seed gives the same numbers. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One of the items. */
export function pick<T>(random: Random, items: readonly [T, ...T[]]): T {
  return items[Math.floor(random() * items.length)] ?? items[0];
}

/** `count` of what `make` gives. */
export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_none, index) => make(index));
}

const below = (random: Random, bound: number) => Math.floor(random() * bound);

const commonNames: [string, ...string[]] = ['a', 'b', 'c'];
const rareNames: [string, ...string[]] = [
  '0',
  '1',
  'x y',
  "it's",
  '"q"',
  'a.b',
  'é',
  '__proto__',
  '',
  'constructor',
  '-1',
  '01',
  '\\',
  '_id',
  '%',
];
export const numbers: [number, ...number[]] = [
  0, -0, 1, 2, -1, 10, 0.1, 1e21, -1e-7, 5e-324, 1.7976931348623157e308, 9007199254740991, 0.30000000000000004,
];
export const texts: [string, ...string[]] = [
  '',
  'a',
  'A',
  'ab',
  'Ab c',
  'b',
  'é',
  'É',
  'e\u0301',
  '😀',
  '\uff21',
  '%',
  'a%b',
  "it's",
  'back\\slash',
  '"q"',
  'line\nbreak',
  '\n',
  '10',
  '1',
  'null',
  'ſ',
  '\u212a',
  'k',
  '2024-05-01T00:00:00.000Z',
  '2024-05-01T12:30:45.678Z',
  '2024-05-01',
  '2024-13-99',
  '2024-05-1',
  '2024-05-',
  ' 2024-05-01',
  '12024-05-01',
  'a`b',
  'a^b c|a',
  '2023-12-31T23:59:59.999Z',
  '\u0001',
  '\u2028',
  '{a}',
  '$a',
  'a b a',
  'A-b, a!',
  'foo_bar baz',
  '日本語',
  '\ud7ff',
  '\ue000',
  '\u{10ffff}',
  ' a',
  'a ',
  '\t',
  '\u0085',
];

function makeName(random: Random): string {
  return random() < 0.9 ? pick(random, commonNames) : pick(random, rareNames);
}

/** A scalar: few numbers and texts, often the same. */
export function makeScalar(random: Random): JsonValue {
  const kind = random();
  if (kind < 0.15) return null;
  if (kind < 0.25) return random() < 0.5;
  if (kind < 0.6) return random() < 0.6 ? below(random, 3) : pick(random, numbers);
  return random() < 0.4 ? pick(random, ['a', 'b', 'ab']) : pick(random, texts);
}

/** A value of at most so many levels. */
export function makeValue(random: Random, levels: number): JsonValue {
  const kind = random();
  if (levels === 0 || kind < 0.55) return makeScalar(random);
  if (kind < 0.78) return times(below(random, 4), () => makeValue(random, levels - 1));
  return makeObject(random, levels - 1);
}

/** An object of up to three members. */
export function makeObject(random: Random, levels: number): JsonObject {
  const object: JsonObject = {};
  for (let left = below(random, 4); left > 0; left -= 1) setMember(object, makeName(random), makeValue(random, levels));
  return object;
}

/** The own fields of a document. */
export function makeFields(random: Random): JsonObject {
  const fields = makeObject(random, 3);
  if (random() < 0.8) fields.a = makeValue(random, 3);
  delete fields._id;
  return fields;
}

/** A document with its metafields, the number in its id. */
export function makeDocument(random: Random, number: number): JsonObject {
  return {
    _id: number.toString(16).padStart(24, '0'),
    ...makeFields(random),
    _created: pick(random, ['2024-05-01T00:00:00.000Z', '2024-05-01T12:30:45.678Z', '0999-12-31T23:59:59.999Z']),
    _changed: pick(random, ['2024-05-01T00:00:00.000Z', '2025-01-01T00:00:00.001Z']),
    _createdby: pick(random, ['api', 'Ann@example.org', 'é', 'Z']),
    _changedby: pick(random, ['api', '2024-05-01']),
    _version: below(random, 3),
  };
}

/** A dotted path; mostly one that documents have. */
export function makePath(random: Random): string {
  if (random() < 0.06)
    return pick(random, [
      '_id',
      '_created',
      '_changed',
      '_createdby',
      '_changedby',
      '_version',
      '_created.a',
      '_version.0',
    ]);
  const names = times(1 + below(random, 3), () => {
    const kind = random();
    if (kind < 0.15) return pick(random, ['0', '1', '2']);
    return kind < 0.95 ? pick(random, commonNames) : pick(random, rareNames);
  });
  if (/^[0-9]/.test(names[0] ?? '') && random() < 0.8) names[0] = 'a';
  return names.join('.') || 'a';
}

const patterns: [string, ...string[]] = [
  'a',
  '^a',
  'a$',
  '^$',
  '.',
  '^.$',
  'a.*b',
  '[a-c]',
  '[^a]',
  '^[^a]$',
  '\\d',
  '\\w',
  '\\W',
  '\\s',
  '\\S',
  '\\D',
  'a|b',
  '^(a|b)+$',
  '(ab)?c',
  'a{1,2}',
  '^.{2}$',
  '%',
  '\\\\',
  "'",
  '"',
  '\\x{1F600}',
  '[\\u{e9}]'.replace('u{e9}', 'u00e9'),
  'É',
  'k',
  's',
  '[j-l]',
  '\\.',
  '^\\s*$',
  '(?:a|)b',
  '\\n',
  '^line.break$',
  '[^\\d\\s]',
  '(?i)AB',
  'a+?',
  '[\\]a]',
  '[a\\-z]',
  '{',
  '}',
  ']',
  '()',
];

function makeOperand(random: Random): JsonValue {
  const kind = random();
  if (kind < 0.75) return makeScalar(random);
  if (kind < 0.82)
    return {
      $date: pick(random, ['2024-05-01T00:00:00.000Z', '2024-05-01', '2024-05-01T14:30:45.678+02:00', 1714521600000]),
    };
  return makeValue(random, 2);
}

function makeScalarOperand(random: Random): JsonValue {
  const value = random() < 0.12 ? makeOperand(random) : makeScalar(random);
  return Array.isArray(value) || (typeof value === 'object' && value !== null && !('$date' in value)) ? 1 : value;
}

function makeOperators(random: Random, levels: number): JsonObject {
  const operators: JsonObject = {};
  for (let left = random() < 0.75 ? 1 : 2; left > 0; left -= 1) addOperator(random, operators, levels);
  return operators;
}

function addOperator(random: Random, operators: JsonObject, levels: number): void {
  const name = pick(random, [...comparisons, '$elemMatch']);
  switch (name) {
    case '$eq':
    case '$ne':
      operators[name] = makeOperand(random);
      break;
    case '$in':
    case '$nin':
      operators[name] = times(random() < 0.05 ? 20 : below(random, 4), () => makeOperand(random));
      break;
    case '$all':
      operators[name] = times(1 + below(random, 2), () =>
        random() < 0.2 && levels > 0 ? { $elemMatch: makeElement(random, levels - 1) } : makeOperand(random),
      );
      break;
    case '$bt':
      operators[name] = [makeScalarOperand(random), makeScalarOperand(random)];
      break;
    case '$not':
      if (levels > 0) operators[name] = makeOperators(random, levels - 1);
      break;
    case '$exists':
      operators[name] = random() < 0.5;
      break;
    case '$type':
      operators[name] = pick(random, ['null', 'bool', 'number', 'string', 'object', 'array', ['string', 'array']] as [
        JsonValue,
        ...JsonValue[],
      ]);
      break;
    case '$regex':
      operators.$regex = pick(random, patterns);
      if (random() < 0.3) operators.$options = 'i';
      break;
    case '$elemMatch':
      if (levels > 0) operators[name] = makeElement(random, levels - 1);
      break;
    case '$size':
      operators[name] = below(random, 3);
      break;
    default:
      operators[name] = makeScalarOperand(random);
  }
  if (Object.keys(operators).length === 0) operators.$exists = true;
}

function makeElement(random: Random, levels: number): JsonObject {
  return random() < 0.5 ? makeOperators(random, levels) : makeConditions(random, levels, false);
}

function makeConditions(random: Random, levels: number, isDocument: boolean): JsonObject {
  const filter: JsonObject = {};
  for (let left = random() < 0.7 ? 1 : 2; left > 0; left -= 1) {
    const kind = random();
    if (levels > 0 && kind < 0.2) {
      const name = pick(random, ['$and', '$or', '$nor']);
      filter[name] = times(1 + below(random, 3), () => makeConditions(random, levels - 1, isDocument));
    } else if (isDocument && kind < 0.25) {
      filter.$text = { $search: pick(random, ['a', 'A b', '"a b"', '-a b', 'foo_bar', 'É', '日本語', 'k', '"b a" c']) };
    } else {
      const path = makePath(random);
      setMember(
        filter,
        path === '' ? 'a' : path,
        random() < 0.35 ? makeOperand(random) : makeOperators(random, levels),
      );
    }
  }
  return filter;
}

/** A filter as a user would send it. */
export function makeFilter(random: Random): JsonObject {
  return makeConditions(random, 3, true);
}

/** An order, as a user would send it in `$orderby`; some by the score of a search. */
export function makeSort(random: Random): JsonObject {
  const sort: JsonObject = {};
  for (let left = below(random, 4); left > 0; left -= 1) {
    if (random() < 0.1) sort.score = { $meta: 'textScore' };
    else {
      const path = random() < 0.5 ? pick(random, ['a', 'b', 'a.b', 'a.0']) : makePath(random);
      setMember(sort, path, random() < 0.5 ? 1 : -1);
    }
  }
  return sort;
}

/** The parts of an aggregation, as a user would send them. */
export function makeAggregation(random: Random): { groupby: string[]; aggregate: string[]; grandTotal: boolean } {
  const path = () => (random() < 0.6 ? pick(random, ['a', 'b', 'a.b', 'a.0', 'a.-1', '_version']) : makePath(random));
  const item = () => `${pick(random, ['SUM', 'AVG', 'MIN', 'MAX', 'COUNT', 'sum'])}:${path()}`;
  return {
    groupby: times(below(random, 3), () => makeGroupKey(random, path)),
    aggregate: times(below(random, 4), item),
    grandTotal: random() < 0.3,
  };
}

const formats: [string, ...string[]] = [
  'YYYY-MM-DD',
  'YY/Q MMMM MMM M D',
  'HH:mm:ss.SSS',
  'hh h H m s A a',
  "[it's] $1 T",
  "'; YYYY",
];

function makeGroupKey(random: Random, path: () => string): string {
  const kind = random();
  if (kind < 0.6) return path();
  const field = random() < 0.5 ? path() : pick(random, ['_created', '_changed', '_changedby']);
  if (kind < 0.8) return `$${pick(random, ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MIN', 'SEC'])}:${field}`;
  return `$DATE.${pick(random, formats)}:${field}`;
}

/** Operators of every kind where they belong and where they do not; MongoDB's that are refused; and fields. */
const hostileKeys: [string, ...string[]] = [
  '$and',
  ...['$or', '$nor', '$not', '$text', '$search', '$eq', '$ne', '$gt', '$lte', '$bt', '$in', '$nin', '$exists'],
  ...['$type', '$regex', '$options', '$elemMatch', '$size', '$all', '$date', '$currentDate', '$currentYear', '$meta'],
  ...['$where', '$expr', '$function', '$accumulator', '$lookup', '$jsonSchema', '$mod', '$comment', '$ref', '$', '$$'],
  ...['a', 'b', 'a.b', 'a.0', 'a.$gt', '', '.', 'a..b', '__proto__', 'constructor.prototype', 'a\0', '\ud800', "'; --"],
  ...['_id', '_created', '_version', '_version.0', 'a.4294967296', 'a.-1', 'toString', 'a/b~c', '\\u0000', '@', '$v0'],
];
const hostileScalars: [JsonValue, ...JsonValue[]] = [
  null,
  ...[true, false, 0, -1, 1.5, 1e308, 5e-324, 9007199254740991, 2147483648],
  ...[
    '',
    'a',
    '$gt',
    '\0',
    '\udc00',
    '2024-05-01',
    '$currentDate',
    'i',
    'ix',
    'string',
    'array',
    '(a+)+$',
    '(?=a)',
    '[',
    '"',
  ],
  ...['a{1000}', '(', '\\', "' OR 1=1 --", 'this.a == 1', 'sleep(1000)', '-', '"a', '%', '\u2028', '{"$gt":0}'],
];

/** What somebody who means harm, or has misread the manual, could send as a filter: JSON of any shape. */
export function makeHostileFilter(random: Random): JsonObject {
  return makeHostileObject(random, 4);
}

function makeHostileObject(random: Random, levels: number): JsonObject {
  const object: JsonObject = {};
  for (let left = below(random, 4); left > 0; left -= 1) {
    setMember(object, pick(random, hostileKeys), makeHostileValue(random, levels));
  }
  return object;
}

function makeHostileValue(random: Random, levels: number): JsonValue {
  const kind = random();
  if (levels === 0 || kind < 0.4) return pick(random, hostileScalars);
  if (kind < 0.6) return times(below(random, 4), () => makeHostileValue(random, levels - 1));
  return makeHostileObject(random, levels - 1);
}
