/**
 * What an open, idle stream costs: resident memory of the server with so many more streams, less the memory before, divided by their
 * number. Before: with 1,000 streams open, and when the memory has come to rest; without that the garbage of the server's start would
 * be given back during the measurement and hide what the streams take. After: 20 s after the last stream was opened; and the peak until
 * then. The peak is what is held against the target: a garbage collection may later give back more than the streams' own garbage.
 *
 * The kernel's own memory (slab) is given beside it; it counts both ends of each connection, since the clients are on the same machine. Each
 * run has a server of its own. Next to Nchan, better-sse, ws, and a plain loop over sockets in Node, which keeps nothing but the socket (the limit). At the end every stream still gets its events.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createContest, rowsAgainst } from '../kit/contest.mjs';
import { bodyOf } from '../kit/load.mjs';
import { commandLine, cpuSeconds, residentBytes, slabBytes } from '../kit/proc.mjs';
import {
  betterSseTarget,
  message,
  nchanTarget,
  plainTarget,
  publish,
  tidewireTarget,
  wsTarget,
} from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const idleSeconds = 20;
const firstStreams = 1_000;
/** Memory is at rest when it has not fallen by more than half a percent for so long. */
const restSeconds = 10;
const restLimitSeconds = 120;

export const idleStreams = {
  name: 'idle',
  title: 'Memory of an idle stream',

  /** @param {import('../run.mjs').Context} context */
  async run({ memoryRuns, idleStreams: streams, clientProcesses, isQuick, product, say }) {
    const contest = createContest(say);
    const starters = [() => tidewireTarget(product), nchanTarget, betterSseTarget, wsTarget, plainTarget];
    const { results, targets } = await contest.roundsAlone(memoryRuns, starters, (target) =>
      measure(target, streams, clientProcesses, isQuick ? 3 : restSeconds),
    );
    const { faults, peerFaults, skipped } = contest;
    const rows = rowsOf(streams, results, targets);
    return { rows, faults, peerFaults, skipped, details: { streams, idleSeconds, ...results } };
  },
};

/** @param {import('../kit/targets.mjs').Target} target */
async function measure(target, streams, clientProcesses, calmSeconds) {
  const resident = () => target.streamPids().reduce((total, pid) => total + residentBytes(pid), 0);
  const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
  const open = (subscribers) => startFleet({ dialect, port, path, headers, subscribers, processes: clientProcesses });
  await publish(target, bodyOf(message, 1));
  const first = await open(firstStreams);
  const before = { resident: await rest(resident, calmSeconds), slab: slabBytes() };
  const second = await open(streams);
  let peak = resident();
  const cpuBefore = cpuSeconds(target.streamPids());
  for (let step = 0; step < idleSeconds * 2; step += 1) {
    await delay(500);
    peak = Math.max(peak, resident());
  }
  const idleCpu = cpuSeconds(target.streamPids()) - cpuBefore;
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
    cpuMicrosecondsPerSecond: (idleCpu * 1e6) / idleSeconds / (streams + firstStreams),
    slabKibibytes: (after.slab - before.slab) / streams / 1024,
    residentBeforeMebibytes: before.resident / 1024 / 1024,
    residentAfterMebibytes: after.resident / 1024 / 1024,
    commandLine: target.streamPids().map((pid) => commandLine(pid).join(' ')),
    faults,
  };
  await Promise.all([first.stop(), second.stop()]);
  return result;
}

/** Resolves with the memory when it has come to rest. */
async function rest(resident, calmSeconds) {
  let lowest = resident();
  let calm = 0;
  for (let second = 0; second < restLimitSeconds && calm < calmSeconds; second += 1) {
    await delay(1_000);
    const now = resident();
    calm = now < lowest * 0.995 ? 0 : calm + 1;
    lowest = Math.min(lowest, now);
  }
  return lowest;
}

function rowsOf(streams, results, targets) {
  const of = (what, field, more = {}) => rowsAgainst(results, targets, { what, field, better: 'less', ...more });
  return [
    ...of(`KiB resident per stream, ${streams} streams, at the peak`, 'peakKibibytes', { targetAtMost: 12 }),
    ...of(`the same ${idleSeconds} s after the last was opened`, 'kibibytes'),
    ...of('KiB kernel slab per stream (both ends)', 'slabKibibytes').slice(0, 1),
    ...of('CPU µs per stream and second', 'cpuMicrosecondsPerSecond'),
  ];
}
