/** What is wrong with a query, told to the one who wrote it; and how a parser answers. */

/** `field`: the place as a JSON Pointer (RFC 6901) into what was parsed, '' for the whole. `allowed`: what could stand there instead. */
export type QueryProblem = { field: string; message: string; allowed?: string[] };

/** The outcome of a parser: the parts of `T`, or everything that is wrong (at most `queryLimits.problems`). */
export type Parsed<T extends object> = ({ ok: true } & T) | { ok: false; errors: QueryProblem[] };

/** The place below `pointer`. */
export function below(pointer: string, key: string | number): string {
  return `${pointer}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** The outcome of a parser that found one thing wrong. */
export function refuse(field: string, message: string, allowed?: string[]): { ok: false; errors: QueryProblem[] } {
  return { ok: false, errors: [allowed === undefined ? { field, message } : { field, message, allowed }] };
}
