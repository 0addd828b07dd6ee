/**
 * A third opinion: mingo, somebody else's implementation of MongoDB's query language, asked of the same random documents. It is asked where it means what MongoDB means; it
 * differs from MongoDB's own matcher in these, which are therefore left out:
 *
 * - `$gte` and `$lte` with null do not match a missing field, `$all` does not match a value that is no array, and `$in` does not find a whole empty array;
 * - texts are ordered by UTF-16 units;
 * - `$elemMatch` takes scalars for objects;
 * - paths through arrays divide arrays within arrays, and give the elements that are no objects, or whole arrays, where MongoDB gives nothing or "missing".
 */
import { Query } from 'mingo';
import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { createMatcher } from './matcher.js';
import { parseFilter } from './parse-filter.js';
import { createRandom, makeDocument, makeFilter, times } from './random.fixture.js';

const { env } = process;
const rounds = Number(env.ROUNDS ?? 60);
const seed = Number(env.SEED ?? 7);
/** What is ours alone, or what mingo refuses. */
const unknownToMingo = /\$text|\$date|\$regex|\$bt|__proto__|constructor|[\ud800-\uffff]/;
const differsEverywhere = /"\$[gl]te":null|\$all/;
const differsOnArrays =
  /\$elemMatch":{"(?:[^$]|\$and|\$or|\$nor)|null|\[\]|\$exists|\$type|\$size|\$nin|\$ne|\$not|\$nor|"[^"]*\.[^"]*":/;

describe(`with seed ${seed}`, () => {
  it('mingo agrees about documents without arrays', () => {
    const { disagreements, tried } = compare((document) => !hasArray(document), differsEverywhere);
    expect(disagreements.slice(0, 5)).toEqual([]);
    expect(tried).toBeGreaterThan(rounds * 100);
  });

  it('mingo agrees about documents with arrays, as far as it agrees with MongoDB', () => {
    const { disagreements, tried } = compare((document) => !hasNestedArray(document), differsOnArrays);
    expect(disagreements.slice(0, 5)).toEqual([]);
    expect(tried).toBeGreaterThan(rounds * 100);
  });
});

function compare(
  isWanted: (document: JsonObject) => boolean,
  leftOut: RegExp,
): { disagreements: string[]; tried: number } {
  const random = createRandom(seed);
  const disagreements: string[] = [];
  let tried = 0;
  for (let round = 0; round < rounds; round += 1) {
    const documents = times(80, (index) => makeDocument(random, index)).filter(
      (document) => isWanted(document) && !/constructor|__proto__/.test(JSON.stringify(document)),
    );
    for (let left = 60; left > 0; left -= 1) {
      const raw = makeFilter(random);
      const text = JSON.stringify(raw);
      const parsed = parseFilter(raw);
      if (!parsed.ok || unknownToMingo.test(text) || leftOut.test(text) || differsEverywhere.test(text)) continue;
      const matches = createMatcher(parsed.filter);
      const query = new Query(raw as never);
      for (const document of documents) {
        tried += 1;
        if (matches(document) !== query.test(document)) disagreements.push(`${text} ${JSON.stringify(document)}`);
      }
    }
  }
  return { disagreements: disagreements.sort((a, b) => a.length - b.length), tried };
}

function hasArray(value: JsonValue): boolean {
  return Array.isArray(value) || (isJsonObject(value) && Object.values(value).some(hasArray));
}

function hasNestedArray(value: JsonValue): boolean {
  if (Array.isArray(value))
    return value.length === 0 || value.some((item) => Array.isArray(item) || hasNestedArray(item));
  return isJsonObject(value) && Object.values(value).some(hasNestedArray);
}
