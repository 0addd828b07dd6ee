/**
 * Search by words, alike in both evaluators. It looks through the strings of the document's own fields, at any depth; not keys, numbers, or metafields. A
 * word is a run of characters that are no separators; separators are all of ASCII but letters, digits and `_`, and the punctuation and spaces of Unicode's common
 * blocks. Case does not matter, accents do. There is no stemming and there are no stop words.
 *
 * In a search text, `"a b"` in quotes means these words one after the other in one string; a `-` before a word or a quote means: not that.
 * The score of a document is the number of places where its strings have the terms that are looked for: a term is found again only behind its last place.
 */

import { type Filter, isMetafield } from './ast.js';
import { foldCodePoint, orbitOf } from './case-orbits.js';
import { type CodePointSet, hasCodePoint, normalizeSet } from './code-points.js';
import type { JsonObject, JsonValue } from './json.js';
import { isStorable } from './paths.js';
import { postgresClass } from './pattern-text.js';
import { queryLimits } from './query-limits.js';

/** One word or several in a row, each in the folded form of `foldWord`. */
export type Term = readonly string[];
/** What a document needs: all of `allOf`, one of `anyOf` when it has some, none of `noneOf`. `optional` counts only for the score. */
export type TextSearch = {
  allOf: readonly Term[];
  anyOf: readonly Term[];
  noneOf: readonly Term[];
  optional: readonly Term[];
};

/** The characters that stand between words. */
export const separators: CodePointSet = normalizeSet([
  [0x01, 0x2f],
  [0x3a, 0x40],
  [0x5b, 0x5e],
  [0x60, 0x60],
  [0x7b, 0xa9],
  [0xab, 0xb4],
  [0xb6, 0xb9],
  [0xbb, 0xbf],
  [0xd7, 0xd7],
  [0xf7, 0xf7],
  [0x2000, 0x206f],
  [0x2e00, 0x2e7f],
  [0x3000, 0x3004],
  [0x3008, 0x3020],
  [0xfe10, 0xfe1f],
  [0xfe30, 0xfe6f],
  [0xfeff, 0xfeff],
  [0xff00, 0xff0f],
  [0xff1a, 0xff20],
  [0xff3b, 0xff40],
  [0xff5b, 0xff65],
]);

/**
 * Parses a search text. With `any`, as in `$search`, one of the bare words is enough, unless there is a quoted phrase: then all phrases are needed and the words only
 * count for the score. With `all`, as in `filter=`, everything is needed.
 */
export function parseSearch(
  text: string,
  mode: 'any' | 'all',
): { ok: true; search: TextSearch } | { ok: false; message: string } {
  if (text.length > queryLimits.searchLength) {
    return { ok: false, message: `A search text has at most ${queryLimits.searchLength} characters.` };
  }
  if (!isStorable(text)) return { ok: false, message: 'The search text holds U+0000 or half of a surrogate pair.' };
  const words: Term[] = [];
  const phrases: Term[] = [];
  const noneOf: Term[] = [];
  for (const [, sign, quoted, bare] of text.matchAll(/(?<![^\s"])(-?)(?:"([^"]*)"|([^\s"]+))/g)) {
    const found = splitWords(quoted ?? bare ?? '');
    if (found.length === 0) continue;
    if (sign === '-') noneOf.push(found);
    else if (quoted !== undefined) phrases.push(found);
    else words.push(...found.map((word) => [word]));
  }
  const count = [...words, ...phrases, ...noneOf].reduce((sum, term) => sum + term.length, 0);
  if (count === 0) return { ok: false, message: 'The search text has no words: send letters or digits.' };
  if (count > queryLimits.searchWords) {
    return { ok: false, message: `A search text has at most ${queryLimits.searchWords} words.` };
  }
  if (mode === 'all') return { ok: true, search: { allOf: [...words, ...phrases], anyOf: [], noneOf, optional: [] } };
  const isLoose = phrases.length === 0;
  const search = { allOf: phrases, anyOf: isLoose ? words : [], noneOf, optional: isLoose ? [] : words };
  return { ok: true, search };
}

/** The words of a text in their folded form. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word = '';
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0;
    if (!isSeparator(codePoint)) word += String.fromCodePoint(foldCodePoint(codePoint));
    else if (word !== '') {
      words.push(word);
      word = '';
    }
  }
  return word === '' ? words : [...words, word];
}

function isSeparator(codePoint: number): boolean {
  if (codePoint < 0x80) {
    const isWord =
      (codePoint >= 0x30 && codePoint <= 0x39) ||
      (codePoint >= 0x41 && codePoint <= 0x5a) ||
      (codePoint >= 0x61 && codePoint <= 0x7a) ||
      codePoint === 0x5f;
    return !isWord;
  }
  return hasCodePoint(separators, codePoint);
}

/** Whether the document has what the search needs. */
export function hasText({ allOf, anyOf, noneOf }: TextSearch, document: JsonObject): boolean {
  const texts = wordsOf(document);
  const has = (term: Term) => texts.some((words) => countIn(words, term) > 0);
  return allOf.every(has) && (anyOf.length === 0 || anyOf.some(has)) && !noneOf.some(has);
}

/** In how many places the document has the terms. */
export function scoreOf(search: TextSearch, document: JsonObject): number {
  const texts = wordsOf(document);
  let score = 0;
  for (const term of scoredTerms(search)) for (const words of texts) score += countIn(words, term);
  return score;
}

/** The terms that count. A term that was written twice counts twice. */
export function scoredTerms({ allOf, anyOf, optional }: TextSearch): Term[] {
  return [...allOf, ...anyOf, ...optional];
}

/** The term as an ARE for Postgres: a place in a text where the words stand as whole words. */
export function termPattern(term: Term): string {
  const words = term.map((word) => [...word].map(characterPattern).join(''));
  const separator = postgresClass(separators);
  return `(?:^|${separator})${words.join(`${separator}+`)}(?=$|${separator})`;
}

function characterPattern(character: string): string {
  const orbit = orbitOf(character.codePointAt(0) ?? 0);
  return postgresClass(normalizeSet(orbit.map((member) => [member, member] as const)));
}

function wordsOf(document: JsonObject): string[][] {
  const texts: string[][] = [];
  for (const [key, value] of Object.entries(document)) if (!isMetafield(key)) collect(value, texts);
  return texts;
}

function collect(value: JsonValue, texts: string[][]): void {
  if (typeof value === 'string') texts.push(splitWords(value));
  else if (typeof value === 'object' && value !== null) for (const item of Object.values(value)) collect(item, texts);
}

function countIn(words: readonly string[], term: Term): number {
  let count = 0;
  for (let at = 0; at + term.length <= words.length; ) {
    const isHere = term.every((word, index) => words[at + index] === word);
    if (isHere) count += 1;
    at += isHere ? term.length : 1;
  }
  return count;
}

/** The search of a filter, for ordering by its score; null when there is none. Of several the first counts. */
export function searchOf(filter: Filter): TextSearch | null {
  switch (filter.kind) {
    case 'text':
      return filter.search;
    case 'and':
    case 'or':
      return filter.items.map(searchOf).find((search) => search !== null) ?? null;
    case 'not':
    case 'field':
      return null;
  }
}
