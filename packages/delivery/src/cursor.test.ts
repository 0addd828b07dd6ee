import { describe, expect, it } from 'vitest';
import { parseCursor, RANGE, startFrom } from './cursor.js';

describe('parseCursor', () => {
  it.each([
    ['0', 0],
    ['9', 9],
    ['007', 7],
    ['9007199254740991', 9007199254740991],
  ])('reads %j', (text, cursor) => expect(parseCursor(text)).toBe(cursor));

  it.each([undefined, ''])('takes %j for none', (text) => expect(parseCursor(text)).toBeNull());

  it.each([
    '-1',
    '1.5',
    '1e3',
    '9e99',
    'abc',
    ' 1',
    '0x10',
    '١',
    '9007199254740993',
    '18446744073709551616',
    'NaN',
    '1\n2',
    '5'.repeat(8000),
  ])('takes %j for no cursor of ours', (text) => expect(parseCursor(text)).toBeNaN());
});

describe('startFrom', () => {
  const log = { head: 100, oldest: 41 };
  it('starts at the head without a cursor', () => expect(startFrom(null, log)).toEqual({ kind: 'at', cursor: 100 }));
  it.each([40, 41, 99, 100])('starts at %i, which the log still reaches', (cursor) =>
    expect(startFrom(cursor, log)).toEqual({ kind: 'at', cursor }),
  );
  it('resets a cursor that retention has overtaken', () =>
    expect(startFrom(39, log)).toEqual({ kind: 'reset', reason: 'retention' }));
  it.each([101, Number.NaN])('resets %d, which is none of this log', (cursor) =>
    expect(startFrom(cursor, log)).toEqual({ kind: 'reset', reason: 'unknown' }),
  );
  it('tells a cursor from before a restore', () =>
    expect(startFrom(100, { head: RANGE + 5, oldest: RANGE + 1 })).toEqual({ kind: 'reset', reason: 'restored' }));
  it('replays an empty log from 0', () =>
    expect(startFrom(0, { head: 0, oldest: 1 })).toEqual({ kind: 'at', cursor: 0 }));
});
