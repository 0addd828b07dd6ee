/**
 * The window of a live query: the rows of a page (`skip`, `max`) of an ordered result, kept up to date by the changes of single documents. Pure, no clock, no I/O.
 *
 * It holds a prefix of the result: the rows before the page, the page, and some slack behind it, so that most changes need no read. What it does not hold lies behind
 * `frontier`, the last place up to which every row is known.
 *
 * Invariants (the tests cite the numbers):
 * 1. `rows` is sorted, without doubles, and holds every row of the result whose place is not behind the frontier; with a null frontier, the whole result.
 * 2. The page is exact unless `isShort`; then the caller must `fill` it from a snapshot before it is shown.
 * 3. Deltas, applied one after the other to the page as it was, give the page as it is.
 * 4. At most `skip + max + 2 × slack` rows are held.
 */

/** A document of the result: its id, and what the order compares. */
export type WindowRow = { readonly id: string };

/** A step from one page to the next. Indexes count within the page, at the moment of the step. */
export type WindowDelta<Row> =
  | { kind: 'leave'; row: Row; from: number }
  | { kind: 'enter'; row: Row; index: number }
  /** Taken from `from`, then put at `index`. */
  | { kind: 'change'; row: Row; from: number; index: number };

export type LiveWindowOptions<Row> = {
  skip: number;
  max: number;
  /** Rows that are kept behind the page, at most twice as many. */
  slack: number;
  /** A total order: 0 only for the same place of the same id. */
  compare: (a: Row, b: Row) => number;
};

export class LiveWindow<Row extends WindowRow> {
  readonly #options: LiveWindowOptions<Row>;
  #rows: Row[] = [];
  #byId = new Map<string, Row>();
  #frontier: Row | null = null;

  constructor(options: LiveWindowOptions<Row>) {
    this.#options = options;
  }

  /** How many rows a snapshot must bring, if there are as many. */
  get wanted(): number {
    const { skip, max, slack } = this.#options;
    return skip + max + slack;
  }

  /** True when the page cannot be filled from what is held, although there may be more. */
  get isShort(): boolean {
    const { skip, max } = this.#options;
    return this.#frontier !== null && this.#rows.length < skip + max;
  }

  /** The rows of the page. */
  page(): Row[] {
    const { skip, max } = this.#options;
    return this.#rows.slice(skip, skip + max);
  }

  /** Begins anew with the first rows of a snapshot, in order: `wanted` of them, or all when there are fewer. */
  fill(rows: readonly Row[]): void {
    this.#rows = [...rows];
    this.#byId = new Map(rows.map((row) => [row.id, row]));
    this.#frontier = rows.length < this.wanted ? null : (rows.at(-1) ?? null);
  }

  /** Whether the change of this document could touch what is held. */
  concerns(id: string, row: Row | null): boolean {
    return this.#byId.has(id) || (row !== null && this.#isKnown(row));
  }

  /** The document is in the result as `row` now, or (null) it is not. */
  apply(id: string, row: Row | null): void {
    const present = this.#byId.get(id);
    if (present !== undefined) this.#remove(present);
    if (row === null || !this.#isKnown(row)) return;
    this.#rows.splice(this.#placeOf(row), 0, row);
    this.#byId.set(id, row);
    this.#trim();
  }

  #isKnown(row: Row): boolean {
    return this.#frontier === null || this.#options.compare(row, this.#frontier) <= 0;
  }

  #remove(row: Row): void {
    this.#byId.delete(row.id);
    this.#rows.splice(this.#placeOf(row), 1);
  }

  /** Where the row stands, or would stand. */
  #placeOf(row: Row): number {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.#rows[middle];
      if (other !== undefined && this.#options.compare(other, row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** In strides, so that a growing result does not cost a step back for each document. */
  #trim(): void {
    const { slack } = this.#options;
    if (this.#rows.length <= this.wanted + slack) return;
    for (const row of this.#rows.splice(this.wanted)) this.#byId.delete(row.id);
    this.#frontier = this.#rows.at(-1) ?? null;
  }
}

/**
 * The steps from one page to another: what leaves, from the back; what has moved, as few as can be; then, from the front, what enters or is shown anew. `isSame` says
 * whether a row that stands in both looks the same. A row whose index changes only because of others is not told of.
 */
export function diffPages<Row extends WindowRow>(
  before: readonly Row[],
  after: readonly Row[],
  isSame: (a: Row, b: Row) => boolean,
): WindowDelta<Row>[] {
  const deltas: WindowDelta<Row>[] = [];
  const page = [...before];
  removeMissing(page, after, deltas);
  const kept = new Set(page.map(({ id }) => id));
  const moved = moveWithin(
    page,
    after.filter(({ id }) => kept.has(id)),
    deltas,
  );
  for (const [index, row] of after.entries()) {
    const there = page[index];
    if (there === undefined || !kept.has(row.id)) {
      page.splice(index, 0, row);
      deltas.push({ kind: 'enter', row, index });
    } else if (!moved.has(row.id) && !isSame(there, row)) {
      deltas.push({ kind: 'change', row, from: index, index });
    }
  }
  return deltas;
}

function removeMissing<Row extends WindowRow>(page: Row[], after: readonly Row[], deltas: WindowDelta<Row>[]): void {
  const wanted = new Set(after.map(({ id }) => id));
  for (let from = page.length - 1; from >= 0; from -= 1) {
    const row = page[from];
    if (row === undefined || wanted.has(row.id)) continue;
    page.splice(from, 1);
    deltas.push({ kind: 'leave', row, from });
  }
}

/** Brings the page into the order of `target`, which has the same ids. Whoever is not of the longest run in order moves behind its new neighbour. Returns who moved. */
function moveWithin<Row extends WindowRow>(
  page: Row[],
  target: readonly Row[],
  deltas: WindowDelta<Row>[],
): Set<string> {
  const places = new Map(page.map(({ id }, index) => [id, index]));
  const order = target.map(({ id }) => places.get(id) ?? 0);
  const moved = new Set<string>();
  if (order.every((place, index) => place === index)) return moved;
  const staying = longestRise(order);
  for (const [position, row] of target.entries()) {
    if (staying.has(position)) continue;
    const from = page.findIndex(({ id }) => id === row.id);
    page.splice(from, 1);
    const neighbour = target[position - 1];
    const index = neighbour === undefined ? 0 : page.findIndex(({ id }) => id === neighbour.id) + 1;
    page.splice(index, 0, row);
    moved.add(row.id);
    deltas.push({ kind: 'change', row, from, index });
  }
  return moved;
}

/** The positions of a longest increasing subsequence of distinct numbers (patience sorting, O(n log n)). */
function longestRise(numbers: readonly number[]): Set<number> {
  /** Position of the least last number of the rises of each length. */
  const tails: number[] = [];
  const previous: number[] = [];
  for (const [position, number] of numbers.entries()) {
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((numbers[tails[middle] ?? 0] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    previous[position] = low === 0 ? -1 : (tails[low - 1] ?? -1);
    tails[low] = position;
  }
  const rise = new Set<number>();
  for (let at = tails.at(-1) ?? -1; at >= 0; at = previous[at] ?? -1) rise.add(at);
  return rise;
}
