/** The bounds of a query as a whole, looked at before anything walks through it. */
import { isJsonObject } from './json.js';
import type { QueryProblem } from './problems.js';
import { queryLimits } from './query-limits.js';

/** Containers within each other in the whole filter, so that nothing here runs out of stack. */
const RAW_DEPTH = 2 * (queryLimits.valueDepth + queryLimits.depth);

/** Bounds that hold for the value as a whole. Looks at it without recursion. */
export function checkSize(value: unknown): QueryProblem | null {
  const tell = (message: string): QueryProblem => ({ field: '', message });
  if (!isJsonObject(value)) {
    return { field: '', message: 'A query is a JSON object.', allowed: ['{"field": value}', '{"field": {"$gt": 1}}'] };
  }
  const rest: { item: unknown; depth: number }[] = [{ item: value, depth: 1 }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    if (typeof next.item === 'number' && !Number.isFinite(next.item))
      return tell('A number is beyond what a double can hold.');
    if (typeof next.item !== 'object' || next.item === null) continue;
    if (next.depth > RAW_DEPTH) return tell(`The query is nested more than ${RAW_DEPTH} deep.`);
    for (const item of Object.values(next.item)) rest.push({ item, depth: next.depth + 1 });
    if (rest.length > queryLimits.filterBytes)
      return tell(`The query is longer than ${queryLimits.filterBytes} bytes.`);
  }
  if (new TextEncoder().encode(JSON.stringify(value)).length <= queryLimits.filterBytes) return null;
  return tell(`The query is longer than ${queryLimits.filterBytes} bytes.`);
}
