/** The values in a query: plain JSON, in which dates may stand as objects. */
import { dynamicDates, isDynamicDate, normalizeDate, startOf } from './dates.js';
import { isJsonObject, type JsonObject, type JsonValue, setMember } from './json.js';
import { isStorable, shorten } from './paths.js';
import { below } from './problems.js';
import { queryLimits } from './query-limits.js';

/** Told what is wrong, where, and what would be allowed. */
export type Complain = (field: string, message: string, allowed?: string[]) => void;

/** Reads values at a moment, and complains of what is none. */
export class OperandReader {
  constructor(
    private readonly now: Date,
    private readonly complain: Complain,
  ) {}

  /** A plain value, with dates in it as texts. Operators within it are mistakes, not data. */
  value(operand: JsonValue, at: string, depth = 0): JsonValue {
    if (typeof operand === 'string' && !isStorable(operand))
      this.complain(at, 'The text holds U+0000 or half of a surrogate pair.');
    if (typeof operand !== 'object' || operand === null) return Object.is(operand, -0) ? 0 : operand;
    if (depth > queryLimits.valueDepth) {
      this.complain(at, `A value is nested ${queryLimits.valueDepth} deep at most.`);
      return null;
    }
    if (Array.isArray(operand)) return operand.map((item, index) => this.value(item, below(at, index), depth + 1));
    if (isDateOperand(operand)) return this.date(operand, at);
    return this.object(operand, at, depth);
  }

  private object(operand: JsonObject, at: string, depth: number): JsonValue {
    const result: JsonObject = {};
    for (const [key, item] of Object.entries(operand)) {
      if (key.startsWith('$')) {
        this.complain(
          below(at, key),
          `The operator "${shorten(key)}" cannot stand within a value. Use a dotted path for a field of a field.`,
        );
      } else if (!isStorable(key)) this.complain(at, 'A field name holds U+0000 or half of a surrogate pair.');
      else setMember(result, key, this.value(item, below(at, key), depth + 1));
    }
    return result;
  }

  private date(operand: JsonObject, at: string): string | null {
    const [[name, value = null] = ['', null]] = Object.entries(operand);
    const dynamic = name === '$date' && typeof value === 'string' && isDynamicDate(value) ? value : name;
    if (isDynamicDate(dynamic)) {
      const start = startOf(dynamic, dynamic === name ? this.offset(value, below(at, name)) : 0, this.now);
      if (start === null) this.complain(below(at, name), `${dynamic} leads beyond the years 0000 to 9999.`);
      return start;
    }
    const text = normalizeDate(value);
    if (text === null) {
      this.complain(below(at, name), '$date wants a date of the years 0000 to 9999.', [
        '"2024-05-01T12:00:00.000Z"',
        '"2024-05-01"',
        'milliseconds since 1970',
        ...Object.keys(dynamicDates).map((key) => `"${key}"`),
      ]);
    }
    return text;
  }

  /** `true`, or how many days, months or years later. */
  offset(operand: JsonValue, at: string): number {
    if (operand === true) return 0;
    if (typeof operand === 'number' && Number.isSafeInteger(operand) && Math.abs(operand) < 1e6) return operand;
    this.complain(at, 'A dynamic date wants true, or a whole number of units to add.', ['true', '-1', '7']);
    return 0;
  }
}

/** An object with a key that begins with `$` holds operators, unless it is a date. */
export function hasOperators(operand: JsonValue): operand is JsonObject {
  if (!isJsonObject(operand)) return false;
  return (
    Object.keys(operand).some((key) => key.startsWith('$')) &&
    !('$date' in operand && Object.keys(operand).length === 1)
  );
}

/** `{"$date": …}`, `{"$currentDate": …}` and its like, alone in their object. */
export function isDateOperand(operand: JsonValue): operand is JsonObject {
  if (!isJsonObject(operand)) return false;
  const [key, ...others] = Object.keys(operand);
  return key !== undefined && others.length === 0 && (key === '$date' || isDynamicDate(key));
}
