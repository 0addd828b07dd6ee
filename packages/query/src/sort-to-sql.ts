/**
 * The order of `sort.ts` in Postgres. A field's key is read off its value when no array stands on the path, else it is the least or greatest of the keys in it. Metafields sort by their
 * columns, so an index on (created_at, id) serves `_created`.
 */
import { isMetafield } from './ast.js';
import type { CursorValues } from './cursor.js';
import { reachesOf, writeHasArray, writeIsMissing, writeReach } from './jsonpath.js';
import type { Direction, Sort, SortTerm } from './sort.js';
import { emptyArrayKey, nullKey, writeKey } from './sort-key.js';
import { column, type SqlOptions, type SqlParameters } from './sql-parameters.js';
import { metafieldColumn, metafieldValue, scoreToSql } from './to-sql.js';

/** What stands behind ORDER BY. */
export function sortToSql(sort: Sort, parameters: SqlParameters, options: SqlOptions = {}): string {
  return sort.terms
    .map((term) => `${termToSql(term, parameters, options).expression} ${term.direction === 1 ? 'ASC' : 'DESC'}`)
    .join(', ');
}

/** The condition for documents strictly after the cursor. `values` are those of `cursorOf` or `decodeCursor` for the same sort. */
export function keysetToSql(
  sort: Sort,
  values: CursorValues,
  parameters: SqlParameters,
  options: SqlOptions = {},
): string {
  const keys = sort.terms.map((term) => termToSql(term, parameters, options));
  return behindToSql(sort, keys, values, parameters);
}

/** What a term of a sort is compared by. */
export type SortKeySql = { expression: string; type: string };

/** `keysetToSql` with expressions of the caller's own, one for each term. */
export function behindToSql(
  sort: Sort,
  keys: readonly SortKeySql[],
  values: CursorValues,
  parameters: SqlParameters,
): string {
  if (values.length !== sort.terms.length) throw new RangeError('The cursor belongs to another order.');
  const parts = keys.map(({ expression, type }, index) => {
    const place = `${parameters.add(values[index])}::${type}`;
    return { expression, place, direction: sort.terms[index]?.direction ?? 1 };
  });
  const [first] = parts;
  if (first !== undefined && parts.every(({ direction }) => direction === first.direction)) {
    const left = parts.map(({ expression }) => expression).join(', ');
    const right = parts.map(({ place }) => place).join(', ');
    return `((${left}) ${after(first.direction)} (${right}))`;
  }
  const cases = parts.map(({ expression, place, direction }, index) => {
    const equal = parts.slice(0, index).map((part) => `${part.expression} = ${part.place}`);
    return `(${[...equal, `${expression} ${after(direction)} ${place}`].join(' AND ')})`;
  });
  return `(${cases.join(' OR ')})`;
}

const after = (direction: Direction) => (direction === 1 ? '>' : '<');

/** The expression that a term sorts by, and its type. */
export function termToSql(term: SortTerm, parameters: SqlParameters, options: SqlOptions): SortKeySql {
  if (term.kind === 'score') return { expression: scoreToSql(term.search, parameters, options), type: 'bigint' };
  const [name] = term.path;
  if (term.path.length === 1 && isMetafield(name)) return metafieldColumn(name, options);
  return { expression: `(${sortKeyToSql(term.path, term.direction, parameters, options)}) COLLATE "C"`, type: 'text' };
}

/** The key that `sortKeyAt` gives, as an SQL expression of type text. */
export function sortKeyToSql(
  path: readonly string[],
  direction: Direction,
  parameters: SqlParameters,
  options: SqlOptions,
): string {
  // A metafield is a scalar: what would lie below it is missing in every document.
  if (isMetafield(path[0])) {
    return path.length > 1 ? `'${nullKey}'::text` : writeKey(`to_jsonb(${metafieldValue(path[0], options)})`);
  }
  const data = column('data', options);
  const direct = writeKey(`(${data} #> ${parameters.add([...path])}::text[])`);
  const hasArray = parameters.add(`lax $ ? (${writeHasArray(path)})`);
  const isMissing = parameters.add(`lax $ ? (${writeIsMissing(path)})`);
  const values = reachesOf(path, '$')
    .map(
      (reach) =>
        `SELECT value FROM jsonb_path_query(${data}, ${parameters.add(`lax ${writeReach(reach)}`)}::jsonpath, '{}', true) AS value`,
    )
    .join(' UNION ALL ');
  const divided = `jsonb_array_elements(CASE jsonb_typeof(reached.value) WHEN 'array' THEN reached.value ELSE jsonb_build_array(reached.value) END)`;
  const keys = [
    `SELECT ${writeKey('item.value')} AS key FROM (${values}) AS reached, ${divided} AS item(value)`,
    `SELECT '${emptyArrayKey}' FROM (${values}) AS reached WHERE reached.value = '[]'::jsonb`,
    `SELECT '${nullKey}' WHERE ${data} @? ${isMissing}::jsonpath`,
  ].join(' UNION ALL ');
  const best = `SELECT coalesce(${direction === 1 ? 'min' : 'max'}(key COLLATE "C"), '${nullKey}') FROM (${keys}) AS keys`;
  return `CASE WHEN ${data} @? ${hasArray}::jsonpath THEN (${best}) ELSE ${direct} END`;
}
