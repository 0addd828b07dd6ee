/**
 * A page of documents as one statement: filter, order, place. Where a declared index has the order, the statement is written so that Postgres can walk along it and stop at the end of
 * the page.
 *
 * The key in an index is the sort key of every document but those with an array on the path, which all have one key of their own (`index-expression.ts`). So the statement has branches
 * that share no document: those that have no array on any of the paths, in the order of the index; and, for each path, those that have one there (and none on the paths before), which are
 * looked up by that key and sorted. Each gives at most one page, and the page is taken from all of them.
 */
import { everything, type FieldFilter, type Filter } from './ast.js';
import type { CursorValues } from './cursor.js';
import { type DeclaredFields, type DeclaredIndexes, noIndexes, usableIndexes } from './declared-index.js';
import { arraysKey, cutKey, indexExpression } from './index-expression.js';
import { defaultSort, type Sort } from './sort.js';
import { keyOf, keyTextLength } from './sort-key.js';
import { behindToSql, keysetToSql, type SortKeySql, sortToSql, termToSql } from './sort-to-sql.js';
import type { SqlParameters } from './sql-parameters.js';
import { toSql } from './to-sql.js';

/** `source`: a condition of the caller's own on the table, as in `d.collection_id = $1`; `columns`: what is selected of `d`. `after`: only documents behind this place. */
export type PageToRead = {
  columns: string;
  source: string;
  filter: Filter | null;
  sort: Sort | null;
  after: CursorValues | null;
  limit: number;
  offset: number;
  indexes?: DeclaredIndexes;
};

const alias = 'd';

/** The statement; its values are added to `parameters`. */
export function pageToSql(page: PageToRead, parameters: SqlParameters): string {
  const { columns, source, filter, indexes = noIndexes, limit, offset, after } = page;
  const sort = page.sort ?? defaultSort;
  const where = filter === null ? source : `${source} AND ${toSql(filter, parameters, { alias, indexes })}`;
  const walk = findWalk(filter ?? everything, sort, indexes);
  const take = (from: number, count: number) =>
    ` LIMIT ${parameters.add(count)}::bigint OFFSET ${parameters.add(from)}::bigint`;
  if (walk !== null) {
    const branches = branchesOf(walk, { sort, after, where }, parameters).map(
      (branch) => `(${branch}${take(0, limit + offset)})`,
    );
    const order = sort.terms
      .map(({ direction }, index) => `${alias}.k${index} ${direction === 1 ? 'ASC' : 'DESC'}`)
      .join(', ');
    return `SELECT ${columns} FROM (${branches.join(' UNION ALL ')}) AS ${alias} ORDER BY ${order}${take(offset, limit)}`;
  }
  const behind = after === null ? '' : ` AND ${keysetToSql(sort, after, parameters, { alias })}`;
  const order = sortToSql(sort, parameters, { alias });
  return `SELECT ${columns} FROM documents ${alias} WHERE ${where}${behind} ORDER BY ${order}${take(offset, limit)}`;
}

/** How an index is walked: `fixed` are the keys of its first paths, `ordered` the paths of the sort's first terms. */
type Walk = { textLength: number; fixed: readonly { path: string; key: string }[]; ordered: readonly string[] };

/** The walk along the index that has most of the order, behind most values that the filter fixes. */
function findWalk(filter: Filter, sort: Sort, indexes: DeclaredIndexes): Walk | null {
  const values = fixedValues(filter);
  const walks = usableIndexes(indexes, filter).flatMap((index) => walkOf(index, values, sort) ?? []);
  const gain = ({ fixed, ordered }: Walk) => fixed.length * 10 + ordered.length;
  return walks.reduce<Walk | null>((best, walk) => (best === null || gain(walk) > gain(best) ? walk : best), null);
}

function walkOf(
  { paths, textLength }: DeclaredFields,
  values: ReadonlyMap<string, string>,
  { terms }: Sort,
): Walk | null {
  const [first] = terms;
  const start = first?.kind === 'field' ? paths.indexOf(first.path.join('.')) : -1;
  if (first === undefined || start < 0) return null;
  const fixed = paths.slice(0, start).flatMap((path) => {
    const key = values.get(path);
    return key === undefined ? [] : [{ path, key: cutKey(key, textLength) }];
  });
  if (fixed.length < start) return null;
  // Behind a key that is cut, the order is only known by the whole key.
  const most = textLength < keyTextLength ? 1 : paths.length;
  const isNext = (path: string, at: number) => {
    const term = terms[at];
    return at < most && term?.kind === 'field' && term.path.join('.') === path && term.direction === first.direction;
  };
  const following = paths.slice(start);
  const end = following.findIndex((path, at) => !isNext(path, at));
  return { textLength, fixed, ordered: end < 0 ? following : following.slice(0, end) };
}

/** Path → sort key, of fields that the filter wants to be one plain value. */
function fixedValues(filter: Filter): Map<string, string> {
  const conditions: readonly Filter[] = filter.kind === 'and' ? filter.items : [filter];
  const fields = conditions.filter((item): item is FieldFilter => item.kind === 'field');
  const values = new Map<string, string>();
  for (const { path, test } of fields) {
    const [value] = test.kind === 'in' && test.values.length === 1 ? test.values : [];
    if (value !== undefined && (typeof value !== 'object' || value === null)) values.set(path.join('.'), keyOf(value));
  }
  return values;
}

type Place = { sort: Sort; after: CursorValues | null; where: string };

function branchesOf(walk: Walk, place: Place, parameters: SqlParameters): string[] {
  const fixed = walk.fixed.map(({ path, key }) => {
    const expression = indexExpression(path, { alias }, walk.textLength);
    return { expression, plain: `${expression} = ${parameters.add(key)}::text` };
  });
  const ordered = walk.ordered.map((path) => {
    const expression = indexExpression(path, { alias }, walk.textLength);
    return { expression, plain: `${expression} <> '${arraysKey}'` };
  });
  const columns = [...fixed, ...ordered];
  const before = (count: number) => columns.slice(0, count).map(({ plain }) => plain);
  const withArrays = columns.map(({ expression }, at) => {
    const conditions = [place.where, ...before(at), `${expression} = '${arraysKey}'`];
    return branchToSql(
      conditions,
      place,
      place.sort.terms.map((term) => termToSql(term, parameters, { alias })),
      parameters,
    );
  });
  const alongIndex = place.sort.terms.map((term, at) => {
    const key = ordered[at]?.expression;
    return key === undefined || walk.textLength < keyTextLength
      ? termToSql(term, parameters, { alias })
      : { expression: key, type: 'text' };
  });
  const conditions = [
    place.where,
    ...before(columns.length),
    ...boundOf(walk, place, ordered[0]?.expression, parameters),
  ];
  return [branchToSql(conditions, place, alongIndex, parameters, leadOf(walk, ordered[0]?.expression)), ...withArrays];
}

/** The order of a cut key comes before that of the whole key, which is finer. */
function leadOf({ textLength }: Walk, expression: string | undefined): string[] {
  return textLength < keyTextLength && expression !== undefined ? [expression] : [];
}

/** Where the walk begins, when the condition on the place in the order is no condition on the index. */
function boundOf(
  { textLength }: Walk,
  { sort, after }: Place,
  expression: string | undefined,
  parameters: SqlParameters,
): string[] {
  const [first] = sort.terms;
  const value = after?.[0];
  if (value === undefined || first === undefined || expression === undefined) return [];
  return [`${expression} ${first.direction === 1 ? '>=' : '<='} ${parameters.add(cutKey(value, textLength))}::text`];
}

/** `lead`: what is sorted by before the keys, in the direction of the first. */
function branchToSql(
  conditions: readonly string[],
  { sort, after }: Place,
  keys: readonly SortKeySql[],
  parameters: SqlParameters,
  lead: readonly string[] = [],
): string {
  const directions = sort.terms.map(({ direction }) => (direction === 1 ? 'ASC' : 'DESC'));
  const order = [
    ...lead.map((expression) => `${expression} ${directions[0]}`),
    ...keys.map(({ expression }, at) => `${expression} ${directions[at]}`),
  ];
  const behind = after === null ? [] : [behindToSql(sort, keys, after, parameters)];
  const selected = keys.map(({ expression }, at) => `${expression} AS k${at}`).join(', ');
  return `SELECT ${alias}.*, ${selected} FROM documents ${alias} WHERE ${[...conditions, ...behind].join(' AND ')} ORDER BY ${order.join(', ')}`;
}
