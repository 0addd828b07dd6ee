/** The query parameters of a request: known ones only, each once. */
import { Problem, type ProblemField } from '@tidewire/protocol/problem';

/** How the text of a parameter becomes a value; throws a text that says what is allowed. */
export type ParameterParser<T> = { parse(text: string): T | undefined; allowed: string; fallback: T };

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
  for (const [name, text] of new URLSearchParams(query)) {
    if (ignored.includes(name)) continue;
    const parser = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
    const value = parser?.parse(text);
    const field = name.slice(0, 100);
    if (parser === undefined) {
      const allowed = [...Object.keys(parsers), ...ignored].join(', ');
      errors.push({ field, message: 'this parameter is not known here', allowed });
    } else if (seen.has(name)) errors.push({ field, message: 'the parameter is given twice', allowed: 'once' });
    else if (value === undefined) errors.push({ field, message: 'the value is malformed', allowed: parser.allowed });
    seen.add(name);
    values[name] = value;
    if (errors.length >= 10) break;
  }
  return errors;
}

function wrongParameters(errors: ProblemField[]): Problem {
  const detail = errors.map(({ field, message, allowed }) => `${field}: ${message} (allowed: ${allowed})`).join('; ');
  return new Problem('bad_request', `Wrong query parameters. ${detail}`, { errors });
}
