/**
 * Matching in a process of its own: distinct live queries `code = N`, each with one viewer, through the code that the server uses, and next to it
 * the least that could do: the event's JSON parsed, and one lookup in a Map. Argument: `{"queries", "writes"}` as JSON. It writes one line of JSON.
 *
 * Every write matches one query. Checked: its viewer is sent the change, with the event's id, and nobody else is sent anything.
 */
import { LiveQueries } from '@tidewire/delivery/live-queries';
import { createMatcher } from '@tidewire/query/matcher';
import { parseFilter } from '@tidewire/query/parse-filter';
import { median } from '../kit/statistics.mjs';

const { queries, writes } = JSON.parse(process.argv[2]);
const codeOf = (index) => `code-${String(index).padStart(6, '0')}`;
const text = 'x'.repeat(150);
const documentOf = (index, n) => ({ _id: String(index).padStart(24, '0'), code: codeOf(index), n, text });

let position = 0;
const faults = [];
const due = new Set();
const live = new LiveQueries({
  limits: { pendingLimitBytes: 65_536, heartbeatSeconds: 8, stallLimitSeconds: 120, maxAgeSeconds: 0 },
  random: Math.random,
  position: () => position,
  requestFlush: () => due.add('flush'),
  onError: (error) => faults.push(String(error)),
});

/** The number of blocks that each viewer was sent, and the last of them. */
const sent = new Uint32Array(queries);
const last = [];

function sourceOf(index) {
  const parsed = parseFilter({ code: codeOf(index) });
  if (!parsed.ok) throw new Error('the filter is none');
  const matches = createMatcher(parsed.filter);
  const rowOf = (document) => ({
    id: document._id,
    place: [document._id],
    text: JSON.stringify(document),
    isLinked: false,
  });
  return {
    ...{
      kind: 'window',
      key: codeOf(index),
      name: 'bench',
      collection: 'bench',
      filter: parsed.filter,
      skip: 0,
      max: 10,
    },
    compare: (a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0),
    matches,
    rowOf,
    read: async () => ({ at: 0, rows: [rowOf(documentOf(index, 0))], total: null }),
    bodyOf: (page) => `[${page.map((row) => row.text).join()}]`,
    totalsOf: () => null,
    anew: /** @type {any} */ (null),
  };
}

function sinkOf(index) {
  return {
    write(chunk) {
      sent[index] += 1;
      last[index] = chunk.bare;
    },
    pendingBytes: 0,
    end: () => undefined,
    destroy: () => undefined,
  };
}

function eventOf(index) {
  position += 1;
  const [before, after] = [position - 1, position].map((n) => JSON.stringify(documentOf(index, n)));
  const at = '2026-01-01T00:00:00.000Z';
  return {
    ...{
      id: position,
      type: 'put',
      collectionId: 1,
      collection: 'bench',
      documentId: documentOf(index, 0)._id,
      before,
      after,
    },
    ...{ name: null, data: null, actor: 'system', operationId: '', at },
  };
}

for (let index = 0; index < queries; index += 1) {
  const query = await live.open(sourceOf(index));
  query.join(() => null, sinkOf(index), live.nextSlot(), { isDelta: true, intervalMs: 0 });
}
live.flush();
if (sent.some((count) => count !== 1)) faults.push('not every viewer was sent the state');

/** Events in a fixed order that jumps about among the queries. */
const indexOf = (turn) => (turn * 7_919) % queries;
const eventsOf = (count) => Array.from({ length: count }, (_, turn) => eventOf(indexOf(turn)));

const eventsInBatch = 50;

/**
 * CPU microseconds for an event (others on the machine do not count): the median of batches, which has no collection of garbage in it, and the mean, which has all.
 */
function cpuFor(events, work) {
  globalThis.gc?.();
  const batches = [];
  for (let from = 0; from < events.length; from += eventsInBatch) {
    const batch = events.slice(from, from + eventsInBatch);
    const before = process.cpuUsage();
    for (const event of batch) work(event);
    const { user, system } = process.cpuUsage(before);
    batches.push((user + system) / batch.length);
  }
  const mean = batches.reduce((sum, one) => sum + one, 0) / batches.length;
  return { median: median(batches), mean };
}

function offer(event) {
  live.offer([event]);
  live.flush();
}

function checkEach(events) {
  for (const [turn, event] of events.entries()) {
    const index = indexOf(turn);
    const before = sent[index];
    offer(event);
    const block = String(last[index]);
    const isRight =
      block.includes('event: change') && block.includes(`id: ${position}\n`) && block.includes(event.after);
    if (sent[index] !== before + 1 || !isRight) faults.push(`event ${event.id} was sent wrongly: ${block}`);
  }
}

const map = new Map(Array.from({ length: queries }, (_, index) => [codeOf(index), index]));
let found = 0;
function lookUp(event) {
  const before = map.get(JSON.parse(event.before).code);
  if (before !== undefined && before === map.get(JSON.parse(event.after).code)) found += 1;
}

const total = () => sent.reduce((sum, count) => sum + count, 0);
checkEach(eventsOf(writes));
const totalBefore = total();
const microseconds = cpuFor(eventsOf(writes), offer);
if (total() !== totalBefore + writes) faults.push(`${writes} changes were ${total() - totalBefore} blocks`);
for (const event of eventsOf(writes)) lookUp(event);
found = 0;
const lookup = cpuFor(eventsOf(writes), lookUp);
if (found !== writes) faults.push('the Map did not find every query');
process.stdout.write(`${JSON.stringify({ microseconds, lookup, faults: faults.slice(0, 5) })}\n`);
live.close();
