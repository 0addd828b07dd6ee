/**
 * A third opinion: mingo, somebody else's implementation of MongoDB's query language, asked of the same random documents. It is asked where it means what MongoDB means;
 * where it does not, `exclusions` says how it differs. What MongoDB means there was taken from its manual and from the source of its matcher (how a path is walked:
 * `src/mongo/db/matcher/path.cpp`; comparisons: `expression_leaf.cpp`; null: `jstests/core/query/null_query_semantics.js`). `ROUNDS` and `SEED` make the test longer or another.
 */
import { Query } from 'mingo';
import { expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { hasOperators } from './query-operand.js';
import { createRandom, makeDocument, makeFilter, times } from './random.fixture.js';

const { env } = process;
const rounds = Number(env.ROUNDS ?? 60);
const seed = Number(env.SEED ?? 7);

/** One operator on one path, wherever it stands in a filter; a plain value is `$eq`. */
type Condition = { path: string; operator: string; operand: JsonValue };
/** What mingo's differences depend on: arrays, arrays directly in arrays, arrays anywhere below arrays, elements of arrays that are no objects. */
type Traits = {
  hasArray: boolean;
  hasNestedArray: boolean;
  hasArrayBelow: boolean;
  hasScalarElement: boolean;
  /** Some object has a number as a key. */
  hasNumberKey: boolean;
};
const noArrays: Traits = {
  hasArray: false,
  hasNestedArray: false,
  hasArrayBelow: false,
  hasScalarElement: false,
  hasNumberKey: false,
};

const isDotted = ({ path }: Condition) => path.includes('.');
const isEquality = ({ operator }: Condition) => ['$eq', '$ne', '$in', '$nin'].includes(operator);
const isOrder = ({ operator }: Condition) => ['$gt', '$gte', '$lt', '$lte'].includes(operator);
const isList = ({ operator }: Condition) => ['$in', '$nin'].includes(operator);
const hasOperand = (condition: Condition, text: string) =>
  (isList(condition) && Array.isArray(condition.operand) ? condition.operand : [condition.operand]).some(
    (operand) => JSON.stringify(operand) === text,
  );

/** Each is a difference of mingo from MongoDB, or what mingo has not. */
const exclusions: { because: string; holds(condition: Condition, traits: Traits): boolean }[] = [
  {
    because: 'ours alone, or restdb.io’s: mingo has no $text and no $bt, and JSON in mingo has no $date',
    holds: ({ operator, operand }) => ['$text', '$bt'].includes(operator) || /\$date/.test(JSON.stringify(operand)),
  },
  {
    because: 'mingo runs patterns as JavaScript’s, whose classes, escapes and cases are others (MongoDB has PCRE’s)',
    holds: ({ operator, operand }) =>
      operator === '$options' || (operator === '$regex' && !/^[a-z^$|]*$/.test(String(operand))),
  },
  {
    because: 'mingo does not see fields that are named like what objects inherit',
    holds: ({ path, operand }) => /__proto__|constructor/.test(path + JSON.stringify(operand)),
  },
  {
    because: 'mingo orders texts by UTF-16 units; MongoDB by their bytes in UTF-8, which is by code point',
    holds: (condition) => isOrder(condition) && /[\ud800-\uffff]/.test(String(condition.operand)),
  },
  {
    because: '$gte and $lte with null do not match a missing field in mingo; in MongoDB missing compares as null',
    holds: ({ operator, operand }) => ['$gte', '$lte'].includes(operator) && operand === null,
  },
  {
    because: '$all never matches a value that is no array in mingo; in MongoDB it is an $and of equalities',
    holds: ({ operator }) => operator === '$all',
  },
  {
    because: '$type does not look at the elements of an array in mingo; in MongoDB it does',
    holds: ({ operator }, { hasArray }) => hasArray && operator === '$type',
  },
  {
    because: '$in and $nin do not find a whole array in mingo; in MongoDB an item of the list may be it',
    holds: (condition, { hasArray }) =>
      hasArray && isList(condition) && Array.isArray(condition.operand) && condition.operand.some(Array.isArray),
  },
  {
    because:
      'through an array mingo gathers what it finds into one array, so that nothing is an empty array: not null, though an element lacks the field; of size 0; equal to []',
    holds: (condition, { hasArray }) =>
      hasArray &&
      isDotted(condition) &&
      ((isEquality(condition) && (hasOperand(condition, 'null') || hasOperand(condition, '[]'))) ||
        ['$exists', '$size'].includes(condition.operator)),
  },
  {
    because:
      'through an array mingo gathers what it finds into one array: it is equal to an array, and an element to $elemMatch, that no document has',
    holds: (condition, { hasArray }) =>
      hasArray &&
      isDotted(condition) &&
      (condition.operator === '$elemMatch' || (isEquality(condition) && /\[/.test(JSON.stringify(condition.operand)))),
  },
  {
    because:
      'through an array mingo gathers what it finds into one array, and orders and lists do not divide an array in that; in MongoDB the end of the path is divided wherever it is reached',
    holds: (condition, { hasArrayBelow }) =>
      hasArrayBelow && isDotted(condition) && (isOrder(condition) || isList(condition)),
  },
  {
    because: 'a number after an array is an index only in mingo; in MongoDB it is a key of its objects, too',
    holds: ({ path }, { hasNumberKey }) => hasNumberKey && /\.[0-9]/.test(path),
  },
  {
    because: 'mingo takes 01 for an index, and a path that ends with a dot for the value itself',
    holds: ({ path }, { hasArray }) => hasArray && /\.(?:$|\.|0[0-9])/.test(path),
  },
  {
    because: '$elemMatch with fields takes an element that is no object for an object in mingo',
    holds: ({ operator, operand }, { hasScalarElement }) =>
      hasScalarElement && operator === '$elemMatch' && !isValueTest(operand),
  },
  {
    because:
      '$elemMatch with operators, and $regex, divide an element that is an array in mingo; in MongoDB it is one value',
    holds: ({ operator }, { hasNestedArray }) => hasNestedArray && ['$elemMatch', '$regex'].includes(operator),
  },
  {
    because: 'paths go on in arrays directly within arrays in mingo; in MongoDB these are entered by index only',
    holds: (condition, { hasNestedArray }) => hasNestedArray && isDotted(condition),
  },
];

it(`mingo agrees, as far as it agrees with MongoDB (${rounds} rounds, seed ${seed})`, { timeout: 600_000 }, () => {
  const random = createRandom(seed);
  const disagreements: string[] = [];
  const tried = { plain: 0, arrays: 0, nested: 0, matches: 0 };
  for (let round = 0; round < rounds; round += 1) {
    const documents = times(80, (index) => makeDocument(random, index))
      .filter((document) => !/constructor|__proto__/.test(JSON.stringify(document)))
      .map((document) => ({ document, traits: traitsOf(document) }));
    for (let left = 60; left > 0; left -= 1) {
      const raw = makeFilter(random);
      const parsed = parseFilter(raw);
      const conditions = conditionsOf(raw);
      const isAsked = (traits: Traits) =>
        !conditions.some((condition) => exclusions.some(({ holds }) => holds(condition, traits)));
      if (!parsed.ok || !isAsked(noArrays)) continue;
      const matches = createMatcher(parsed.filter);
      const query = new Query(raw as never);
      for (const { document, traits } of documents) {
        if (!isAsked(traits)) continue;
        tried[traits.hasNestedArray ? 'nested' : traits.hasArray ? 'arrays' : 'plain'] += 1;
        const isMatch = matches(document);
        if (isMatch) tried.matches += 1;
        if (isMatch !== query.test(document))
          disagreements.push(`${isMatch} ${JSON.stringify(raw)} ${JSON.stringify(document)}`);
      }
    }
  }
  console.info(`seed ${seed}`, tried, `${disagreements.length} disagreements`);
  expect(disagreements.sort((a, b) => a.length - b.length).slice(0, 5)).toEqual([]);
  expect(tried.plain).toBeGreaterThan(rounds * 700);
  expect(tried.arrays).toBeGreaterThan(rounds * 200);
  expect(tried.nested).toBeGreaterThan(rounds * 60);
  expect(tried.matches).toBeGreaterThan(rounds * 100);
});

/** Whether an `$elemMatch` looks at elements as values. */
function isValueTest(operand: JsonValue): boolean {
  return hasOperators(operand) && !Object.keys(operand).some((key) => ['$and', '$or', '$nor'].includes(key));
}

function conditionsOf(filter: JsonObject): Condition[] {
  return Object.entries(filter).flatMap(([key, operand]) => {
    if (['$and', '$or', '$nor'].includes(key)) return objectsIn(operand).flatMap(conditionsOf);
    return key.startsWith('$') ? [{ path: '', operator: key, operand }] : operatorsOf(key, operand);
  });
}

function operatorsOf(path: string, operand: JsonValue): Condition[] {
  if (!hasOperators(operand)) return [{ path, operator: '$eq', operand }];
  return Object.entries(operand).flatMap(([operator, value]) => [
    { path, operator, operand: value },
    ...(operator === '$not' ? operatorsOf(path, value) : []),
    ...(operator === '$elemMatch' ? elementConditions(value) : []),
  ]);
}

function elementConditions(operand: JsonValue): Condition[] {
  if (isValueTest(operand)) return operatorsOf('', operand);
  return isJsonObject(operand) ? conditionsOf(operand) : [];
}

const objectsIn = (value: JsonValue) => (Array.isArray(value) ? value.filter(isJsonObject) : []);

function traitsOf(document: JsonObject): Traits {
  const arrays = arraysIn(document);
  return {
    hasArray: arrays.length > 0,
    hasNestedArray: arrays.some((array) => array.some(Array.isArray)),
    hasArrayBelow: arrays.some((array) => array.some((item) => arraysIn(item).length > 0)),
    hasNumberKey: /"[0-9]+":/.test(JSON.stringify(document)),
    hasScalarElement: arrays.some((array) => !array.every(isJsonObject)),
  };
}

function arraysIn(value: JsonValue): JsonValue[][] {
  if (Array.isArray(value)) return [value, ...value.flatMap(arraysIn)];
  return isJsonObject(value) ? Object.values(value).flatMap(arraysIn) : [];
}
