import { describe, expect, test } from 'vitest';
import { diffPages, LiveWindow, type WindowDelta } from './live-window.js';

type Row = { id: string; rank: number; text: string };

const { env } = process;
const seed = Number(env.SEED ?? 7);
const steps = Number(env.STEPS ?? 100_000);
const compare = (a: Row, b: Row) => a.rank - b.rank || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
const isSame = (a: Row, b: Row) => a.text === b.text;

/** Mulberry32: a small random generator with a seed. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** What a client does with the deltas. */
function applied(page: readonly Row[], deltas: readonly WindowDelta<Row>[]): Row[] {
  const rows = [...page];
  for (const delta of deltas) {
    if (delta.kind !== 'enter') rows.splice(delta.from, 1);
    if (delta.kind !== 'leave') rows.splice(delta.index, 0, delta.row);
  }
  return rows;
}

describe('live window', () => {
  test(`shows the page of the whole result after each of ${steps} random changes, and its deltas lead there (1, 2, 3, 4)`, () => {
    const random = randomOf(seed);
    const pick = (below: number) => Math.floor(random() * below);
    let done = 0;
    let refills = 0;
    while (done < steps) {
      const options = { skip: pick(3) * pick(6), max: 1 + pick(8), slack: 1 + pick(5), compare };
      const table = new Map<string, Row>();
      const sorted = () => [...table.values()].sort(compare);
      const window = new LiveWindow<Row>(options);
      window.fill([]);
      let shown = window.page();
      const ids = 5 + pick(40);
      for (let step = 0; step < 250; step += 1, done += 1) {
        const id = `d${pick(ids)}`;
        const isMatch = random() < 0.65;
        const row = isMatch ? { id, rank: pick(12), text: String(pick(3)) } : null;
        if (row === null) table.delete(id);
        else table.set(id, row);
        const before = window.page();
        const concerned = window.concerns(id, row);
        window.apply(id, row);
        if (!concerned) expect(window.page()).toEqual(before);
        if (window.isShort) {
          refills += 1;
          window.fill(sorted().slice(0, window.wanted));
        }
        const expected = sorted().slice(options.skip, options.skip + options.max);
        if (random() < 0.3) continue;
        expect(window.page(), `seed ${seed}, step ${done}`).toEqual(expected);
        const deltas = diffPages(shown, expected, isSame);
        expect(applied(shown, deltas).map(({ id: one, text }) => one + text)).toEqual(
          expected.map(({ id: one, text }) => one + text),
        );
        shown = expected;
      }
    }
    expect(refills).toBeGreaterThan(steps / 1_000);
  }, 60_000);

  test('a result that grows and shrinks within the slack is never read again (1)', () => {
    const window = new LiveWindow<Row>({ skip: 0, max: 3, slack: 5, compare });
    window.fill(Array.from({ length: 8 }, (_, rank) => ({ id: `d${rank}`, rank, text: '' })));
    for (let rank = 0; rank < 5; rank += 1) {
      window.apply(`d${rank}`, null);
      expect(window.isShort).toBe(false);
    }
    window.apply('d5', null);
    expect(window.isShort).toBe(true);
  });

  test('a document that goes from the first place to the last is one change', () => {
    const rows = [0, 1, 2, 3, 4].map((rank) => ({ id: `d${rank}`, rank, text: '' }));
    const [first, ...rest] = rows as [Row, ...Row[]];
    expect(diffPages(rows, [...rest, first], isSame)).toEqual([{ kind: 'change', row: first, from: 0, index: 4 }]);
  });

  test('what looks the same at the same place is not told of', () => {
    const rows = [0, 1].map((rank) => ({ id: `d${rank}`, rank, text: 'x' }));
    expect(
      diffPages(
        rows,
        rows.map((row) => ({ ...row })),
        isSame,
      ),
    ).toEqual([]);
  });
});
