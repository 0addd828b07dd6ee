/** Which fields at the root of documents a request looks at, wherever it does so: for whoever must not look at some. */
import type { Aggregation } from './aggregation.js';
import type { Filter } from './ast.js';
import type { Sort } from './sort.js';

/** Stands for all fields at once: what a search by words looks at. */
export const everyField = '$text';

/** The root fields that the filter looks at; with `everyField` when it searches by words. */
export function fieldsOfFilter(filter: Filter | null): Set<string> {
  const found = new Set<string>();
  const collect = (part: Filter): void => {
    switch (part.kind) {
      case 'and':
      case 'or':
        part.items.forEach(collect);
        return;
      case 'not':
        collect(part.item);
        return;
      case 'text':
        found.add(everyField);
        return;
      case 'field':
        found.add(part.path[0] ?? '');
    }
  };
  if (filter !== null) collect(filter);
  return found;
}

/** The root fields that the order is by; with `everyField` when it is by the score of a search. */
export function fieldsOfSort(sort: Sort | null): Set<string> {
  const names = sort?.terms.map((term) => (term.kind === 'score' ? everyField : (term.path[0] ?? '')));
  return new Set(names);
}

/** The root fields of groups and aggregates. */
export function fieldsOfAggregation(aggregation: Aggregation | null): Set<string> {
  if (aggregation === null) return new Set();
  const { groupKeys, items } = aggregation;
  const paths = [...groupKeys, ...items.filter((item) => item.function !== 'COUNT')].map(({ path }) => path[0] ?? '');
  return new Set(paths);
}
