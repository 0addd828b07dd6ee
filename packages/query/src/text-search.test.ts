import { describe, expect, it } from 'vitest';
import type { JsonObject } from './json.js';
import { parseFilter, parseTextFilter } from './parse-filter.js';
import { hasText, parseSearch, scoreOf, searchOf, splitWords, type TextSearch } from './text-search.js';

function searchFor(text: string, mode: 'any' | 'all' = 'any'): TextSearch {
  const parsed = parseSearch(text, mode);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.search;
}

it('words are runs of letters, digits and _, without regard to case', () => {
  expect(splitWords("Foo_bar, it's ÉTÉ! 日本語、x-1")).toEqual(splitWords('foo_bar it s été 日本語 x 1'));
  expect(splitWords('«a» “b” …')).toEqual(['A', 'B']);
});

describe('a search', () => {
  const document: JsonObject = {
    _id: 'id',
    _createdby: 'creator',
    title: 'The Quick fox',
    tags: ['fox', { deep: 'quick, fox' }],
    n: 7,
  };
  it.each<[string, 'any' | 'all', boolean]>([
    ['quick', 'any', true],
    ['QUICK wolf', 'any', true],
    ['quick wolf', 'all', false],
    ['fox the', 'all', true],
    ['qui', 'any', false],
    ['"quick fox"', 'any', true],
    ['"fox quick"', 'any', false],
    ['"the fox"', 'any', false],
    ['wolf "quick fox"', 'any', true],
    ['quick -fox', 'any', false],
    ['quick -wolf', 'any', true],
    ['-wolf', 'any', true],
    ['quick -"the quick"', 'any', false],
    ['7', 'any', false],
    ['creator', 'any', false],
    ['id', 'any', false],
    ['title', 'any', false],
  ])('for %j, %s of its words, is %s', (text, mode, expected) => {
    expect(hasText(searchFor(text, mode), document)).toBe(expected);
  });

  it('scores each place of each word or phrase', () => {
    expect(scoreOf(searchFor('fox'), document)).toBe(3);
    expect(scoreOf(searchFor('fox quick'), document)).toBe(5);
    expect(scoreOf(searchFor('fox "quick fox"'), document)).toBe(5);
    expect(scoreOf(searchFor('"a a"'), { t: 'a a a' })).toBe(1);
    expect(scoreOf(searchFor('wolf'), document)).toBe(0);
  });

  it.each([
    ['', /no words/],
    ['!?', /no words/],
    ['a '.repeat(33), /32 words/],
    ['x'.repeat(1_025), /1024/],
    ['\0', /U\+0000/],
  ])('for %j is refused', (text, message) => {
    const parsed = parseSearch(text, 'any');
    expect(parsed.ok ? '' : parsed.message).toMatch(message);
  });
});

it('the search of a filter is found wherever it stands', () => {
  const parsed = parseFilter({ a: 1, $and: [{ b: 2 }, { $text: { $search: 'x' } }] });
  expect(parsed.ok && searchOf(parsed.filter)).toEqual(searchFor('x'));
  const none = parseFilter({ a: 1 });
  expect(none.ok && searchOf(none.filter)).toBeNull();
});

it('filter= wants all of its words', () => {
  const parsed = parseTextFilter('a b');
  expect(parsed).toEqual({ ok: true, filter: { kind: 'text', search: searchFor('a b', 'all') } });
});
