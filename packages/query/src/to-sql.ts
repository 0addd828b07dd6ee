/**
 * The evaluator in Postgres. A filter becomes one boolean expression over a row of documents: `data jsonb` and the columns of the metafields. Everything
 * of the user is bound: values, patterns and paths alike, most of them within a jsonpath (`jsonpath.ts`). The expression is never NULL.
 *
 * What belongs to the own fields goes into as few jsonpaths as possible, since each of them reads the row's jsonb anew; `@?` can use a GIN index on `data`
 * (jsonb_path_ops) for equality on any path. Conditions on `declaredPaths` get a redundant partner that a btree index on `indexExpression(path)` serves. Conditions on metafields
 * become conditions on their columns where that means the same.
 */
import { type FieldFilter, type Filter, isMetafield, type Metafield } from './ast.js';
import { compareCodePoints } from './code-points.js';
import { isStoredDate } from './dates.js';
import { type DeclaredFields, type DeclaredIndexes, noIndexes, usableIndexes } from './declared-index.js';
import { arraysKey, canDeclare, indexExpression, keysOfRange, keysOfValues } from './index-expression.js';
import type { JsonValue } from './json.js';
import { JsonpathVariables, writeFilter } from './jsonpath.js';
import { keyTextLength } from './sort-key.js';
import { column, type SqlOptions, type SqlParameters } from './sql-parameters.js';
import { indexedWord, wordsExpression } from './text-index.js';
import { scoredTerms, type Term, type TextSearch, termPattern } from './text-search.js';

/** `declaredPaths`: dotted paths that have an index on `indexExpression(path)`; any that cannot have one are passed over. `indexes`: those of the collection. */
export type ToSqlOptions = SqlOptions & { declaredPaths?: readonly string[]; indexes?: DeclaredIndexes };

/** The filter as a boolean SQL expression in parentheses; its values are added to `parameters`. */
export function toSql(filter: Filter, parameters: SqlParameters, options: ToSqlOptions = {}): string {
  const usable = usableIndexes(options.indexes ?? noIndexes, filter);
  const writer = new SqlWriter(parameters, options, usable);
  writer.declareThoseIn(filter);
  const exact = writer.write(filter, true);
  // Postgres uses a partial index where its condition stands word for word.
  const conditions = usable.flatMap(({ where }) =>
    where === null ? [] : [conditionToSql(where, parameters, options)],
  );
  return conditions.length === 0 ? exact : `(${[...conditions, exact].join(' AND ')})`;
}

/** The condition of a partial index, as it must stand in the index and in the queries that use it. */
export function conditionToSql(where: Filter, parameters: SqlParameters, options: SqlOptions = {}): string {
  return new SqlWriter(parameters, options, []).write(where, false);
}

/** The score of a search (`scoreOf`) as an SQL expression of type bigint. */
export function scoreToSql(search: TextSearch, parameters: SqlParameters, options: SqlOptions = {}): string {
  const texts = `jsonb_path_query(${column('data', options)}, 'strict $.** ? (@.type() == "string")') AS item(value)`;
  const counts = scoredTerms(search).map(
    (term) => `regexp_count((item.value #>> '{}') COLLATE "C", ${parameters.add(termPattern(term))}::text)`,
  );
  if (counts.length === 0) return '0::bigint';
  return `(SELECT coalesce(sum(${counts.join(' + ')}), 0)::bigint FROM ${texts})`;
}

class SqlWriter {
  /** Path → the text lengths of its indexes. */
  private readonly declared = new Map<string, Set<number>>();
  private readonly usable: readonly DeclaredFields[];

  constructor(
    private readonly parameters: SqlParameters,
    private readonly options: ToSqlOptions,
    usable: readonly DeclaredFields[],
  ) {
    this.usable = usable;
    for (const path of options.declaredPaths?.filter(canDeclare) ?? []) this.declare(path, keyTextLength);
  }

  private declare(path: string, textLength: number): void {
    const lengths = this.declared.get(path);
    if (lengths === undefined) this.declared.set(path, new Set([textLength]));
    else lengths.add(textLength);
  }

  /** A field of a compound index is of use when all before it are looked at, too. */
  declareThoseIn(filter: Filter): void {
    const mentioned = new Set(pathsOf(filter));
    for (const { paths, textLength } of this.usable) {
      const end = paths.findIndex((path) => !mentioned.has(path));
      for (const path of end < 0 ? paths : paths.slice(0, end)) this.declare(path, textLength);
    }
  }

  /** `isPositive`: not under a negation, so that a necessary condition may be added. */
  write(filter: Filter, isPositive: boolean): string {
    if (isOwn(filter)) return this.own(filter, isPositive);
    switch (filter.kind) {
      case 'and':
        return this.join(filter.items, 'AND', 'and', isPositive);
      case 'or':
        return this.join(filter.items, 'OR', 'or', isPositive);
      case 'not':
        return `(NOT ${this.write(filter.item, false)})`;
      case 'field':
        return this.metafield(filter);
      case 'text':
        return this.text(filter.search, isPositive);
    }
  }

  /** Items on own fields are joined into one jsonpath. */
  private join(items: readonly Filter[], operator: 'AND' | 'OR', kind: 'and' | 'or', isPositive: boolean): string {
    const own = items.filter(isOwn);
    const others = items.filter((item) => !isOwn(item));
    const parts = others.map((item) => this.write(item, isPositive));
    if (own.length > 0) parts.push(this.own({ kind, items: own }, isPositive));
    return `(${parts.join(` ${operator} `)})`;
  }

  private own(filter: Filter, isPositive: boolean): string {
    if (filter.kind === 'and' && filter.items.length === 0) return '(true)';
    if (filter.kind === 'or' && filter.items.length === 0) return '(false)';
    const exact = this.jsonpath(filter, column('data', this.options));
    const necessary = isPositive ? this.necessary(filter) : null;
    return necessary === null ? `(${exact})` : `(${necessary} AND ${exact})`;
  }

  private jsonpath(filter: Filter, data: string): string {
    const variables = new JsonpathVariables();
    const path = this.parameters.add(`lax $ ? (${writeFilter(filter, '$', variables)})`);
    if (variables.isEmpty) return `${data} @? ${path}::jsonpath`;
    return `jsonb_path_exists(${data}, ${path}::jsonpath, ${this.parameters.add(JSON.stringify(variables.values))}::jsonb, true)`;
  }

  /** What holds for each document that the filter matches, in terms of declared indexes; null when there is nothing of the kind. */
  private necessary(filter: Filter): string | null {
    switch (filter.kind) {
      case 'and': {
        const { ranges, others } = this.splitRanges(filter.items);
        const parts = others.map((item) => this.necessary(item)).filter((part) => part !== null);
        parts.push(...[...ranges].map(([path, tests]) => this.between(path, tests)));
        return parts.length === 0 ? null : `(${parts.join(' AND ')})`;
      }
      case 'or': {
        if (!this.hasNecessary(filter)) return null;
        return `(${filter.items.map((item) => this.necessary(item) ?? 'true').join(' OR ')})`;
      }
      case 'field':
        return this.indexed(filter);
      case 'not':
      case 'text':
        return null;
    }
  }

  /** Whether `necessary` would give something; asked first, so that no parameter is bound in vain (Postgres refuses those). */
  private hasNecessary(filter: Filter): boolean {
    switch (filter.kind) {
      case 'and':
        return filter.items.some((item) => this.hasNecessary(item));
      case 'or':
        return filter.items.length > 0 && filter.items.every((item) => this.hasNecessary(item));
      case 'field':
        return this.isIndexed(filter);
      case 'not':
      case 'text':
        return false;
    }
  }

  private isIndexed({ path, test }: FieldFilter): boolean {
    if (!this.declared.has(path.join('.'))) return false;
    if (test.kind === 'in') return keysOfValues(test.values) !== null;
    return test.kind === 'compare' && keysOfRange(test.operator, test.value) !== null;
  }

  /** The comparisons that indexes know, by their path; and whatever else must hold. */
  private splitRanges(items: readonly Filter[]): { ranges: Map<string, Comparison[]>; others: Filter[] } {
    const ranges = new Map<string, Comparison[]>();
    const others: Filter[] = [];
    for (const item of items.flatMap(partsOf)) {
      if (item.kind !== 'field' || item.test.kind !== 'compare' || !this.isIndexed(item)) {
        others.push(item);
        continue;
      }
      const path = item.path.join('.');
      ranges.set(path, [...(ranges.get(path) ?? []), item.test]);
    }
    return { ranges, others };
  }

  private indexed(filter: FieldFilter): string | null {
    if (!this.isIndexed(filter)) return null;
    const { path, test } = filter;
    const dotted = path.join('.');
    if (test.kind === 'compare') return this.between(dotted, [test]);
    if (test.kind !== 'in') return null;
    return this.forLengths(dotted, (key, textLength) => {
      return `(${key} = ANY(${this.parameters.add(keysOfValues(test.values, textLength))}::text[]))`;
    });
  }

  /** All bounds of a path as one range: Postgres would take one of two ranges for the index, and read all that is within it. */
  private between(path: string, tests: readonly Comparison[]): string {
    return this.forLengths(path, (key, textLength) => {
      const ranges = tests
        .map(({ operator, value }) => keysOfRange(operator, value, textLength))
        .filter((range) => range !== null);
      const from = ranges.map((range) => range.from).reduce((a, b) => (compareCodePoints(a, b) >= 0 ? a : b));
      const to = ranges.map((range) => range.to).reduce((a, b) => (compareCodePoints(a, b) <= 0 ? a : b));
      const within = `${key} >= ${this.parameters.add(from)}::text AND ${key} <= ${this.parameters.add(to)}::text`;
      return `((${within}) OR ${key} = '${arraysKey}')`;
    });
  }

  /** The condition for each of the path's indexes. */
  private forLengths(path: string, write: (key: string, textLength: number) => string): string {
    const lengths = [...(this.declared.get(path) ?? [])];
    return lengths
      .map((textLength) => write(indexExpression(path, this.options, textLength), textLength))
      .join(' AND ');
  }

  private metafield(filter: FieldFilter): string {
    const [name = ''] = filter.path;
    if (!isMetafield(name)) throw new TypeError('This filter is not on a metafield.');
    const fast = filter.path.length === 1 ? this.column(name, filter) : null;
    if (fast !== null) return fast;
    return `(${this.jsonpath(filter, `jsonb_build_object('${name}', ${metafieldValue(name, this.options)})`)})`;
  }

  /** The condition on the column itself, when that means the same. */
  private column(name: Metafield, { test }: FieldFilter): string | null {
    const { expression, type, isOfType } = metafieldColumn(name, this.options);
    if (test.kind === 'in') {
      // Values of another type equal none; a metafield is never null.
      const values = test.values.filter((value) => isOfType(value) || mayBeOfType(name, value));
      if (!values.every(isOfType)) return null;
      return values.length === 0
        ? '(false)'
        : `(${expression} = ANY(${this.parameters.add(values.map(String))}::${type}[]))`;
    }
    if (test.kind !== 'compare' || !isOfType(test.value)) return null;
    if (test.isDate && type !== 'timestamptz') return null;
    return `(${expression} ${sqlComparison[test.operator]} ${this.parameters.add(String(test.value))}::${type})`;
  }

  private text(search: TextSearch, isPositive: boolean): string {
    const { allOf, anyOf, noneOf } = search;
    const some = (terms: readonly Term[]) => `(${terms.map((term) => this.term(term)).join(' OR ')})`;
    const parts = isPositive && this.options.indexes?.hasWords === true ? this.words(search) : [];
    parts.push(...allOf.map((term) => this.term(term)));
    if (anyOf.length > 0) parts.push(some(anyOf));
    if (noneOf.length > 0) parts.push(`NOT ${some(noneOf)}`);
    return `(${parts.join(' AND ')})`;
  }

  /** What the index of words can tell: which documents have all words of the terms, in whatever order. */
  private words({ allOf, anyOf }: TextSearch): string[] {
    const has = (terms: readonly Term[]) => {
      const words = [...new Set(terms.flat().map(indexedWord))];
      return `${wordsExpression(this.options)} @> ${this.parameters.add(words)}::text[]`;
    };
    const parts = allOf.length > 0 ? [has(allOf)] : [];
    if (anyOf.length > 0) parts.push(`(${anyOf.map((term) => has([term])).join(' OR ')})`);
    return parts;
  }

  private term(term: Term): string {
    const path = `lax $.** ? (@ like_regex ${JSON.stringify(termPattern(term))} flag "s")`;
    return `(${column('data', this.options)} @? ${this.parameters.add(path)}::jsonpath)`;
  }
}

type Comparison = Extract<FieldFilter['test'], { kind: 'compare' }>;

/** What must hold altogether. */
function partsOf(filter: Filter): readonly Filter[] {
  return filter.kind === 'and' ? filter.items.flatMap(partsOf) : [filter];
}

/** The own paths that the filter is about, `$elemMatch` not looked into. */
function pathsOf(filter: Filter): string[] {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.items.flatMap(pathsOf);
    case 'not':
      return pathsOf(filter.item);
    case 'field':
      return [filter.path.join('.')];
    case 'text':
      return [];
  }
}

const sqlComparison = { gt: '>', gte: '>=', lt: '<', lte: '<=' } as const;

/** Whether the filter is about own fields alone, and so can be one jsonpath. */
function isOwn(filter: Filter): boolean {
  switch (filter.kind) {
    case 'and':
    case 'or':
      return filter.items.every(isOwn);
    case 'not':
      return isOwn(filter.item);
    case 'field':
      return !isMetafield(filter.path[0]);
    case 'text':
      return false;
  }
}

type MetafieldColumn = { expression: string; type: string; isOfType(value: JsonValue): value is string | number };

/** The column of a metafield, and which values compare with it as with the field. Times do when they are texts in the stored form. */
export function metafieldColumn(name: Metafield, options: SqlOptions): MetafieldColumn {
  const isText = (value: JsonValue): value is string => typeof value === 'string';
  const isTime = (value: JsonValue): value is string => typeof value === 'string' && isStoredDate(value);
  const isNumber = (value: JsonValue): value is number => typeof value === 'number';
  switch (name) {
    case '_id':
      return { expression: column('id', options), type: 'text', isOfType: isText };
    case '_created':
      return { expression: column('created_at', options), type: 'timestamptz', isOfType: isTime };
    case '_changed':
      return { expression: column('changed_at', options), type: 'timestamptz', isOfType: isTime };
    case '_createdby':
      return { expression: `${column('created_by', options)} COLLATE "C"`, type: 'text', isOfType: isText };
    case '_changedby':
      return { expression: `${column('changed_by', options)} COLLATE "C"`, type: 'text', isOfType: isText };
    case '_version':
      return { expression: column('version', options), type: 'numeric', isOfType: isNumber };
  }
}

/** Texts that are no times may still equal nothing but are left to the exact condition. */
function mayBeOfType(name: Metafield, value: JsonValue): boolean {
  return (name === '_created' || name === '_changed') && typeof value === 'string';
}

/** The metafield as documents show it: a number for `_version`, else a text. */
export function metafieldValue(name: Metafield, options: SqlOptions): string {
  const { expression } = metafieldColumn(name, options);
  if (name !== '_created' && name !== '_changed') return expression;
  return `to_char(${expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;
}
