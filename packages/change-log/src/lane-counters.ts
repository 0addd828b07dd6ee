/** The numbers of auto-increment fields within a batch: pure, as the plan that they are given for. */
import { invalid, pointerTo } from '@tidewire/protocol/problem';
import type { DocumentShape, ShapeCounter } from './document-shape.js';

/** The last number that a field of a collection was given. */
export type CounterValue = { collectionId: number; field: string; value: number };

/** Last numbers by `counterKey`. */
export type Counters = Map<string, CounterValue>;

/** One key for a field of any collection. */
export function counterKey(collectionId: number, field: string): string {
  return `${collectionId}/${field}`;
}

const none: ReadonlyMap<string, number> = new Map();

/**
 * The numbers of one new document. Looks for the last ones in the `layers`, the nearest first, and notes what it gives in the first of them. A counter that nobody
 * has used yet begins at its start. Throws `validation_failed` when a counter is at its end.
 */
export function nextNumbers(
  collectionId: number,
  { counters }: DocumentShape,
  layers: readonly [Counters, ...ReadonlyMap<string, CounterValue>[]],
): ReadonlyMap<string, number> {
  if (counters.length === 0) return none;
  const numbers = new Map<string, number>();
  for (const counter of counters) {
    const key = counterKey(collectionId, counter.field);
    const last = layers.find((layer) => layer.has(key))?.get(key)?.value;
    const value = following(counter, last);
    layers[0].set(key, { collectionId, field: counter.field, value });
    numbers.set(counter.field, value);
  }
  return numbers;
}

function following({ field, start, step }: ShapeCounter, last: number | undefined): number {
  const value = last === undefined ? start : Math.max(last + step, start);
  if (Number.isSafeInteger(value)) return value;
  throw invalid(
    pointerTo(field),
    'the counter of this field has no number left',
    `numbers up to ${Number.MAX_SAFE_INTEGER}`,
  );
}
