/**
 * The queries of the chaos run, and what each of them shows: written down here once more, as simply as can be, independently of the server.
 *
 * @typedef {{ collection: string, search: string, isIn: (fields: { value: number, by: string }) => boolean, sort: 'value' | '_id', isDescending: boolean, skip: number, max: number, totals: boolean }} LiveQuery
 * @typedef {{ id: string, value: number, by: string, fingerprint: number }} Row a document as a stream shows it, for short
 */
import { fingerprintOf } from './fingerprint.mjs';

const collections = ['alpha', 'beta', 'gamma'];
export const greatestValue = 1_000_000_000;
/** More than there are documents. */
const wholeCollection = 1_000;

/** @param {import('./random.mjs').Random} random @returns {LiveQuery} */
export function makeLiveQuery(random) {
  const collection = random.pick(collections);
  const bound = random.integer(0, greatestValue);
  const writer = `w${random.integer(0, 15)}`;
  const [filter, isIn] = random.pick([
    [null, () => true],
    [{ value: { $lt: bound } }, ({ value }) => value < bound],
    [{ by: writer }, ({ by }) => by === writer],
    [{ by: writer, value: { $gte: bound } }, ({ by, value }) => by === writer && value >= bound],
  ]);
  const sort = random.pick(/** @type {const} */ (['value', '_id']));
  const isDescending = sort === 'value' && random.chance(0.5);
  const isPage = random.chance(0.7);
  const max = isPage ? random.integer(1, 12) : wholeCollection;
  const skip = isPage && random.chance(0.4) ? random.integer(1, 8) : 0;
  const totals = random.chance(0.3);
  const query = new URLSearchParams({ delta: 'true', max: String(max) });
  if (filter !== null) query.set('q', JSON.stringify(filter));
  if (sort !== '_id') query.set('sort', sort);
  if (isDescending) query.set('dir', '-1');
  if (skip > 0) query.set('skip', String(skip));
  if (totals) query.set('totals', 'true');
  if (random.chance(0.2)) query.set('interval', '50');
  return { collection, search: query.toString(), isIn, sort, isDescending, skip, max, totals };
}

/** What the query shows of a collection. @param {LiveQuery} query @param {Iterable<Row>} rows @returns {number} */
export function fingerprintOfResult({ isIn, sort, isDescending, skip, max, totals }, rows) {
  const matching = [...rows].filter(isIn).sort((a, b) => compare(a, b, sort, isDescending));
  const page = matching.slice(skip, skip + max);
  return fingerprintOfState(
    page.map(({ fingerprint }) => fingerprint),
    totals ? matching.length : null,
  );
}

/** @param {number[]} documents fingerprints, in their order @param {number | null} total */
export function fingerprintOfState(documents, total) {
  return fingerprintOf(`${documents.join(' ')} of ${total}`);
}

function compare(a, b, sort, isDescending) {
  if (sort === 'value' && a.value !== b.value) return a.value < b.value === isDescending ? 1 : -1;
  // docs/query.md: in the order of ids, in the direction of the last field.
  return a.id < b.id === isDescending ? 1 : -1;
}
