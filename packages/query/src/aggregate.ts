/** Aggregation in memory; the meaning is in `aggregation.ts`. */
import {
  type AggregateItem,
  type AggregateOutcome,
  type AggregateRow,
  type Aggregation,
  arrange,
  type GroupKey,
} from './aggregation.js';
import { compareCodePoints } from './code-points.js';
import { formatDate, unitOf } from './date-parts.js';
import { ExactSum, readSum } from './exact-sum.js';
import type { JsonObject, JsonValue } from './json.js';
import { canonicalJson } from './json-equality.js';
import { valueAt } from './paths.js';
import { queryLimits } from './query-limits.js';
import { sortKeyAt } from './sort.js';
import { nullKey } from './sort-key.js';

/** Aggregates documents that have their metafields. */
export function aggregate(aggregation: Aggregation, documents: Iterable<JsonObject>): AggregateOutcome {
  const { groupKeys, items } = aggregation;
  const groups = new Map<string, Group>();
  const total = new Group([], items);
  for (const document of documents) {
    total.add(document);
    if (groupKeys.length === 0) continue;
    const key = groupKeys.map((groupKey) => keyValue(groupKey, document));
    const text = canonicalJson(key);
    const group = groups.get(text) ?? new Group(key, items);
    if (groups.size <= queryLimits.groups) groups.set(text, group);
    group.add(document);
  }
  if (groupKeys.length === 0) return arrange(aggregation, [total.values()], null);
  const rows = [...groups.values()].map((group) => group.row());
  return arrange(aggregation, rows, aggregation.hasGrandTotal ? total.row() : null);
}

function keyValue({ path, part }: GroupKey, document: JsonObject): JsonValue {
  const value = valueAt(document, path) ?? null;
  if (part === null) return value;
  return 'unit' in part ? unitOf(value, part.unit) : formatDate(value, part.format);
}

class Group {
  private readonly accumulators: Accumulator[];

  constructor(
    private readonly key: JsonValue[],
    items: readonly AggregateItem[],
  ) {
    this.accumulators = items.map(createAccumulator);
  }

  add(document: JsonObject): void {
    for (const accumulator of this.accumulators) accumulator.add(document);
  }

  values(): AggregateRow {
    return Object.fromEntries(this.accumulators.map(({ name, result }) => [name, result()]));
  }

  row(): AggregateRow {
    return { groupkey: this.key, ...this.values() };
  }
}

type Accumulator = { name: string; add(document: JsonObject): void; result(): JsonValue };

function createAccumulator(item: AggregateItem): Accumulator {
  switch (item.function) {
    case 'COUNT':
      return count(item.name);
    case 'SUM':
    case 'AVG':
      return sum(item.name, item.path, item.function === 'AVG');
    case 'MIN':
    case 'MAX':
      return extreme(item.name, item.path, item.function === 'MIN' ? 1 : -1);
  }
}

function count(name: string): Accumulator {
  let documents = 0;
  return {
    name,
    add: () => {
      documents += 1;
    },
    result: () => documents,
  };
}

function sum(name: string, path: readonly string[], isAverage: boolean): Accumulator {
  const total = new ExactSum();
  let numbers = 0;
  return {
    name,
    add(document) {
      const value = valueAt(document, path);
      if (typeof value !== 'number') return;
      total.add(value);
      numbers += 1;
    },
    result: () => finishSum(String(total), numbers, isAverage),
  };
}

/** The sum or average from an exact sum in decimal digits; both evaluators end here. */
export function finishSum(text: string, numbers: number, isAverage: boolean): number | null {
  const total = readSum(text);
  if (!isAverage || total === null) return total;
  return numbers === 0 ? null : total / numbers;
}

function extreme(name: string, path: readonly string[], direction: 1 | -1): Accumulator {
  let best: { key: string; id: string; document: JsonObject } | null = null;
  return {
    name,
    add(document) {
      const key = sortKeyAt(document, path, direction);
      if (key <= nullKey) return;
      const id = String(document._id);
      const order = best === null ? -1 : compareCodePoints(key, best.key) || compareCodePoints(id, best.id);
      if (best === null || order * direction < 0) best = { key, id, document };
    },
    result: () => best?.document ?? null,
  };
}
