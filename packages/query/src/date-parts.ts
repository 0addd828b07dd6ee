/**
 * Parts of dates for grouping, alike in both evaluators. A value has parts when it is a text like `2024-05-01` or `2024-05-01T12:30:45.678Z`; they are read as they are written,
 * without any change of time zone. Tokens of formats are those of moment.js: YYYY YY Q MMMM MMM MM M DD D HH H hh h A a mm m ss s SSS; text in [ ] and what is no letter stays.
 */
import type { SqlParameters } from './sql-parameters.js';

/** What `$YEAR:` and its like give: a number. */
export const dateUnits = ['YEAR', 'MONTH', 'DAY', 'HOUR', 'MIN', 'SEC'] as const;
/** A part of a date. */
export type DateUnit = (typeof dateUnits)[number];
/** A piece of a format. */
export type FormatPiece = { literal: string } | { token: FormatToken };
type FormatToken = (typeof formatTokens)[number];

/** What a format may hold, the longest first. */
export const formatTokens = [
  'YYYY',
  'MMMM',
  'MMM',
  'SSS',
  'YY',
  'MM',
  'DD',
  'HH',
  'hh',
  'mm',
  'ss',
  'Q',
  'M',
  'D',
  'H',
  'h',
  'A',
  'a',
  'm',
  's',
] as const;
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
] as const;

/** A whole date, in the syntax that JavaScript and Postgres share. */
const wholeDate =
  '^[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])(?:T(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?$';
const wholeDatePattern = new RegExp(wholeDate);

/** Parses a format; null when it holds letters that are no token. */
export function parseFormat(format: string): FormatPiece[] | null {
  const pieces: FormatPiece[] = [];
  for (let rest = format; rest !== ''; ) {
    const quoted = /^\[([^\]]*)\]/.exec(rest);
    const token = formatTokens.find((candidate) => rest.startsWith(candidate));
    const [character = ''] = rest;
    if (quoted !== null) pieces.push({ literal: quoted[1] ?? '' });
    else if (token !== undefined) pieces.push({ token });
    else if (/[A-Za-z]/.test(character) && character !== 'T') return null;
    else pieces.push({ literal: character });
    rest = rest.slice(quoted?.[0].length ?? token?.length ?? character.length);
  }
  return pieces;
}

/** The part as a number; null when the value is no date. */
export function unitOf(value: unknown, unit: DateUnit): number | null {
  const parts = partsOf(value);
  return parts === null ? null : Number(parts[unit]);
}

/** The formatted date; null when the value is no date. */
export function formatDate(value: unknown, pieces: readonly FormatPiece[]): string | null {
  const parts = partsOf(value);
  if (parts === null) return null;
  return pieces.map((piece) => ('literal' in piece ? piece.literal : formatToken(parts, piece.token))).join('');
}

type Parts = Record<DateUnit | 'MILLISECOND', string>;

function partsOf(value: unknown): Parts | null {
  if (typeof value !== 'string' || !wholeDatePattern.test(value)) return null;
  const hasSeconds = value[16] === ':';
  return {
    YEAR: value.slice(0, 4),
    MONTH: value.slice(5, 7),
    DAY: value.slice(8, 10),
    HOUR: value.slice(11, 13) || '00',
    MIN: value.slice(14, 16) || '00',
    SEC: hasSeconds ? value.slice(17, 19) : '00',
    MILLISECOND: `${/[.]([0-9]+)/.exec(value)?.[1] ?? ''}000`.slice(0, 3),
  };
}

function formatToken(parts: Parts, token: FormatToken): string {
  const { YEAR, MONTH, DAY, HOUR, MIN, SEC, MILLISECOND } = parts;
  const twelve = String(((Number(HOUR) + 11) % 12) + 1);
  const month = months[Number(MONTH) - 1] ?? '';
  const texts: Record<FormatToken, string> = {
    YYYY: YEAR,
    YY: YEAR.slice(2),
    Q: String(Math.ceil(Number(MONTH) / 3)),
    MMMM: month,
    MMM: month.slice(0, 3),
    MM: MONTH,
    M: String(Number(MONTH)),
    DD: DAY,
    D: String(Number(DAY)),
    HH: HOUR,
    H: String(Number(HOUR)),
    hh: twelve.padStart(2, '0'),
    h: twelve,
    A: Number(HOUR) < 12 ? 'AM' : 'PM',
    a: Number(HOUR) < 12 ? 'am' : 'pm',
    mm: MIN,
    m: String(Number(MIN)),
    ss: SEC,
    s: String(Number(SEC)),
    SSS: MILLISECOND,
  };
  return texts[token];
}

/** The part of a jsonb value as jsonb; NULL when it is no date. */
export function unitToSql(value: string, unit: DateUnit): string {
  return whenDate(value, `to_jsonb((${sqlParts(value)[unit]})::int)`);
}

/** The formatted date as jsonb; NULL when the value is no date. Literal pieces are bound. */
export function formatToSql(value: string, pieces: readonly FormatPiece[], parameters: SqlParameters): string {
  const texts = sqlTokens(value);
  const parts = pieces.map((piece) =>
    'literal' in piece ? `${parameters.add(piece.literal)}::text` : texts[piece.token],
  );
  return whenDate(value, `to_jsonb(${["''::text", ...parts].join(' || ')})`);
}

function whenDate(value: string, result: string): string {
  return `CASE WHEN jsonb_typeof(${value}) = 'string' AND (${value} #>> '{}') COLLATE "C" ~ '${wholeDate}' THEN ${result} END`;
}

function sqlParts(value: string): Parts {
  const text = `(${value} #>> '{}')`;
  const timePart = (from: number) => `coalesce(nullif(substr(${text}, ${from}, 2), ''), '00')`;
  return {
    YEAR: `substr(${text}, 1, 4)`,
    MONTH: `substr(${text}, 6, 2)`,
    DAY: `substr(${text}, 9, 2)`,
    HOUR: timePart(12),
    MIN: timePart(15),
    SEC: `CASE WHEN substr(${text}, 17, 1) = ':' THEN substr(${text}, 18, 2) ELSE '00' END`,
    MILLISECOND: `left(coalesce(substring(${text} FROM '[.]([0-9]+)'), '') || '000', 3)`,
  };
}

function sqlTokens(value: string): Record<FormatToken, string> {
  const { YEAR, MONTH, DAY, HOUR, MIN, SEC, MILLISECOND } = sqlParts(value);
  const short = (part: string) => `(${part})::int::text`;
  const twelve = `((((${HOUR})::int + 11) % 12) + 1)::text`;
  const month = `('{${months.join(',')}}'::text[])[(${MONTH})::int]`;
  return {
    YYYY: YEAR,
    YY: `substr(${YEAR}, 3)`,
    Q: `(((${MONTH})::int + 2) / 3)::text`,
    MMMM: month,
    MMM: `left(${month}, 3)`,
    MM: MONTH,
    M: short(MONTH),
    DD: DAY,
    D: short(DAY),
    HH: HOUR,
    H: short(HOUR),
    hh: `lpad(${twelve}, 2, '0')`,
    h: twelve,
    A: `CASE WHEN (${HOUR})::int < 12 THEN 'AM' ELSE 'PM' END`,
    a: `CASE WHEN (${HOUR})::int < 12 THEN 'am' ELSE 'pm' END`,
    mm: MIN,
    m: short(MIN),
    ss: `(${SEC})`,
    s: short(SEC),
    SSS: MILLISECOND,
  };
}
