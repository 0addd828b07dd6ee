/** The declared indexes that a query may rely on. Whether one is used is for Postgres to decide; conditions and orders are only written so that it can. */
import type { Filter } from './ast.js';
import { implies } from './implies.js';

/** A btree over `indexExpression` of each path in turn. `where`: it holds only documents that this is true for; null: it holds all. */
export type DeclaredFields = {
  readonly paths: readonly string[];
  readonly textLength: number;
  readonly where: Filter | null;
};

/** Of one collection. `hasWords`: there is an index over `wordsExpression`. */
export type DeclaredIndexes = { readonly fields: readonly DeclaredFields[]; readonly hasWords: boolean };

/** Of a collection that has none. */
export const noIndexes: DeclaredIndexes = { fields: [], hasWords: false };

/** Those that hold every document that the filter is true for. */
export function usableIndexes({ fields }: DeclaredIndexes, filter: Filter): DeclaredFields[] {
  return fields.filter(({ where }) => where === null || implies(filter, where));
}
