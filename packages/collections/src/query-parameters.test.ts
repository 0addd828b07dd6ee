import { Problem } from '@tidewire/protocol/problem';
import { describe, expect, it } from 'vitest';
import { flag, oneOf, optional, parseParameters, text, texts, wholeNumber } from './query-parameters.js';

const parsers = { max: wholeNumber(1_000, 0, 10_000), totals: flag };
const parse = (query: string) => parseParameters(query, parsers, ['apikey']);

function wrongFields(query: string): string[] {
  try {
    parse(query);
    return [];
  } catch (error) {
    if (error instanceof Problem && error.code === 'bad_request') return error.errors.map(({ field }) => field);
    throw error;
  }
}

describe('query parameters', () => {
  it('have defaults, and pass over the key', () => {
    expect(parse('')).toEqual({ max: 1_000, totals: false });
    expect(parse('apikey=x&apikey=y&max=0&totals=true')).toEqual({ max: 0, totals: true });
    expect(parse('max=%31%30')).toEqual({ max: 10, totals: false });
  });

  it('are refused when unknown, doubled or malformed, all named at once', () => {
    expect(wrongFields('maxx=1&max=2&max=3&totals=TRUE')).toEqual(['maxx', 'max', 'totals']);
    for (const text of ['', '-1', '1.0', '1e3', '0x10', ' 1', '١', '10001', '99999999999999999999', 'NaN', '1\u0000']) {
      expect(wrongFields(`max=${encodeURIComponent(text)}`)).toEqual(['max']);
    }
    for (const name of ['__proto__', 'constructor', 'toString', '', '%zz', 'max[]', 'MAX'])
      expect(wrongFields(`${name}=1`)).toHaveLength(1);
  });

  it('may be repeated, left out, or one of some words, where they are made so', () => {
    const made = { sort: texts, q: text, format: oneOf(['json', 'csv']), max: optional(wholeNumber(0, 0, 9)) };
    expect(parseParameters('', made)).toEqual({ sort: [], q: null, format: null, max: null });
    expect(parseParameters('sort=b&q=&sort=a&format=csv&max=3&sort=b', made)).toEqual({
      sort: ['b', 'a', 'b'],
      q: '',
      format: 'csv',
      max: 3,
    });
    for (const query of ['q=1&q=2', 'format=xml', 'max=10', 'format=toString'])
      expect(() => parseParameters(query, made)).toThrowError(Problem);
  });

  it('are named ten at most', () => {
    expect(wrongFields(Array.from({ length: 1_000 }, (_, n) => `p${n}=1`).join('&'))).toHaveLength(10);
  });
});
