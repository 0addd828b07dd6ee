/**
 * Writes documents through the capturing Prisma client, in process, so many at a time, and prints what came of it as JSON.
 * Argument: `{"address", "databaseId", "inFlight", "seconds"}` as JSON.
 */
import { captureWrites } from '@tidewire/change-log/capture-extension';
import { createCommitLanes } from '@tidewire/change-log/commit-lanes';
import { createMemoryChangeBus } from '@tidewire/change-log/memory-change-bus';
import { createCatalog } from '@tidewire/db/catalog';
import { connectPostgres } from '@tidewire/db/client';
import { median, percentile } from '../kit/statistics.mjs';

const { address, databaseId, inFlight, seconds } = JSON.parse(process.argv[2]);
const faults = [];
const onError = (error) => faults.push(String(error));
const connections = connectPostgres(address, { onConnectionError: onError });
const catalog = createCatalog(connections.pool);
const bus = createMemoryChangeBus({ onError });
const lanes = createCommitLanes({ pool: connections.lanePool, catalog, bus, onRetry: onError });
const prisma = captureWrites(connections.prisma, lanes.submit);

const scope = { databaseId, author: { actor: 'key:bench', by: 'api' } };
const text = 'x'.repeat(216);
const create = (n) =>
  prisma.document.create({ scope, collection: 'company', data: { n: String(n).padStart(9, '0'), name: 'ACME', text } });

/** The first write finds out the head; what follows goes the short way. */
let lastId = (await create(0)).eventId;
let published = 0;
const batches = [];
bus.subscribe((hint) => {
  if (hint.kind !== 'events') return;
  batches.push(hint.events.length);
  for (const { id } of hint.events) {
    if (id !== lastId + 1) faults.push(`id ${id} came after ${lastId}`);
    lastId = id;
    published += 1;
  }
});

let answered = 0;
const latencies = [];
const cpuBefore = process.cpuUsage();
const began = performance.now();
const until = began + seconds * 1000;
async function writer() {
  for (let now = performance.now(); now < until; ) {
    await create(answered);
    answered += 1;
    const after = performance.now();
    latencies.push(after - now);
    now = after;
  }
}
await Promise.all(Array.from({ length: inFlight }, writer));
const elapsed = (performance.now() - began) / 1000;
const { user, system } = process.cpuUsage(cpuBefore);
if (published !== answered) faults.push(`${answered} writes were answered, but ${published} events were published`);
latencies.sort((a, b) => a - b);
await connections.close();

const result = {
  perSecond: answered / elapsed,
  p50Ms: percentile(latencies, 50),
  p99Ms: percentile(latencies, 99),
  batchSize: Math.round(median(batches)),
  nodeMicrosecondsPerWrite: (user + system) / answered,
  faults: faults.slice(0, 10),
};
process.stdout.write(`${JSON.stringify(result)}\n`);
