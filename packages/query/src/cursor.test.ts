import { describe, expect, it } from 'vitest';
import { cursorOf, decodeCursor, encodeCursor } from './cursor.js';
import type { JsonObject } from './json.js';
import { parseSort, type Sort, sortText } from './sort.js';

function sortOf(orderby: JsonObject): Sort {
  const parsed = parseSort(orderby);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.sort;
}

describe('a cursor', () => {
  const sort = sortOf({ a: 1, _created: -1 });
  const document = { _id: 'x', _created: '2024-05-01T00:00:00.000Z', a: ['é😀', 1] };
  it('comes back as it was', () => {
    const values = cursorOf(sort, document);
    expect(decodeCursor(sort, encodeCursor(sort, values))).toEqual({ ok: true, values });
  });

  it('stays small, however long the text by which is sorted', () => {
    expect(encodeCursor(sort, cursorOf(sort, { ...document, a: '長'.repeat(1e6) })).length).toBeLessThan(2_000);
  });

  it('of another order, of no order, or with a wrong part is refused with what to do', () => {
    const good = encodeCursor(sort, cursorOf(sort, document));
    const wrong = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    for (const text of [
      '',
      'x',
      'null',
      good.slice(1),
      `${good}=`,
      wrong(null),
      wrong([]),
      wrong({ v: 2 }),
      wrong({ v: 1, s: sortText(sort), k: ['3a', 'x', 'x'] }),
      wrong({ v: 1, s: sortText(sort), k: ['3a'] }),
      wrong({ v: 1, s: sortText(sort), k: [1, 2, 3] }),
    ]) {
      const parsed = decodeCursor(sort, text);
      expect(parsed.ok ? text : parsed.errors[0]?.message).toMatch(/Start again/);
    }
    const other = decodeCursor(sortOf({ b: 1 }), good);
    expect(other.ok ? '' : other.errors[0]?.message).toMatch(/another order/);
  });

  it('has a place for each field, a missing one too', () => {
    expect(cursorOf(sort, { _id: 'x', _created: '2024-05-01T00:00:00.000Z' })).toHaveLength(3);
  });
});
