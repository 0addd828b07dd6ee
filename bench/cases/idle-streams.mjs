/**
 * What an open, idle stream costs: resident memory of the server with so many more streams, less the memory before, divided by their
 * number. Before: with 1,000 streams open, and when the memory has come to rest; without that the garbage of the server's start would
 * be given back during the measurement and hide what the streams take. After: 20 s after the last stream was opened; and the peak until
 * then. The peak is what is held against the target: a garbage collection may later give back more than the streams' own garbage.
 *
 * The kernel's own memory (slab) is given beside it; it counts both ends of each connection, since the clients are on the same machine. Each
 * run has a server of its own. At the end every stream still gets its events.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from '../kit/alternate.mjs';
import { bodyOf } from '../kit/load.mjs';
import { commandLine, residentBytes, slabBytes } from '../kit/proc.mjs';
import { message, nchanTarget, publish, tidewireTarget } from '../kit/targets.mjs';
import { findNchan } from '../kit/tools.mjs';
import { startFleet } from '../streams/fleet.mjs';

const idleSeconds = 20;
const firstStreams = 1_000;
/** Memory is at rest when it has not fallen by more than half a percent for so long. */
const restSeconds = 20;
const restLimitSeconds = 120;

export const idleStreams = {
  name: 'idle',
  title: 'Memory of an idle stream',

  /** @param {import('../run.mjs').Context} context */
  async run({ memoryRuns, idleStreams: streams, clientProcesses, product, say }) {
    const programs = findNchan();
    const skipped = 'missing' in programs ? [{ other: 'Nchan', why: programs.missing }] : [];
    const starters = {
      tidewire: () => tidewireTarget(product),
      ...(skipped.length === 0 ? { nchan: nchanTarget } : {}),
    };
    const contenders = Object.fromEntries(
      Object.entries(starters).map(([name, start]) => [
        name,
        async () => measure(await start(), streams, clientProcesses),
      ]),
    );
    const results = await alternate(memoryRuns, contenders, say);
    const faults = Object.entries(results).flatMap(([name, all]) =>
      all.flatMap((result) => result.faults.map((fault) => `${name}: ${fault}`)),
    );
    return { rows: rowsOf(streams, results), faults, skipped, details: { streams, idleSeconds, ...results } };
  },
};

/** @param {import('../kit/targets.mjs').Target} target */
async function measure(target, streams, clientProcesses) {
  const resident = () => target.streamPids().reduce((total, pid) => total + residentBytes(pid), 0);
  const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
  const open = (subscribers) => startFleet({ dialect, port, path, headers, subscribers, processes: clientProcesses });
  await publish(target, bodyOf(message, 1));
  const first = await open(firstStreams);
  const before = { resident: await rest(resident), slab: slabBytes() };
  const second = await open(streams);
  let peak = resident();
  for (let step = 0; step < idleSeconds * 2; step += 1) {
    await delay(500);
    peak = Math.max(peak, resident());
  }
  const after = { resident: resident(), slab: slabBytes() };
  for (const number of [2, 3, 4]) await publish(target, bodyOf(message, number));
  const reports = [await first.reach(4), await second.reach(4)];
  const faults = reports.flatMap((report) => report.faults);
  if (reports.some(({ events }) => events !== 3))
    faults.push(`3 events were published, but ${reports.map(({ events }) => events)} came`);
  if (peak <= before.resident)
    faults.push('the memory did not grow while the streams were opened: nothing was measured');
  const result = {
    kibibytes: (after.resident - before.resident) / streams / 1024,
    peakKibibytes: (peak - before.resident) / streams / 1024,
    slabKibibytes: (after.slab - before.slab) / streams / 1024,
    residentBeforeMebibytes: before.resident / 1024 / 1024,
    residentAfterMebibytes: after.resident / 1024 / 1024,
    commandLine: target.streamPids().map((pid) => commandLine(pid).join(' ')),
    faults,
  };
  await Promise.all([first.stop(), second.stop()]);
  await target.stop();
  return result;
}

/** Resolves with the memory when it has come to rest. */
async function rest(resident) {
  let lowest = resident();
  let calm = 0;
  for (let second = 0; second < restLimitSeconds && calm < restSeconds; second += 1) {
    await delay(1_000);
    const now = resident();
    calm = now < lowest * 0.995 ? 0 : calm + 1;
    lowest = Math.min(lowest, now);
  }
  return lowest;
}

function rowsOf(streams, { tidewire, nchan }) {
  const of = (results, field) => results?.map((result) => result[field]);
  const row = (what, field, more = {}) => ({
    what,
    ours: of(tidewire, field),
    other: 'Nchan, 1 worker',
    theirs: of(nchan, field),
    better: 'less',
    ...more,
  });
  return [
    row(`KiB resident per stream, ${streams} streams, at the peak`, 'peakKibibytes', { targetAtMost: 14 }),
    row(`the same ${idleSeconds} s after the last was opened`, 'kibibytes'),
    row('KiB kernel slab per stream (both ends)', 'slabKibibytes'),
  ];
}
