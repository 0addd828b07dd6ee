/** From what a user sent as `q`, or wrote into a rule, to the tree of `ast.ts`; or everything that is wrong with it, each with its place. */
import { type CompareOperator, everything, type Filter, type JsonType, jsonTypes, type ValueTest } from './ast.js';
import { type DynamicDate, dynamicDates, isDynamicDate, startOf } from './dates.js';
import { isJsonObject, type JsonObject, type JsonValue } from './json.js';
import { isStorable, parsePath, shorten } from './paths.js';
import { parsePattern } from './pattern.js';
import { below, type Parsed, type QueryProblem } from './problems.js';
import { queryLimits } from './query-limits.js';
import { hasOperators, isDateOperand, OperandReader } from './query-operand.js';
import { checkSize } from './query-size.js';
import { parseSearch } from './text-search.js';

/** `now`: the moment for dynamic dates; the present one if absent. */
export type ParseFilterOptions = { now?: Date };

const logicalOperators = ['$and', '$or', '$nor', '$not'] as const;
/** The operators of a field, without `$options` (a part of `$regex`) and the dynamic dates (operands). */
export const comparisons = [
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$bt',
  '$in',
  '$nin',
  '$not',
  '$exists',
  '$type',
  '$regex',
  '$elemMatch',
  '$size',
  '$all',
] as const;
const fieldOperators: readonly string[] = [...comparisons, '$options', ...(Object.keys(dynamicDates) as DynamicDate[])];
const nothing: Filter = { kind: 'or', items: [] };
/**
 * Parses a filter, the value of `q` after `JSON.parse`. Nothing (`undefined`) and `{}` are `everything`. The answer can be kept and shared: dynamic dates
 * are fixed in it.
 */
export function parseFilter(value: unknown, { now = new Date() }: ParseFilterOptions = {}): Parsed<{ filter: Filter }> {
  if (value === undefined) return { ok: true, filter: everything };
  const problem = checkSize(value);
  if (problem !== null) return { ok: false, errors: [problem] };
  return new FilterParser(now).parse(value as JsonValue);
}

/** Parses the words of `filter=`: documents that have all of them. An empty text is `everything`. */
export function parseTextFilter(text: string): Parsed<{ filter: Filter }> {
  if (text.trim() === '') return { ok: true, filter: everything };
  const parsed = parseSearch(text, 'all');
  if (!parsed.ok) return { ok: false, errors: [{ field: '', message: parsed.message }] };
  return { ok: true, filter: { kind: 'text', search: parsed.search } };
}

/** `isElement`: within `$elemMatch`, where there is no text search. */
type Place = { at: string; depth: number; isElement: boolean };

class FilterParser {
  private readonly errors: QueryProblem[] = [];
  private nodes = 0;

  private readonly operands: OperandReader;

  constructor(private readonly now: Date) {
    this.operands = new OperandReader(now, (field, message, allowed) => this.fail(field, message, allowed));
  }

  parse(value: JsonValue): Parsed<{ filter: Filter }> {
    const filter = this.conditions(value, { at: '', depth: 0, isElement: false });
    if (this.nodes > queryLimits.nodes) {
      this.errors.unshift({
        field: '',
        message: `The query has more than ${queryLimits.nodes} conditions and operators.`,
      });
    }
    return this.errors.length === 0
      ? { ok: true, filter }
      : { ok: false, errors: this.errors.slice(0, queryLimits.problems) };
  }

  private conditions(value: JsonValue | undefined, place: Place): Filter {
    if (!isJsonObject(value)) return this.fail(place.at, 'An object with conditions is wanted here.');
    if (place.depth > queryLimits.depth) {
      return this.fail(place.at, `Logical operators stand within each other ${queryLimits.depth} deep at most.`);
    }
    return all(Object.entries(value).map(([key, operand]) => this.condition(key, operand, place)));
  }

  private condition(key: string, operand: JsonValue, place: Place): Filter {
    this.nodes += 1;
    if (this.nodes > queryLimits.nodes) return nothing;
    const at = below(place.at, key);
    if (key === '$text') return this.text(operand, { ...place, at });
    if (key.startsWith('$')) return this.logical(key, operand, { ...place, at, depth: place.depth + 1 });
    const parsed = parsePath(key);
    return parsed.ok ? this.field(parsed.path, operand, { ...place, at }) : this.fail(at, parsed.message);
  }

  private logical(operator: string, operand: JsonValue, place: Place): Filter {
    switch (operator) {
      case '$and':
        return all(this.parts(operand, place));
      case '$or':
        return any(this.parts(operand, place));
      case '$nor':
        return not(any(this.parts(operand, place)));
      case '$not':
        return not(this.conditions(operand, place));
      default: {
        const isForFields = fieldOperators.includes(operator);
        const message = isForFields
          ? `${operator} belongs to a field, as in {"field": {"${operator}": …}}.`
          : `There is no operator "${shorten(operator)}" here.`;
        return this.fail(place.at, message, [...logicalOperators, ...(place.isElement ? [] : ['$text']), 'a field']);
      }
    }
  }

  private parts(operand: JsonValue, place: Place): Filter[] {
    if (!Array.isArray(operand) || operand.length === 0) {
      return [this.fail(place.at, 'An array with at least one query is wanted here.')];
    }
    return operand.slice(0, queryLimits.nodes + 1).map((item, index) => {
      this.nodes += 1;
      return this.conditions(item, { ...place, at: below(place.at, index) });
    });
  }

  private text(operand: JsonValue, { at, isElement }: Place): Filter {
    if (isElement) return this.fail(at, '$text looks through whole documents and cannot stand within $elemMatch.');
    if (!isJsonObject(operand)) return this.fail(at, '$text wants an object.', ['{"$search": "words"}']);
    const other = Object.keys(operand).find((key) => key !== '$search');
    if (other !== undefined)
      return this.fail(below(at, other), `$text has no option "${shorten(other)}".`, ['$search']);
    if (typeof operand.$search !== 'string') return this.fail(below(at, '$search'), '$search wants a string.');
    const parsed = parseSearch(operand.$search, 'any');
    return parsed.ok ? { kind: 'text', search: parsed.search } : this.fail(below(at, '$search'), parsed.message);
  }

  private field(path: readonly string[], operand: JsonValue, place: Place): Filter {
    if (!hasOperators(operand)) return this.equal(path, operand, place.at);
    return this.operators(path, operand, place);
  }

  private operators(path: readonly string[], operand: JsonObject, place: Place): Filter {
    const entries = Object.entries(operand);
    this.nodes += entries.length - 1;
    if (this.nodes > queryLimits.nodes) return nothing;
    if ('$options' in operand && !('$regex' in operand))
      this.fail(below(place.at, '$options'), '$options belongs to a $regex.');
    const items = entries.filter(([key]) => key !== '$options' || !('$regex' in operand));
    return all(
      items.map(([key, value]) => this.operator(path, key, value, { ...place, at: below(place.at, key) }, operand)),
    );
  }

  private operator(path: readonly string[], key: string, value: JsonValue, place: Place, siblings: JsonObject): Filter {
    const { at } = place;
    switch (key) {
      case '$eq':
        return this.equal(path, value, at);
      case '$ne':
        return not(this.equal(path, value, at));
      case '$gt':
      case '$gte':
      case '$lt':
      case '$lte':
        return this.compare(path, key.slice(1) as CompareOperator, value, at);
      case '$bt':
        return this.between(path, value, at);
      case '$in':
        return this.oneOf(path, value, at);
      case '$nin':
        return not(this.oneOf(path, value, at));
      case '$not':
        return this.negation(path, value, place);
      case '$exists':
        return this.exists(path, value, at);
      case '$type':
        return this.type(path, value, at);
      case '$regex':
        return this.regex(path, value, at, siblings);
      case '$options':
        return nothing;
      case '$elemMatch':
        return this.element(path, value, place);
      case '$size':
        return this.size(path, value, at);
      case '$all':
        return this.every(path, value, place);
      default:
        return isDynamicDate(key) ? this.period(path, key, value, at) : this.unknownOperator(key, at);
    }
  }

  private unknownOperator(key: string, at: string): Filter {
    const message = key.startsWith('$')
      ? `There is no operator "${shorten(key)}" for a field.`
      : `"${shorten(key)}" is a field beside operators. Write a dotted path for a field of a field, or put the operators under $not.`;
    return this.fail(at, message, [...fieldOperators]);
  }

  private equal(path: readonly string[], operand: JsonValue, at: string): Filter {
    return this.test(path, { kind: 'in', values: [this.operands.value(operand, at)] });
  }

  private compare(path: readonly string[], operator: CompareOperator, operand: JsonValue, at: string): Filter {
    const isDate = isDateOperand(operand);
    const value = this.operands.value(operand, at);
    if (value === null) {
      return operator === 'gte' || operator === 'lte' ? this.test(path, { kind: 'in', values: [null] }) : nothing;
    }
    if (typeof value === 'object') {
      return this.fail(at, `$${operator} compares with one value.`, [
        'a number',
        'a string',
        'true or false',
        'null',
        '{"$date": "…"}',
      ]);
    }
    return this.test(path, { kind: 'compare', operator, value, isDate });
  }

  private between(path: readonly string[], operand: JsonValue, at: string): Filter {
    if (!Array.isArray(operand) || operand.length !== 2) {
      return this.fail(at, '$bt wants an array of two values, the lowest and the highest.', ['[1, 10]']);
    }
    const [from = null, to = null] = operand;
    return all([this.compare(path, 'gte', from, below(at, 0)), this.compare(path, 'lte', to, below(at, 1))]);
  }

  /** A dynamic date as an operator: within that day, month or year. */
  private period(path: readonly string[], name: DynamicDate, operand: JsonValue, at: string): Filter {
    const offset = this.operands.offset(operand, at);
    const [from, to] = [startOf(name, offset, this.now), startOf(name, offset + 1, this.now)];
    if (from === null || to === null) return this.fail(at, `${name} leads beyond the years 0000 to 9999.`);
    return all([
      this.test(path, { kind: 'compare', operator: 'gte', value: from, isDate: true }),
      this.test(path, { kind: 'compare', operator: 'lt', value: to, isDate: true }),
    ]);
  }

  private oneOf(path: readonly string[], operand: JsonValue, at: string): Filter {
    if (!this.isList(operand, at)) return nothing;
    if (operand.length === 0) return nothing;
    return this.test(path, {
      kind: 'in',
      values: operand.map((item, index) => this.operands.value(item, below(at, index))),
    });
  }

  private every(path: readonly string[], operand: JsonValue, place: Place): Filter {
    if (!this.isList(operand, place.at)) return nothing;
    this.nodes += operand.length;
    if (operand.length === 0 || this.nodes > queryLimits.nodes) return nothing;
    const items = operand.map((item, index) => {
      const at = below(place.at, index);
      const isElement = isJsonObject(item) && '$elemMatch' in item;
      return isElement ? this.operators(path, item, { ...place, at }) : this.equal(path, item, at);
    });
    return all(items);
  }

  private isList(operand: JsonValue, at: string): operand is JsonValue[] {
    if (!Array.isArray(operand)) this.fail(at, 'An array of values is wanted here.');
    else if (operand.length > queryLimits.listValues)
      this.fail(at, `A list has at most ${queryLimits.listValues} values.`);
    else return true;
    return false;
  }

  private negation(path: readonly string[], operand: JsonValue, place: Place): Filter {
    const depth = place.depth + 1;
    if (depth > queryLimits.depth) {
      return this.fail(place.at, `Logical operators stand within each other ${queryLimits.depth} deep at most.`);
    }
    if (!hasOperators(operand) || isDateOperand(operand)) {
      return this.fail(place.at, '$not wants an object with operators; for a plain value use $ne.', ['{"$gt": 1}']);
    }
    return not(this.operators(path, operand, { ...place, depth }));
  }

  private exists(path: readonly string[], operand: JsonValue, at: string): Filter {
    if (operand === true || operand === 1) return this.test(path, { kind: 'exists' });
    if (operand === false || operand === 0) return not(this.test(path, { kind: 'exists' }));
    return this.fail(at, '$exists wants true or false.', ['true', 'false']);
  }

  private type(path: readonly string[], operand: JsonValue, at: string): Filter {
    const names = Array.isArray(operand) ? operand.slice(0, jsonTypes.length + 1) : [operand];
    const isType = (name: JsonValue): name is JsonType => (jsonTypes as readonly JsonValue[]).includes(name);
    if (names.length === 0 || !names.every(isType)) {
      return this.fail(at, '$type wants the name of a JSON type, or an array of some.', [...jsonTypes]);
    }
    return this.test(path, { kind: 'type', types: [...new Set(names)] });
  }

  private regex(path: readonly string[], operand: JsonValue, at: string, { $options = '' }: JsonObject): Filter {
    if (typeof operand !== 'string') return this.fail(at, '$regex wants a pattern as a string.');
    if (!isStorable(operand)) return this.fail(at, 'The pattern holds U+0000 or half of a surrogate pair.');
    if ($options !== '' && $options !== 'i') {
      return this.fail(at.replace(/\$regex$/, '$options'), 'The only option of $regex is "i".', ['i']);
    }
    const parsed = parsePattern(operand, $options === 'i');
    return parsed.ok ? this.test(path, { kind: 'regex', pattern: parsed.pattern }) : this.fail(at, parsed.message);
  }

  private size(path: readonly string[], operand: JsonValue, at: string): Filter {
    if (typeof operand !== 'number' || !Number.isSafeInteger(operand) || operand < 0) {
      return this.fail(at, '$size wants a whole number from 0 on.');
    }
    return this.test(path, { kind: 'size', size: operand });
  }

  private element(path: readonly string[], operand: JsonValue, place: Place): Filter {
    if (!isJsonObject(operand))
      return this.fail(place.at, '$elemMatch wants an object.', ['{"field": value}', '{"$gt": 1}']);
    const within = { ...place, depth: place.depth + 1, isElement: true };
    const keys = Object.keys(operand);
    const isObject = !hasOperators(operand) || keys.every((key) => ['$and', '$or', '$nor'].includes(key));
    if (within.depth > queryLimits.depth) {
      return this.fail(
        place.at,
        `$elemMatch and logical operators stand within each other ${queryLimits.depth} deep at most.`,
      );
    }
    const filter = isObject ? this.conditions(operand, within) : this.operators([], operand, within);
    return this.test(path, { kind: 'element', filter, isObject });
  }

  private test(path: readonly string[], test: ValueTest): Filter {
    return { kind: 'field', path, test };
  }

  private fail(field: string, message: string, allowed?: string[]): Filter {
    if (this.errors.length < queryLimits.problems)
      this.errors.push(allowed === undefined ? { field, message } : { field, message, allowed });
    return nothing;
  }
}

function all(items: Filter[]): Filter {
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'and', items };
}

function any(items: Filter[]): Filter {
  const [only] = items;
  return items.length === 1 && only !== undefined ? only : { kind: 'or', items };
}

const not = (item: Filter): Filter => (item.kind === 'not' ? item.item : { kind: 'not', item });
