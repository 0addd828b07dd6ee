/**
 * The index of words, for `$text` and `filter=`. It holds, for each document, the words of all its strings in a form that is equal for words that differ in case alone. What it
 * finds is a superset: phrases, and letters that it does not tell apart, are left to the exact condition.
 *
 * Words are found in Postgres, by a function that is made of the same tables as `text-search.ts`. Its name ends in a version, because an index must be built anew when its meaning changes.
 * Letters outside of the ranges below that have a case are all alike to it; Postgres's own lower() depends on the server's locale, and cannot be used.
 */
import { allOrbits, foldCodePoint } from './case-orbits.js';
import { type CodePointSet, normalizeSet } from './code-points.js';
import { postgresClass } from './pattern-text.js';
import { column, type SqlOptions } from './sql-parameters.js';
import { separators } from './text-search.js';

/** The name of the function: `tidewire_words_1(jsonb) RETURNS text[]`. */
export const wordsFunction = 'tidewire_words_1';

/** Characters of a word that count: the index takes entries of 2,704 bytes at most. */
const WORD_LENGTH = 500;
/** Stands for each letter with a case that is not mapped. */
const OTHER = '\ufffd';
/** Latin with its first extension, Greek, Cyrillic. */
const mapped: CodePointSet = [
  [0x41, 0x17f],
  [0x386, 0x3ce],
  [0x400, 0x45f],
];

/** The expression to index by GIN, of type text[]: `CREATE INDEX ON documents USING gin (<this>)`. Needs `createWordsFunction`. */
export function wordsExpression(options: SqlOptions = {}): string {
  return `${wordsFunction}(${column('data', options)})`;
}

/** The form in which the index has a word that `splitWords` gave. */
export function indexedWord(word: string): string {
  const { others } = tables();
  return [...word]
    .slice(0, WORD_LENGTH)
    .map((character) => (others.has(character.codePointAt(0) ?? 0) ? OTHER : character))
    .join('');
}

/** The statement that makes the function; it may be run again. */
export function createWordsFunction(): string {
  const { from, to, others } = tables();
  const otherLetters = postgresClass(normalizeSet([...others].map((codePoint) => [codePoint, codePoint] as const)));
  const separator = postgresClass(separators);
  // The strings are put together with a separator between them. Only texts that are not ASCII have to be mapped, only long ones can have long words. Doubles are left to the index.
  const folded = `CASE WHEN octet_length(strings) = length(strings) THEN upper(strings COLLATE "C")
        ELSE regexp_replace(translate(upper(strings COLLATE "C"), '${from}', '${to}'), '${otherLetters}', '${OTHER}', 'g') END`;
  return `CREATE OR REPLACE FUNCTION ${wordsFunction}(document jsonb) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $words$
    SELECT CASE WHEN length(strings) <= ${WORD_LENGTH} THEN words ELSE ARRAY(SELECT left(word, ${WORD_LENGTH}) FROM unnest(words) AS word) END
    FROM (SELECT strings, regexp_split_to_array(${folded}, '${separator}+') AS words
      FROM (SELECT string_agg(item #>> '{}', ' ') AS strings
        FROM jsonb_path_query(document, 'strict $.** ? (@.type() == "string")') AS item) AS joined) AS divided
  $words$`;
}

type Tables = { from: string; to: string; others: ReadonlySet<number> };
let made: Tables | undefined;

/** A letter is mapped to the lowest of its orbit, as `foldCodePoint` does, if one of the orbit lies in the ranges. */
function tables(): Tables {
  if (made !== undefined) return made;
  let from = '';
  let to = '';
  const others = new Set<number>();
  for (const orbit of allOrbits()) {
    const isMapped = orbit.some((member) => mapped.some(([first, last]) => member >= first && member <= last));
    for (const member of orbit) {
      if (!isMapped) others.add(member);
      else if (member > 0x7f && foldCodePoint(member) !== member) {
        from += String.fromCodePoint(member);
        to += String.fromCodePoint(foldCodePoint(member));
      }
    }
  }
  made = { from, to, others };
  return made;
}
