/**
 * Row F9 of the reliability table: streams that stop reading, among streams that do not. Before all, events are written and replayed until what the server shares among its streams (its
 * ring, its pages of the log) is full: that is no cost of slow readers. Then the ordinary streams alone, for the baseline; then, for as long, the others
 * beside them, which stop for random times (some longer than the server waits for them), read a little, and stop again. The resident memory
 * of the server's process is looked at each second, and the peaks of the two times are compared: the heap of V8 breathes by tens of MiB in both. At the end all read on: every stream, whether the server cut it or not, must have every event once and in order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { cpuSeconds, residentBytes } from '../kit/proc.mjs';
import { createKey, freePort, makeFolder, startTidewire } from '../kit/product.mjs';
import { startFleet } from '../streams/fleet.mjs';
import { sample } from './probe.mjs';
import { startPublisher } from './publisher.mjs';
import { startReturningFleet } from './returning-fleet.mjs';

const mebibyte = 1024 ** 2;
/** More than ring and pages hold: 16 and 32 MiB. */
const fillBytes = 64 * mebibyte;
/** Below the most that a body may have, 1 MiB. */
const batchBytes = 900 * 1024;
const catchUpMs = 300_000;

export const slowReaders = {
  name: 'slow-readers',
  title: 'F9: stalled streams among others',
  defaults: { streams: 500, stalled: 50, rate: 100, seconds: 300, bytes: 1024 },

  /** @param {import('./load.mjs').Context} context */
  async run({ streams, stalled, rate, seconds, bytes, seed, processes, say, onCleanup }) {
    const folder = makeFolder('slow-readers');
    onCleanup(folder.remove);
    const server = await startTidewire({ dataDir: folder.path, port: await freePort() });
    const key = await createKey({ dataDir: folder.path, name: 'load' });
    const { port, pid } = server;
    const written = await fillCaches(server.url, key, bytes);
    say(`${written} events were written and replayed`);
    const fleet = { dialect: /** @type {const} */ ('tidewire'), port, path: '/realtime', headers: { 'x-apikey': key } };
    const normal = await startFleet({ ...fleet, subscribers: streams, processes, measureLatency: true });
    const publisher = startPublisher({ port, key, rate, bytes });
    say(`${streams} streams, ${rate} events/s of ${bytes} bytes, ${seconds} s for the baseline`);
    await delay(5_000);
    await normal.latencies();
    const before = sample(1_000, () => residentBytes(pid));
    await delay(seconds * 1000);
    const baseline = { ...(await normal.latencies()), resident: Math.max(...before.stop()) };

    say(`${stalled} stalled streams beside them, ${seconds} s`);
    const slow = await startReturningFleet({ ports: [port], key, streams: stalled, processes: 1 });
    const cpu = cpuSeconds([pid]);
    await slow.stall({ seed, stallMs: [10_000, 200_000], readMs: [500, 5_000] });
    const during = sample(1_000, () => residentBytes(pid));
    for (let passed = 0; passed < seconds; passed += 30) {
      await delay(Math.min(30, seconds - passed) * 1000);
      const grown = (during.values.at(-1) ?? 0) - baseline.resident;
      say(
        `${Math.min(seconds, passed + 30)} s: ${publisher.state.sent} events, memory ${(grown / mebibyte).toFixed(0)} MiB above the baseline`,
      );
    }
    const loaded = await normal.latencies();
    const cores = (cpuSeconds([pid]) - cpu) / seconds;
    const resident = during.stop();
    await publisher.stop();
    say('all read on');
    await slow.readOn();
    const reports = [
      await normal.reach(publisher.state.sent, catchUpMs),
      await slow.reach(publisher.state.newestId, catchUpMs),
    ];
    await Promise.all([normal.stop(), slow.stop()]);
    const grown = Math.max(...resident) - baseline.resident;
    const end = await server.stop({ graceMs: 30_000 });
    const faults = [...publisher.state.faults, ...reports.flatMap((report) => report.faults)];
    if (end !== 'code 0') faults.push(`the server ended with ${end}: ${server.output().slice(-1000)}`);
    const returns = /** @type {import('./returning-fleet.mjs').ReturningReport} */ (reports[1]).returns.length;
    return {
      faults,
      figures: [
        { what: 'events published', value: publisher.state.sent },
        { what: 'deliveries to streams that read', value: publisher.state.sent * streams },
        { what: 'deliveries to stalled streams', value: reports[1].events },
        { what: 'times that a stalled stream was cut, and came back', value: returns },
        { what: 'peak of the server without them, MiB', value: baseline.resident / mebibyte },
        { what: 'the peak with them is above it by, MiB', value: grown / mebibyte, atMost: 100, isFault: true },
        {
          what: 'that is for each stalled stream, MiB',
          value: grown / mebibyte / stalled,
          atMost: 1.25,
          isFault: true,
        },
        { what: 'p50 without stalled streams, ms', value: baseline.p50Ms },
        { what: 'p50 with them, ms', value: loaded.p50Ms },
        { what: 'p99 without stalled streams, ms', value: baseline.p99Ms },
        { what: 'p99 with them, ms', value: loaded.p99Ms, atMost: baseline.p99Ms * 1.5 },
        { what: 'processors that the server used', value: cores },
      ],
    };
  },
};

/** Writes documents of that size and reads all of their events once. Gives how many there are. */
async function fillCaches(url, key, bytes) {
  const headers = { 'x-apikey': key, 'content-type': 'application/json' };
  const document = { text: 'x'.repeat(Math.max(1, bytes - 200)) };
  const batch = JSON.stringify(Array.from({ length: Math.floor(batchBytes / bytes) }, () => document));
  let newest = 0;
  for (let sent = 0; sent < fillBytes; sent += batchBytes) {
    const answer = await fetch(`${url}/rest/filling`, { method: 'POST', headers, body: batch });
    if (answer.status !== 201) throw new Error(`POST /rest/filling answered ${answer.status}: ${await answer.text()}`);
    newest = Number(answer.headers.get('x-event-id'));
    await answer.arrayBuffer();
  }
  const replay = await fetch(`${url}/realtime?since=0`, { headers });
  let tail = '';
  for await (const part of replay.body ?? []) {
    tail = (tail + Buffer.from(part).toString('latin1')).slice(-200_000);
    if (tail.includes(`id: ${newest}\nevent: post`)) break;
  }
  return newest;
}
