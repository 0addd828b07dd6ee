import type { JsonObject } from '@tidewire/protocol/json';
import { describe, expect, it } from 'vitest';
import { bindRule, problemsOfRule } from './bind-rule.js';
import { isOf } from './rule.js';

const ada = {
  sub: 'ada',
  role: 'member',
  claims: {
    team: 'red',
    teams: ['red', 'blue'],
    level: 3,
    nothing: null,
    evil: { $ne: null },
    evils: [{ $ne: null }],
    nul: 'a\0b',
    'https://app.example/org': { id: 'o1' },
    deep: { 'a.b': { c: 'x' } },
  } satisfies JsonObject,
};

function passes(q: JsonObject, document: JsonObject): boolean {
  return isOf(bindRule({ q }, ada), document);
}

describe('the values of a user in a rule', () => {
  it.each<[JsonObject, JsonObject, boolean]>([
    [{ owner: '$user.sub' }, { owner: 'ada' }, true],
    [{ owner: '$user.sub' }, { owner: 'bob' }, false],
    [{ owner: '$user.sub' }, { owner: '$user.sub' }, false],
    [{ owner: '$user.sub' }, {}, false],
    [{ for: '$user.role' }, { for: 'member' }, true],
    [{ team: '$user.claims.team' }, { team: 'red' }, true],
    [{ team: { $in: '$user.claims.teams' } }, { team: 'blue' }, true],
    [{ team: { $in: '$user.claims.teams' } }, { team: 'green' }, false],
    [{ team: { $in: '$user.claims.team' } }, { team: 'red' }, true],
    [{ team: { $in: ['all', '$user.claims.teams'] } }, { team: 'all' }, true],
    [{ team: { $in: ['all', '$user.claims.teams'] } }, { team: 'blue' }, true],
    [{ team: { $nin: '$user.claims.teams' } }, { team: 'green' }, true],
    [{ teams: { $all: '$user.claims.teams' } }, { teams: ['blue', 'red', 'x'] }, true],
    [{ level: { $lte: '$user.claims.level' } }, { level: 3 }, true],
    [{ level: { $lte: '$user.claims.level' } }, { level: 4 }, false],
    [{ org: '$user.claims.https://app.example/org.id' }, { org: 'o1' }, true],
    [{ x: '$user.claims.deep.a.b.c' }, { x: 'x' }, true],
    [{ $or: [{ owner: '$user.sub' }, { public: true }] }, { public: true }, true],
    [{ people: { $elemMatch: { id: '$user.sub', can: 'read' } } }, { people: [{ id: 'ada', can: 'read' }] }, true],
  ])('%j on %j: %s', (q, document, expected) => {
    expect(passes(q, document)).toBe(expected);
  });

  it.each<[string, JsonObject]>([
    ['a claim that is not there', { team: '$user.claims.nosuch' }],
    ['a claim that is null', { team: '$user.claims.nothing' }],
    ['an object, which would be an operator', { team: '$user.claims.evil' }],
    ['an object in a list', { team: { $in: '$user.claims.evils' } }],
    ['an array where one value is wanted', { team: '$user.claims.teams' }],
    ['a text that cannot be stored', { team: '$user.claims.nul' }],
    ['a name that every object inherits', { team: '$user.claims.constructor.name' }],
    ['a missing value within $or', { $or: [{ team: '$user.claims.nosuch' }, { n: 1 }] }],
    ['a missing value that is not to be equal', { team: { $ne: '$user.claims.nosuch' } }],
    ['a missing value under $not', { $not: { team: '$user.claims.nosuch' } }],
    ['a missing value in $nin', { team: { $nin: ['$user.claims.nosuch'] } }],
  ])('lets nothing through for %s', (_name, q) => {
    for (const team of [undefined, null, 'red', 'a\0b', { $ne: null }, ['red', 'blue']])
      expect(passes(q, { n: 1, ...(team === undefined ? {} : { team }) })).toBe(false);
  });

  it('puts them into defaults, at any depth, and makes nothing when one is missing', () => {
    const made = bindRule({ defaults: { owner: '$user.sub', meta: { teams: ['$user.claims.team'] }, n: 1 } }, ada);
    expect(made.defaults).toEqual({ owner: 'ada', meta: { teams: ['red'] }, n: 1 });
    expect(bindRule({ defaults: { owner: '$user.claims.nosuch' } }, ada).defaults).toBeNull();
    expect(bindRule({ defaults: { owner: '$user.claims.evil' } }, ada).defaults).toBeNull();
  });

  it('lets nothing through when the values make the query too large', () => {
    const claims = { ids: Array.from({ length: 2_000 }, (_, index) => index) };
    expect(isOf(bindRule({ q: { id: { $in: '$user.claims.ids' } } }, { ...ada, claims }), { id: 5 })).toBe(false);
  });
});

describe('what a rule may say', () => {
  it.each<[JsonObject, string]>([
    [{ q: { n: { $foo: 1 } } }, '/q/n/$foo'],
    [{ q: { n: '$user.name' } }, '/q/n'],
    [{ q: { n: '$user' } }, '/q/n'],
    [{ q: { n: '$user.claims.' } }, '/q/n'],
    [{ q: { n: { $regex: '$user.claims.x' } } }, '/q/n/$regex'],
    [{ q: { $text: { $search: '$user.claims.x' } } }, '/q/$text/$search'],
    [{ q: { until: { $gt: { $currentDate: true } } } }, '/q/until/$gt/$currentDate'],
    [{ q: { until: { $gt: { $date: '$currentDate' } } } }, '/q/until/$gt/$date'],
    [{ readFields: ['address.city'] }, '/readFields/0'],
    [{ writeFields: ['a', '_version'] }, '/writeFields/1'],
    [{ defaults: { _id: 'x' } }, '/defaults/_id'],
    [{ defaults: { a: { $set: 1 } } }, '/defaults/a/$set'],
    [{ defaults: { a: '$user.nobody' } }, '/defaults/a'],
  ])('%j is refused at %s', (rule, place) => {
    expect(problemsOfRule(rule).map(({ field }) => field)).toContain(place);
  });

  it.each<[JsonObject]>([
    [{}],
    [{ q: {} }],
    [{ q: { owner: '$user.sub', team: { $in: '$user.claims.teams' }, n: { $gt: '$user.claims.n' } } }],
    [{ q: { 'a.b': { $elemMatch: { $eq: '$user.role' } } } }],
    [{ q: { name: { $regex: '^a' } }, readFields: ['name'], writeFields: [], defaults: { owner: '$user.sub' } }],
  ])('%j is taken', (rule) => {
    expect(problemsOfRule(rule)).toEqual([]);
  });
});
