import { describe, expect, it } from 'vitest';
import { aggregate } from './aggregate.js';
import { parseAggregation } from './aggregation.js';
import type { JsonObject } from './json.js';
import { queryLimits } from './query-limits.js';
import { times } from './random.fixture.js';

const sales: JsonObject[] = [
  { _id: '1', region: 'north', amount: 10, at: '2024-01-31T23:30:05.250Z' },
  { _id: '2', region: 'south', amount: 0.1, at: '2024-02-01' },
  { _id: '3', region: 'north', amount: 0.2, at: '2025-02-01T12:00:00Z' },
  { _id: '4', amount: 'many', at: 'yesterday' },
];

function resultOf(parts: Parameters<typeof parseAggregation>[0], documents: readonly JsonObject[] = sales): unknown {
  const parsed = parseAggregation(parts);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  const outcome = aggregate(parsed.aggregation, documents);
  return outcome.ok ? outcome.result : outcome.errors;
}

describe('an aggregation', () => {
  it('without groups is one object, its properties named function, space, field', () => {
    expect(resultOf({ aggregate: ['SUM:amount', 'AVG:amount', 'COUNT:', 'COUNT:all', 'MIN:amount'] })).toEqual({
      'SUM amount': 10.3,
      'AVG amount': 10.3 / 3,
      'COUNT ': 4,
      'COUNT all': 4,
      'MIN amount': sales[1],
    });
    expect(resultOf({ aggregate: 'COUNT:n' }, [])).toEqual({ 'COUNT n': 0 });
    expect(resultOf({ aggregate: ['SUM:x', 'AVG:x', 'MAX:x'] })).toEqual({ 'SUM x': 0, 'AVG x': null, 'MAX x': null });
  });

  it('in groups is an array of rows in the order of their keys', () => {
    expect(resultOf({ groupby: ['region'], aggregate: ['SUM:amount'] })).toEqual([
      { groupkey: [null], 'SUM amount': 0 },
      { groupkey: ['north'], 'SUM amount': 10.2 },
      { groupkey: ['south'], 'SUM amount': 0.1 },
    ]);
  });

  it('ends with the grand total when it is asked for', () => {
    const rows = resultOf({ groupby: 'region', aggregate: ['COUNT:n'], grandTotal: true });
    expect(rows).toMatchObject([{}, {}, {}, { groupkey: [], 'COUNT n': 4 }]);
  });

  it('groups by parts of dates as they are written', () => {
    const keys = (groupby: string[]) =>
      (resultOf({ groupby }) as { groupkey: unknown[] }[]).map(({ groupkey }) => groupkey);
    expect(keys(['$YEAR:at', '$MONTH:at'])).toEqual([
      [null, null],
      [2024, 1],
      [2024, 2],
      [2025, 2],
    ]);
    expect(keys(['$DAY:at', '$HOUR:at', '$MIN:at', '$SEC:at'])).toEqual([
      [null, null, null, null],
      [1, 0, 0, 0],
      [1, 12, 0, 0],
      [31, 23, 30, 5],
    ]);
    expect(keys(['$DATE.YYYY-MM:at'])).toEqual([[null], ['2024-01'], ['2024-02'], ['2025-02']]);
    expect(keys(['$DATE.[Q]Q YY, D/M h:mm:ss.SSS A MMM MMMM:at'])).toEqual([
      [null],
      ['Q1 24, 1/2 12:00:00.000 AM Feb February'],
      ['Q1 24, 31/1 11:30:05.250 PM Jan January'],
      ['Q1 25, 1/2 12:00:00.000 PM Feb February'],
    ]);
  });

  it('groups equal objects whatever the order of their keys', () => {
    expect(
      resultOf({ groupby: ['o'], aggregate: ['COUNT:n'] }, [{ o: { a: 1, b: 2 } }, { o: { b: 2, a: 1 } }]),
    ).toMatchObject([{ 'COUNT n': 2 }]);
  });

  it.each<[Parameters<typeof parseAggregation>[0], string]>([
    [{ groupby: 5 }, '/groupby'],
    [{ groupby: [5] }, '/groupby'],
    [{ groupby: ['$WEEK:at'] }, '/groupby/0'],
    [{ groupby: ['$YEAR'] }, '/groupby/0'],
    [{ groupby: ['$DATE.YYYY-WW:at'] }, '/groupby/0'],
    [{ groupby: ['$DATE.:at'] }, '/groupby/0'],
    [{ groupby: [''] }, '/groupby/0'],
    [{ aggregate: ['MEDIAN:a'] }, '/aggregate/0'],
    [{ aggregate: ['COUNT:a', 'SUM'] }, '/aggregate/1'],
    [{ aggregate: ['SUM:'] }, '/aggregate/0'],
    [{ aggregate: times(33, () => 'COUNT:') }, '/aggregate'],
    [{ groupby: ['a'], grandTotal: 'yes' }, '/aggregate-grand-total'],
  ])('%j is refused', (parts, field) => {
    const parsed = parseAggregation(parts);
    expect(parsed.ok ? null : parsed.errors[0]?.field).toBe(field);
  });

  it('with too many groups is refused', () => {
    const documents = times(queryLimits.groups + 1, (index) => ({ a: index }));
    expect(resultOf({ groupby: ['a'] }, documents)).toMatchObject([{ field: '/groupby' }]);
    expect(resultOf({ groupby: ['a'] }, documents.slice(1))).toHaveLength(queryLimits.groups);
  });
});
