/** The query parameters of a request: known ones only, each once unless it is made to be repeated. */
import { Problem, type ProblemField } from '@tidewire/protocol/problem';

/** How the text of a parameter becomes a value, undefined when it is malformed; `allowed` says what it may be, `fallback` is the value without it. */
export type ParameterParser<T> = {
  parse(text: string): T | undefined;
  allowed: string;
  fallback: T;
  /** For a parameter that may be repeated: the value of all of them. Without it, a second one is refused. */
  join?(before: T, next: T): T;
};

/** A whole number between bounds. */
export function wholeNumber(fallback: number, min: number, max: number): ParameterParser<number> {
  return {
    fallback,
    allowed: `a whole number from ${min} to ${max}`,
    parse(text) {
      const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? value : undefined;
    },
  };
}

/** `true` or `false`. */
export const flag: ParameterParser<boolean> = {
  fallback: false,
  allowed: 'true or false',
  parse: (text) => (text === 'true' ? true : text === 'false' ? false : undefined),
};

/** Any text; null when it is not given. */
export const text: ParameterParser<string | null> = { fallback: null, allowed: 'a text', parse: (value) => value };

/** The same parameter, null when it is not given. */
export function optional<T>(parser: ParameterParser<T>): ParameterParser<T | null> {
  return { fallback: null, allowed: parser.allowed, parse: (given) => parser.parse(given) };
}

/** Texts, of a parameter that may be repeated, in their order. */
export const texts: ParameterParser<readonly string[]> = {
  fallback: [],
  allowed: 'a text',
  parse: (value) => [value],
  join: (before, next) => [...before, ...next],
};

/** One of the words, or null when it is not given. */
export function oneOf<const W extends string>(words: readonly W[]): ParameterParser<W | null> {
  return { fallback: null, allowed: words.join(', '), parse: (value) => words.find((word) => word === value) };
}

/**
 * Parses the part of a URL behind `?`. `ignored` names what others have read (the key). Throws `bad_request` that names every wrong parameter: unknown,
 * given twice, or malformed.
 */
export function parseParameters<T extends Record<string, unknown>>(
  query: string,
  parsers: { [K in keyof T]: ParameterParser<T[K]> },
  ignored: readonly string[] = [],
): T {
  const values: Record<string, unknown> = {};
  for (const [name, parser] of Object.entries(parsers)) values[name] = parser.fallback;
  if (query !== '') {
    const errors = readParameters(query, parsers, ignored, values);
    if (errors.length > 0) throw wrongParameters(errors);
  }
  return values as T;
}

function readParameters(
  query: string,
  parsers: Record<string, ParameterParser<unknown>>,
  ignored: readonly string[],
  values: Record<string, unknown>,
): ProblemField[] {
  const errors: ProblemField[] = [];
  const seen = new Set<string>();
  for (const [name, given] of new URLSearchParams(query)) {
    if (ignored.includes(name)) continue;
    const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
    const value = parser?.parse(given);
    const field = name.slice(0, 100);
    if (parser === undefined) {
      const allowed = [...Object.keys(parsers), ...ignored].join(', ');
      errors.push({ field, message: 'this parameter is not known here', allowed });
    } else if (seen.has(name) && parser.join === undefined)
      errors.push({ field, message: 'the parameter is given twice', allowed: 'once' });
    else if (value === undefined) errors.push({ field, message: 'the value is malformed', allowed: parser.allowed });
    values[name] = seen.has(name) ? parser?.join?.(values[name], value) : value;
    seen.add(name);
    if (errors.length >= 10) break;
  }
  return errors;
}

/** `bad_request` that names the parameters, or the places within them. */
export function wrongParameters(errors: ProblemField[]): Problem {
  const detail = errors
    .map(({ field, message, allowed }) => `${field}: ${message}${allowed ? ` (allowed: ${allowed})` : ''}`)
    .join('; ');
  return new Problem('bad_request', `Wrong query parameters. ${detail}`, { errors });
}
