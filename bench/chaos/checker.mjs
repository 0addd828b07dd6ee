/**
 * Holds the history against the truth. Pure: the same input gives the same verdicts, so that faults can be planted to see them found.
 * The checks are those of Jepsen's Kafka workload, as far as they have a meaning here.
 *
 * @typedef {import('./history.mjs').History} History
 * @typedef {import('./truth.mjs').Truth} Truth
 * @typedef {{ name: string, examined: number, found: string[] }} Verdict
 */
import { idsOfRuns } from './id-runs.mjs';
import { fingerprintOfResult } from './live-query-model.mjs';

/** When PostgreSQL runs again, writes must be possible within this time, however busy the machine is. */
const writesBackMs = 10_000;
/** Longer than it takes until a client gives up a line, and comes back. */
const longestBehindMs = 60_000;
/** Longer than PostgreSQL takes to recover, and than a transaction may stand still. */
const longestWithoutWriteMs = 15_000;
/** Of memory V8 keeps what it once had; what lives in it is not seen from outside. */
const memoryFactor = 2;
/** Some connections of pools are open at one time and not at the other. */
const descriptorSlack = 16;

/** @type {{ name: string, check: (history: History, truth: Truth, index: ReturnType<typeof indexOf>) => { examined: number, found: string[] } }[]} */
const checks = [
  { name: 'the log is dense: 1, 2, 3 … up to the head', check: density },
  { name: 'every acknowledged write is in the log, with its id and content', check: acknowledged },
  { name: 'no refused write has an event', check: refused },
  { name: 'a write whose outcome is unknown is there once or not at all, and whole', check: unknown },
  { name: 'nothing is in the log that nobody wrote, and nothing twice', check: nothingElse },
  { name: 'every subscriber got every event it may hear, once and in order', check: deliveries },
  { name: 'each event looked the same to all, and is what the log says', check: payloads },
  { name: 'the documents are what the log adds up to', check: fold },
  { name: 'every stream of a query showed what the log says at that event', check: queryStates },
  { name: 'no process ended that nobody had ended', check: ownEnds },
  { name: 'after each end of PostgreSQL writes came back in time', check: recoveries },
  { name: 'nobody was held up: writers and subscribers went on, whatever happened to one node', check: heldUp },
  { name: 'memory, files and connections to PostgreSQL came back to what they were', check: resources },
  {
    name: 'no answer and no stream was ever one that must not be',
    check: (history) => ({ examined: history.operations.length, found: history.faults }),
  },
];

/** @param {History} history @param {Truth} truth @returns {Verdict[]} */
export function checkHistory(history, truth) {
  const index = indexOf(truth);
  return checks.map(({ name, check }) => ({ name, ...check(history, truth, index) }));
}

/** Events by the marker that they wrote, and deletions by document. */
function indexOf({ events }) {
  const byMarker = new Map();
  const deletions = new Map();
  const byId = new Map(events.map((event) => [event.id, event]));
  for (const event of events) {
    const { marker } = event;
    if (marker !== undefined) byMarker.set(marker, [...(byMarker.get(marker) ?? []), event]);
    if (event.type === 'delete') deletions.set(event.documentId, [...(deletions.get(event.documentId) ?? []), event]);
  }
  return { byMarker, deletions, byId };
}

/** @param {History} _history */
function density(_history, { head, events }) {
  const found = [];
  if (events.length !== head) found.push(`the head is ${head}, but there are ${events.length} events`);
  const hole = events.findIndex(({ id }, place) => id !== place + 1);
  if (hole >= 0) found.push(`where event ${hole + 1} should be, there is ${events[hole].id}`);
  return { examined: events.length, found };
}

const typeOf = {
  create: 'post',
  createMany: 'post',
  update: 'put',
  delete: 'delete',
  deleteMany: 'delete',
  publish: 'publish',
};

function acknowledged({ operations }, _truth, { byMarker, deletions, byId }) {
  const found = [];
  const mine = operations.filter(({ outcome }) => outcome === 'acknowledged');
  for (const { kind, markers, ids, eventId } of mine) {
    const isDeletion = kind === 'delete' || kind === 'deleteMany';
    const names = isDeletion ? ids : markers;
    const events = names.flatMap((name) => (isDeletion ? deletions : byMarker).get(name) ?? []);
    const what = `${kind} ${names.join(' ')} (X-Event-Id ${eventId})`;
    if (events.length !== names.length) found.push(`${what} has ${events.length} events in the log`);
    else if (events.some(({ type }) => type !== typeOf[kind]))
      found.push(`${what} is there as ${events.map(({ type }) => type)}`);
    else if (names.length > 0 && byId.get(eventId) !== events.at(-1))
      found.push(`${what} ends with event ${events.at(-1).id}`);
    else if (!isConsecutive(events)) found.push(`${what} is not one operation, one event after the other`);
    else if (kind === 'update' && events[0].documentId !== ids[0])
      found.push(`${what} changed ${events[0].documentId} and not ${ids[0]}`);
  }
  return { examined: mine.length, found };
}

function isConsecutive(events) {
  return events.every(
    ({ id, operationId }, place) => id === events[0].id + place && operationId === events[0].operationId,
  );
}

function refused({ operations }, _truth, { byMarker, deletions }) {
  const mine = operations.filter(({ outcome }) => outcome === 'refused' || outcome === 'unsent');
  const found = mine.flatMap(({ kind, markers, ids, outcome, status }) => {
    const names =
      kind === 'delete' || kind === 'deleteMany'
        ? ids.filter((id) => deletions.has(id))
        : markers.filter((marker) => byMarker.has(marker));
    return names.map((name) => `${kind} ${name} was ${outcome} (${status}), but it is in the log`);
  });
  return { examined: mine.length, found };
}

function unknown({ operations }, _truth, { byMarker, deletions }) {
  const found = [];
  const mine = operations.filter(({ outcome }) => outcome === 'unknown');
  for (const { kind, markers, ids } of mine) {
    const isDeletion = kind === 'delete' || kind === 'deleteMany';
    const names = isDeletion ? ids : markers;
    const counts = names.map((name) => ((isDeletion ? deletions : byMarker).get(name) ?? []).length);
    if (counts.some((count) => count > 1))
      found.push(`${kind} ${names.join(' ')} is in the log ${Math.max(...counts)} times`);
    else if (new Set(counts).size > 1) found.push(`${kind} ${names.join(' ')} is there only in part: ${counts}`);
  }
  return { examined: mine.length, found };
}

function nothingElse({ operations }, { events }, { byMarker, deletions }) {
  const written = new Set(operations.flatMap(({ markers }) => markers));
  const deleted = new Set(
    operations.filter(({ kind }) => kind === 'delete' || kind === 'deleteMany').flatMap(({ ids }) => ids),
  );
  const found = [];
  for (const [marker, { length }] of byMarker) {
    if (!written.has(marker)) found.push(`nobody wrote ${marker}`);
    if (length > 1) found.push(`${marker} is in the log ${length} times`);
  }
  for (const [id, { length }] of deletions) {
    if (!deleted.has(id)) found.push(`nobody deleted ${id}`);
    if (length > 1) found.push(`${id} was deleted ${length} times`);
  }
  for (const event of events)
    if (event.type !== 'delete' && event.marker === undefined)
      found.push(`event ${event.id} holds nothing that was written`);
  return { examined: events.length, found };
}

function deliveries({ subscribers }, { events }) {
  const found = [];
  let examined = 0;
  for (const { name, hears, runs, reachedHead } of subscribers) {
    const ids = idsOfRuns(runs);
    const due = events.filter(hears).map(({ id }) => id);
    examined += due.length;
    const place = due.findIndex((id, index) => ids[index] !== id);
    if (place >= 0)
      found.push(
        `${name}: event ${due[place]} was due after ${due[place - 1] ?? 'nothing'}, and ${ids[place] ?? 'nothing'} came${reachedHead ? '' : ' (the head was not reached in time)'}`,
      );
    else if (ids.length > due.length)
      found.push(`${name}: after the last event came ${ids.slice(due.length, due.length + 5)}`);
  }
  return { examined, found };
}

function payloads({ payloads: seen }, _truth, { byId }) {
  const found = [];
  for (const [id, payload] of seen) {
    const event = byId.get(id);
    if (event === undefined) found.push(`event ${id} was delivered, but it is not in the log`);
    else if (event.payload !== payload) found.push(`event ${id} was delivered as another than the log has`);
  }
  return { examined: seen.size, found };
}

function fold(_history, { events, documents, folded }) {
  const found = [];
  const state = new Map();
  for (const { id, type, collection, documentId, before, after } of events) {
    if (type === 'publish') continue;
    const key = `${collection}/${documentId}`;
    if (before !== (state.get(key) ?? null))
      found.push(`event ${id}: what it says was there before is not what was there`);
    if (after === null) state.delete(key);
    else state.set(key, after);
  }
  for (const { collection, id, own, version, agrees } of documents) {
    const key = `${collection}/${id}`;
    const due = folded.get(state.get(key));
    if (due === undefined) found.push(`${key} is there, but the log has no such document`);
    else if (due.version !== version || due.own !== own) found.push(`${key} is not what the log says`);
    else if (agrees === false) found.push(`${key}: what is read and what is queried differ`);
    state.delete(key);
  }
  for (const key of state.keys()) found.push(`${key} is missing`);
  return { examined: documents.length, found };
}

/** The log is carried out event by event; at each at which a stream had rebuilt a state, the query's result is worked out and compared. */
function queryStates({ checkpoints }, { events, head }) {
  const found = [];
  const rows = new Map();
  const rowsOf = (collection) => {
    const known = rows.get(collection) ?? new Map();
    rows.set(collection, known);
    return known;
  };
  let next = 0;
  for (const checkpoint of [...checkpoints].sort((a, b) => a.id - b.id)) {
    for (; next < events.length && events[next].id <= checkpoint.id; next += 1) {
      const { type, collection, documentId, row } = events[next];
      if (type === 'publish') continue;
      if (row === null) rowsOf(collection).delete(documentId);
      else rowsOf(collection).set(documentId, row);
    }
    const { subscriber, query, id, kind, fingerprint } = checkpoint;
    const what = `${subscriber}, ${kind} state at event ${id} of ${query.collection}?${decodeURIComponent(query.search)}`;
    if (id > head) found.push(`${what}: there is no such event`);
    else if (fingerprintOfResult(query, rowsOf(query.collection).values()) !== fingerprint)
      found.push(`${what}: not what the log says`);
  }
  return { examined: checkpoints.length, found };
}

function ownEnds({ ownEnds: ends, starts }) {
  return {
    examined: starts,
    found: ends.map(({ name, how, said }) => `${name} ended with ${how}: ${said.slice(-600)}`),
  };
}

function recoveries({ recoveries: all, patience }) {
  const late = all.filter((one) => one.writesBackMs - one.downMs > writesBackMs * patience);
  return {
    examined: all.length,
    found: late.map(
      (one) => `${Math.round(one.writesBackMs - one.downMs)} ms after PostgreSQL was back, writes were not possible`,
    ),
  };
}

function heldUp({ subscribers, longestWithoutWriteMs: withoutWriteMs, patience }) {
  const found = subscribers
    .filter(({ behindMs }) => behindMs > longestBehindMs * patience)
    .map(({ name, behindMs }) => `${name} was ${Math.round(behindMs)} ms behind`);
  if (withoutWriteMs > longestWithoutWriteMs * patience)
    found.push(`for ${Math.round(withoutWriteMs)} ms no write was acknowledged`);
  return { examined: subscribers.length + 1, found };
}

function resources({ resources: nodes, postgresConnections: { start, end, most } }) {
  const found = [];
  for (const { name, start: before, end: after } of nodes) {
    if (after.descriptors > before.descriptors * 1.1 + descriptorSlack)
      found.push(`${name} has ${after.descriptors} files open, and had ${before.descriptors}`);
    if (after.residentBytes > before.residentBytes * memoryFactor)
      found.push(`${name} holds ${after.residentBytes >> 20} MiB, and held ${before.residentBytes >> 20}`);
  }
  if (end > most) found.push(`${end} connections to PostgreSQL, of at most ${most}, and ${start} at the start`);
  return { examined: nodes.length + 1, found };
}
