/**
 * The evaluator in Postgres. A filter becomes one boolean expression over a row of documents: `data jsonb` and the columns of the metafields. Everything
 * of the user is bound: values, patterns and paths alike, most of them within a jsonpath (`jsonpath.ts`). The expression is never NULL.
 *
 * What belongs to the own fields goes into as few jsonpaths as possible, since each of them reads the row's jsonb anew; `@?` can use a GIN index on `data`
 * (jsonb_path_ops) for equality on any path. Conditions on `declaredPaths` get a redundant partner that a btree index on `indexExpression(path)` serves. Conditions on metafields
 * become conditions on their columns where that means the same.
 */
import { type FieldFilter, type Filter, isMetafield, type Metafield } from './ast.js';
import { isStoredDate } from './dates.js';
import { arraysKey, canDeclare, indexExpression, keysOfRange, keysOfValues } from './index-expression.js';
import type { JsonValue } from './json.js';
import { JsonpathVariables, writeFilter } from './jsonpath.js';
import { column, type SqlOptions, type SqlParameters } from './sql-parameters.js';
import { scoredTerms, type Term, type TextSearch, termPattern } from './text-search.js';

/** `declaredPaths`: dotted paths that have an index on `indexExpression(path)`; any that cannot have one are passed over. */
export type ToSqlOptions = SqlOptions & { declaredPaths?: readonly string[] };

/** The filter as a boolean SQL expression in parentheses; its values are added to `parameters`. */
export function toSql(filter: Filter, parameters: SqlParameters, options: ToSqlOptions = {}): string {
  return new SqlWriter(parameters, options).write(filter, true);
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
  private readonly declared: Set<string>;

  constructor(
    private readonly parameters: SqlParameters,
    private readonly options: ToSqlOptions,
  ) {
    this.declared = new Set(options.declaredPaths?.filter(canDeclare));
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
        return this.text(filter.search);
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
        const parts = filter.items.map((item) => this.necessary(item)).filter((part) => part !== null);
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

  private indexed(filter: FieldFilter): string | null {
    if (!this.isIndexed(filter)) return null;
    const { path, test } = filter;
    const key = indexExpression(path.join('.'), this.options);
    if (test.kind === 'in') return `(${key} = ANY(${this.parameters.add(keysOfValues(test.values))}::text[]))`;
    const range = test.kind === 'compare' ? keysOfRange(test.operator, test.value) : null;
    if (range === null) return null;
    const from = this.parameters.add(range.from);
    const to = this.parameters.add(range.to);
    return `((${key} >= ${from}::text AND ${key} <= ${to}::text) OR ${key} = '${arraysKey}')`;
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

  private text({ allOf, anyOf, noneOf }: TextSearch): string {
    const some = (terms: readonly Term[]) => `(${terms.map((term) => this.term(term)).join(' OR ')})`;
    const parts = allOf.map((term) => this.term(term));
    if (anyOf.length > 0) parts.push(some(anyOf));
    if (noneOf.length > 0) parts.push(`NOT ${some(noneOf)}`);
    return `(${parts.join(' AND ')})`;
  }

  private term(term: Term): string {
    const path = `lax $.** ? (@ like_regex ${JSON.stringify(termPattern(term))} flag "s")`;
    return `(${column('data', this.options)} @? ${this.parameters.add(path)}::jsonpath)`;
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
