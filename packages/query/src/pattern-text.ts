/** The tree of a regular expression, and how it is written for an engine. */
import { type CodePointSet, complementOf, isSingle } from './code-points.js';

/** A parsed regular expression. `max` is Infinity where there is no bound. */
export type PatternNode =
  | { kind: 'set'; set: CodePointSet }
  | { kind: 'start' }
  | { kind: 'end' }
  | { kind: 'sequence'; items: PatternNode[] }
  | { kind: 'choice'; items: PatternNode[] }
  | { kind: 'repeat'; item: PatternNode; min: number; max: number };

/** Steps when all counted repetitions are written out, which is what both engines do. */
export function sizeOf(node: PatternNode): number {
  switch (node.kind) {
    case 'set':
    case 'start':
    case 'end':
      return 1;
    case 'sequence':
    case 'choice':
      return node.items.reduce((sum, item) => sum + sizeOf(item), 1);
    case 'repeat':
      return sizeOf(node.item) * (Number.isFinite(node.max) ? Math.max(1, node.max) : Math.max(1, node.min));
  }
}

/** How an engine spells what the two do not share. */
export type Dialect = { start: string; end: string; character(codePoint: number): string };

const hex = (codePoint: number, length: number) => codePoint.toString(16).padStart(length, '0');
const isPlain = (codePoint: number) => /^[0-9A-Za-z]$/.test(String.fromCodePoint(codePoint));

/** Advanced regular expressions of Postgres. */
export const postgresDialect: Dialect = {
  start: '^',
  end: '$',
  character: (codePoint) => (codePoint > 0xffff ? `\\U${hex(codePoint, 8)}` : `\\u${hex(codePoint, 4)}`),
};
/** RE2. */
export const re2Dialect: Dialect = { start: '\\A', end: '\\z', character: (codePoint) => `\\x{${hex(codePoint, 1)}}` };

/** The tree as a text in which every character is spelled out. */
export function writePattern(node: PatternNode, dialect: Dialect): string {
  switch (node.kind) {
    case 'set':
      return writeSet(node.set, dialect);
    case 'start':
      return dialect.start;
    case 'end':
      return dialect.end;
    case 'sequence':
      return node.items
        .map((item) => (item.kind === 'choice' ? `(?:${writePattern(item, dialect)})` : writePattern(item, dialect)))
        .join('');
    case 'choice':
      return node.items.map((item) => writePattern(item, dialect)).join('|');
    case 'repeat': {
      const item = writePattern(node.item, dialect);
      return `${node.item.kind === 'set' ? item : `(?:${item})`}${writeCounts(node.min, node.max)}`;
    }
  }
}

function writeCounts(min: number, max: number): string {
  if (max === Number.POSITIVE_INFINITY) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

/** Writes a set, or what it leaves out when that is shorter. */
function writeSet(set: CodePointSet, dialect: Dialect): string {
  const [range] = set;
  if (range !== undefined && isSingle(set)) return writeCharacter(range[0], dialect);
  const complement = complementOf(set);
  const isNegated = complement.length < set.length && complement.length > 0;
  const ranges = (isNegated ? complement : set).map(([from, to]) => {
    if (from === to) return writeCharacter(from, dialect);
    return `${writeCharacter(from, dialect)}-${writeCharacter(to, dialect)}`;
  });
  return `[${isNegated ? '^' : ''}${ranges.join('')}]`;
}

function writeCharacter(codePoint: number, dialect: Dialect): string {
  return isPlain(codePoint) ? String.fromCodePoint(codePoint) : dialect.character(codePoint);
}

/** A set as a bracket expression for Postgres. */
export function postgresClass(set: CodePointSet): string {
  return writeSet(set, postgresDialect);
}
