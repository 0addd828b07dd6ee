import { describe, expect, it } from 'vitest';
import { parseHints } from './hints.js';
import { queryLimits } from './query-limits.js';

describe('hints', () => {
  it('are parsed in one go', () => {
    const parsed = parseHints({
      $fields: { a: 1 },
      $max: 5,
      $skip: 0,
      $orderby: { a: -1 },
      $groupby: ['a'],
      $aggregate: ['COUNT:'],
      '$aggregate-grand-total': true,
    });
    expect(parsed).toMatchObject({
      ok: true,
      hints: { max: 5, skip: 0, aggregation: { hasGrandTotal: true, items: [{ name: 'COUNT ' }] } },
    });
    expect(parseHints(undefined)).toEqual({ ok: true, hints: {} });
  });
  it.each<[unknown, string]>([
    [[], ''],
    [{ max: 5 }, '/max'],
    [{ $max: -1 }, '/$max'],
    [{ $max: '5' }, '/$max'],
    [{ $max: 10_001 }, '/$max'],
    [{ $skip: 1.5 }, '/$skip'],
    [{ $fields: { a: 5 } }, '/$fields/a'],
    [{ $orderby: { a: 0 } }, '/$orderby/a'],
    [{ $groupby: ['$X:a'] }, '/$groupby/0'],
    [{ $aggregate: ['X:a'] }, '/$aggregate/0'],
  ])('%j is refused with the place', (raw, field) => {
    const parsed = parseHints(raw);
    expect(parsed.ok ? null : parsed.errors[0]?.field).toBe(field);
  });

  it('are told all their problems at once, each with its place', () => {
    const parsed = parseHints({ $max: -1, $fields: { a: 1, b: 0 }, $sort: {}, $aggregate: ['SUM:a', 'X:b'] });
    expect(parsed.ok ? [] : parsed.errors.map(({ field }) => field)).toEqual([
      '/$sort',
      '/$fields',
      '/$max',
      '/$aggregate/1',
    ]);
  });

  it('name the greatest page that there is', () => {
    const parsed = parseHints({ $max: queryLimits.max + 1 });
    expect(parsed.ok ? '' : parsed.errors[0]?.message).toContain(String(queryLimits.max));
    expect(parseHints({ $max: queryLimits.max, $skip: queryLimits.skip }).ok).toBe(true);
  });
});
