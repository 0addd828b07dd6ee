import { RE2JS } from 're2js';
import { describe, expect, it } from 'vitest';
import { type Pattern, parsePattern } from './pattern.js';

function patternOf(source: string, ignoreCase = false): Pattern {
  const parsed = parsePattern(source, ignoreCase);
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.pattern;
}

const finds = (source: string, text: string, ignoreCase = false) =>
  RE2JS.compile(patternOf(source, ignoreCase).re2).test(text);

describe('a pattern finds what it says', () => {
  it.each<[string, string[], string[]]>([
    ['b', ['abc'], ['ac', 'B']],
    ['^b', ['bc'], ['ab', 'a\nb']],
    ['b$', ['ab'], ['ba', 'b\n']],
    ['a.c', ['abc', 'a😀c', 'a\rc'], ['ac', 'a\nc']],
    ['[^a]', ['b', '\n', '😀'], ['a', '']],
    ['^[a-c😀-😂]$', ['b', '😁'], ['d', '😃']],
    ['\\d\\w\\s', ['1_ ', '0a\u000b'], ['٣a ', '1é ', '1a\u00a0']],
    ['[\\D]', ['a'], ['1']],
    ['^(?:ab|c){2}$', ['abc', 'cc'], ['ab', 'abcc']],
    ['^a{2,}$', ['aa', 'aaaa'], ['a']],
    ['a{,2}', ['a{,2}'], ['aa']],
    ['x{', ['x{'], ['x']],
    ['[]a]', [']', 'a'], ['b']],
    ['[a-]', ['-', 'a'], ['b']],
    ['\\x41\\x{1F600}\\u00e9', ['A😀é'], ['A😀e']],
    ['a+?b*?', ['a'], ['b']],
    ['(?i)straße', ['STRAßE', 'Straße'], ['STRASSE']],
    ['(|a)b', ['b', 'ab'], ['a']],
    ['', ['', 'x'], []],
  ])('%j', (source, yes, no) => {
    for (const text of yes) expect(finds(source, text), text).toBe(true);
    for (const text of no) expect(finds(source, text), text).toBe(false);
  });

  it.each([
    ['k', '\u212a'],
    ['s', 'ſ'],
    ['σ', 'ς'],
    ['É', 'é'],
    ['[a-z]', 'Q'],
    ['[А-Я]', 'ж'],
  ])('in either case, %s finds %s', (source, text) => {
    expect(finds(source, text, true)).toBe(true);
    expect(finds(source, text, false)).toBe(false);
  });

  it('class escapes do not grow by the option i', () => {
    expect(finds('\\W', 'k', true)).toBe(false);
    expect(finds('^[^k]$', 'K', true)).toBe(false);
  });
});

describe('what both engines cannot do alike is refused by name', () => {
  it.each<[string, RegExp]>([
    ['(?=a)', /look-ahead/],
    ['(?!a)', /look-ahead/],
    ['(?<=a)', /look-behind/],
    ['(?<name>a)', /\(\?/],
    ['(?P<name>a)', /\(\?/],
    ['(?s)a', /flags/],
    ['a(?i)b', /flags/],
    ['(a)\\1', /back-reference/],
    ['\\0', /octal/],
    ['\\bword', /escape \\b/],
    ['\\p{L}', /escape \\p/],
    ['\\Aa', /escape \\A/],
    ['\\y', /escape \\y/],
    ['\\é', /escape/],
    ['a\\', /backslash at the end/],
    ['***=a', /director/],
    ['[[:alpha:]]', /POSIX/],
    ['[[.a.]]', /POSIX/],
    ['[b-a]', /ascending/],
    ['[\\d-z]', /ascending/],
    ['[a', /"\[" that nothing closes/],
    ['(a', /"\(" that nothing closes/],
    ['a)', /closes nothing/],
    ['(((', /"\(" that nothing closes/],
    ['*a', /repeats nothing/],
    ['|+', /repeats nothing/],
    ['{2}', /repeats nothing/],
    ['a**', /quantifier after a quantifier/],
    ['a{2}{3}', /quantifier after a quantifier/],
    ['a*+', /possessive/],
    ['a++', /possessive/],
    ['^*', /repeated \^/],
    ['a{3,2}', /wrong order/],
    ['a{1000}', /counts to 100/],
    ['a{1000}{1000}', /counts to 100/],
    ['(?:a{100}){100}', /1000 steps/],
    ['(?:(?:a{20}){20}){20}', /1000 steps/],
    ['(?:'.repeat(17) + ')'.repeat(17), /16 deep/],
    ['\\x{0}', /names no character/],
    ['\\ud800', /names no character/],
    ['\\xZZ', /names no character/],
    ['[^\\d\\D]', /no character in it/],
    ['a'.repeat(257), /256/],
  ])('%j', (source, message) => {
    const parsed = parsePattern(source, false);
    expect(parsed.ok).toBe(false);
    if (!parsed.ok) expect(parsed.message).toMatch(message);
  });
});

it('patterns that mean the same have the same text', () => {
  expect(patternOf('[a-c]x{0,1}').re2).toBe(patternOf('[cba](?:x)?').re2);
  expect(patternOf('a', true).postgres).toBe(patternOf('[aA]').postgres);
});

it('in the text for Postgres nothing but letters, digits and operators of the parser stands unescaped', () => {
  expect(patternOf('a\'"%\\*😀').postgres).toBe('a\\u0027\\u0022\\u0025\\u002a\\U0001f600');
});
