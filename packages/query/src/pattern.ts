/**
 * Regular expressions of users. Neither evaluator is ever given the text that a user wrote: it is parsed here, and from the tree one text is written
 * for Postgres (an ARE) and one for RE2, in which every character is spelled out. What both cannot do, or do differently, is refused by name. No user's pattern runs as
 * a JavaScript RegExp: RE2 takes time in proportion to the text, whatever the pattern; so does Postgres, as long as there are no back-references.
 *
 * The language: literals; `.` (any character but \n); `[…]` and `[^…]` with ranges; `\d \w \s \D \W \S` (ASCII); `\t \n \r \f \v \xHH \x{H…} \uHHHH`;
 * any other ASCII punctuation escaped; `( )` and `(?: )`; `|`; `* + ? {m} {m,} {m,n}`, also with a trailing `?` (which changes nothing in whether a text
 * matches); `^` and `$` for the very start and end of the text. With option `i`, or `(?i)` at the very start, letters match in either case, by Unicode's
 * simple mapping.
 */
import { orbitOf } from './case-orbits.js';
import { type CodePointSet, complementOf, foldSet, isSingle, normalizeSet } from './code-points.js';
import { type PatternNode, postgresDialect, re2Dialect, sizeOf, writePattern } from './pattern-text.js';
import { queryLimits } from './query-limits.js';

/** A parsed pattern. `postgres` and `re2` mean the same; equal texts mean equal patterns. */
export type Pattern = { source: string; ignoreCase: boolean; postgres: string; re2: string };

/** Groups within each other. */
const GROUP_DEPTH = 16;
/** `.`, `\d`, `\w`, `\s`. */
const newline: CodePointSet = [[0x0a, 0x0a]];
const digits: CodePointSet = [[0x30, 0x39]];
const wordCharacters: CodePointSet = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
];
const spaces: CodePointSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
];
const classes = new Map<string, CodePointSet>([
  ['d', digits],
  ['w', wordCharacters],
  ['s', spaces],
  ['D', complementOf(digits)],
  ['W', complementOf(wordCharacters)],
  ['S', complementOf(spaces)],
]);
const controls = new Map([
  ['t', 0x09],
  ['n', 0x0a],
  ['v', 0x0b],
  ['f', 0x0c],
  ['r', 0x0d],
]);

class PatternProblem extends Error {}

/** Parses the pattern, or says in one sentence why it is refused. */
export function parsePattern(
  source: string,
  ignoreCase: boolean,
): { ok: true; pattern: Pattern } | { ok: false; message: string } {
  try {
    return { ok: true, pattern: new PatternParser(source, ignoreCase).parse() };
  } catch (error) {
    if (error instanceof PatternProblem) return { ok: false, message: error.message };
    throw error;
  }
}

class PatternParser {
  private readonly characters: string[];
  private at = 0;
  private depth = 0;
  private ignoreCase: boolean;

  constructor(
    private readonly source: string,
    ignoreCase: boolean,
  ) {
    this.ignoreCase = ignoreCase;
    this.characters = [...source];
  }

  parse(): Pattern {
    if (this.source.length > queryLimits.patternLength) {
      throw new PatternProblem(`A regular expression has at most ${queryLimits.patternLength} characters.`);
    }
    if (this.source.startsWith('***')) this.refuse('a director like *** at the start');
    if (this.source.startsWith('(?i)')) {
      this.ignoreCase = true;
      this.at = 4;
    }
    const tree = this.choice();
    if (this.at < this.characters.length) this.refuse('a ")" that closes nothing');
    if (sizeOf(tree) > queryLimits.expandedPattern) {
      throw new PatternProblem(
        `The repetitions of the regular expression expand to more than ${queryLimits.expandedPattern} steps. Use * or + instead of large counts.`,
      );
    }
    const pattern = { source: this.source, ignoreCase: this.ignoreCase };
    return { ...pattern, postgres: writePattern(tree, postgresDialect), re2: writePattern(tree, re2Dialect) };
  }

  private choice(): PatternNode {
    const items = [this.sequence()];
    while (this.take('|')) items.push(this.sequence());
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'choice', items };
  }

  private sequence(): PatternNode {
    const items: PatternNode[] = [];
    while (this.at < this.characters.length && this.peek() !== '|' && this.peek() !== ')') items.push(this.repeated());
    const [only] = items;
    return items.length === 1 && only !== undefined ? only : { kind: 'sequence', items };
  }

  private repeated(): PatternNode {
    const item = this.atom();
    const counts = this.quantifier();
    if (counts === null) return item;
    if (item.kind === 'start' || item.kind === 'end') this.refuse('a repeated ^ or $');
    this.take('?');
    if (this.peek() === '+') this.refuse('a possessive quantifier like *+');
    if (this.quantifier() !== null) this.refuse('a quantifier after a quantifier; put the first part in (?: )');
    return { kind: 'repeat', item, ...counts };
  }

  /** `max` is Infinity where there is no bound. Braces that hold no counts are plain characters. */
  private quantifier(): { min: number; max: number } | null {
    if (this.take('*')) return { min: 0, max: Number.POSITIVE_INFINITY };
    if (this.take('+')) return { min: 1, max: Number.POSITIVE_INFINITY };
    if (this.take('?')) return { min: 0, max: 1 };
    const counts = this.counts();
    if (counts === null) return null;
    this.at += counts.length;
    const { min, max } = counts;
    const highest = max === Number.POSITIVE_INFINITY ? min : max;
    if (min > highest) throw new PatternProblem(`The repetition {${min},${max}} has its bounds in the wrong order.`);
    if (highest > queryLimits.repeat) {
      throw new PatternProblem(
        `A repetition counts to ${queryLimits.repeat} at most; use * or + for more. See character ${this.at}.`,
      );
    }
    return { min, max };
  }

  /** What `{m}`, `{m,}` or `{m,n}` at the present place says, and its length; null for anything else. */
  private counts(): { min: number; max: number; length: number } | null {
    if (this.peek() !== '{') return null;
    const end = this.characters.indexOf('}', this.at);
    if (end < 0) return null;
    const [from = '', to, more] = this.characters
      .slice(this.at + 1, end)
      .join('')
      .split(',');
    if (more !== undefined || !isCount(from) || (to !== undefined && to !== '' && !isCount(to))) return null;
    const min = Number(from);
    const max = to === undefined ? min : to === '' ? Number.POSITIVE_INFINITY : Number(to);
    return { min, max, length: end - this.at + 1 };
  }

  private atom(): PatternNode {
    const character = this.next();
    if (character === '^') return { kind: 'start' };
    if (character === '$') return { kind: 'end' };
    if (character === '.') return { kind: 'set', set: complementOf(newline) };
    if (character === '[') return this.bracket();
    if (character === '(') return this.group();
    if (character === '\\') return { kind: 'set', set: this.escape() };
    if (character === '*' || character === '+' || character === '?') {
      this.refuse(`a ${character} that repeats nothing; write \\${character} for the character itself`);
    }
    if (character === '{') {
      this.at -= 1;
      if (this.counts() !== null) this.refuse('a { } that repeats nothing; write \\{ for the character itself');
      this.at += 1;
    }
    const codePoint = character.codePointAt(0) ?? 0;
    return { kind: 'set', set: this.fold([[codePoint, codePoint]]) };
  }

  private group(): PatternNode {
    if (this.peek() === '?') {
      this.at += 1;
      if (!this.take(':'))
        this.refuse('a group that begins with (? and is not (?: ), such as look-ahead, look-behind or flags');
    }
    this.depth += 1;
    if (this.depth > GROUP_DEPTH)
      throw new PatternProblem(`Groups may stand in each other ${GROUP_DEPTH} deep at most.`);
    const node = this.choice();
    if (!this.take(')')) this.refuse('a "(" that nothing closes');
    this.depth -= 1;
    return node;
  }

  private bracket(): PatternNode {
    const isNegated = this.take('^');
    const ranges: (readonly [number, number])[] = [];
    for (let isFirst = true; isFirst || this.peek() !== ']'; isFirst = false) {
      if (this.at >= this.characters.length) this.refuse('a "[" that nothing closes');
      ranges.push(...this.bracketItem());
    }
    this.at += 1;
    const set = normalizeSet(ranges);
    const meant = isNegated ? complementOf(set) : set;
    if (meant.length === 0) throw new PatternProblem('A class in the regular expression has no character in it.');
    return { kind: 'set', set: meant };
  }

  private bracketItem(): CodePointSet {
    const start = this.bracketCharacter();
    if (this.peek() !== '-' || this.characters[this.at + 1] === ']') {
      return typeof start === 'number' ? this.fold([[start, start]]) : start;
    }
    this.at += 1;
    if (this.at >= this.characters.length) this.refuse('a "[" that nothing closes');
    const end = this.bracketCharacter();
    if (typeof start !== 'number' || typeof end !== 'number' || start > end) {
      this.refuse('a range in a class whose ends are not two characters in ascending order');
    }
    return this.fold(normalizeSet([[start, end]]));
  }

  /** One character, or the set of a class escape. */
  private bracketCharacter(): number | CodePointSet {
    const character = this.next();
    if (character === '[' && [':', '.', '='].includes(this.peek() ?? '')) this.refuse('a POSIX class like [:alpha:]');
    if (character === '\\') return this.classEscape() ?? this.characterEscape();
    return character.codePointAt(0) ?? 0;
  }

  private escape(): CodePointSet {
    const set = this.classEscape();
    if (set !== null) return set;
    const codePoint = this.characterEscape();
    return this.fold([[codePoint, codePoint]]);
  }

  /** The set of `\\d` and its like, which the option `i` does not change; null when something else follows. */
  private classEscape(): CodePointSet | null {
    const set = classes.get(this.peek() ?? '');
    if (set === undefined) return null;
    this.at += 1;
    return set;
  }

  private characterEscape(): number {
    const character = this.next('a backslash at the end');
    const control = controls.get(character);
    if (control !== undefined) return control;
    if (character === 'x' || character === 'u') return this.hexadecimal(character);
    if (/[0-9]/.test(character)) this.refuse(`the back-reference or octal escape \\${character}`);
    if (/[A-Za-z]/.test(character) || character > '~') this.refuse(`the escape \\${character}`);
    return character.codePointAt(0) ?? 0;
  }

  private hexadecimal(letter: 'x' | 'u'): number {
    const rest = this.characters.slice(this.at, this.at + 10).join('');
    const found = (letter === 'x' ? /^(?:([0-9a-fA-F]{2})|\{([0-9a-fA-F]{1,6})\})/ : /^([0-9a-fA-F]{4})/).exec(rest);
    const codePoint = Number.parseInt(found?.[1] ?? found?.[2] ?? '', 16);
    if (found === null || normalizeSet([[codePoint, codePoint]]).length === 0) {
      this.refuse(`an escape \\${letter} that names no character`);
    }
    this.at += found[0].length;
    return codePoint;
  }

  private fold(set: CodePointSet): CodePointSet {
    if (!this.ignoreCase) return set;
    const [range] = set;
    if (range === undefined || !isSingle(set)) return foldSet(set);
    return normalizeSet(orbitOf(range[0]).map((member) => [member, member] as const));
  }

  private peek(): string | undefined {
    return this.characters[this.at];
  }

  private take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.at += 1;
    return true;
  }

  private next(atTheEnd = 'a "[" that nothing closes'): string {
    const character = this.peek();
    if (character === undefined) this.refuse(atTheEnd);
    this.at += 1;
    return character;
  }

  private refuse(what: string): never {
    throw new PatternProblem(`Regular expressions here cannot have ${what} (near character ${Math.max(1, this.at)}).`);
  }
}

const isCount = (text: string) => /^[0-9]{1,6}$/.test(text);
