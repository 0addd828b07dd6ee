/**
 * Slow readers: of the streams one in a hundred stops reading, and reads again later. Latency of the others before and meanwhile, what the slow ones cost the server in
 * resident memory, and that they have every event when they have read on. Messages of 4 KiB, so that the buffers of the kernel are full soon.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createContest, rowsAgainst } from '../kit/contest.mjs';
import { startOpenLoop } from '../kit/open-loop.mjs';
import { residentBytes } from '../kit/proc.mjs';
import { betterSseTarget, messageOf, nchanTarget, stamped, tidewireTarget, wsTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const eventsPerSecond = 50;
const large = messageOf(4_096);

export const slowReaders = {
  name: 'slow-readers',
  title: `1 % of the readers stop, ${eventsPerSecond} events/s of 4 KiB`,

  /** @param {import('../run.mjs').Context} context */
  async run({ memoryRuns, seconds, subscribers, clientProcesses, isQuick, product, say }) {
    const contest = createContest(say);
    const starters = [() => tidewireTarget(product), nchanTarget, betterSseTarget, wsTarget];
    // Less would fit into the buffers of the kernel.
    const pausedSeconds = isQuick ? 5 : Math.max(20, seconds);
    const { results, targets } = await contest.roundsAlone(memoryRuns, starters, (target) =>
      measure(target, subscribers, clientProcesses, pausedSeconds),
    );
    const { faults, peerFaults, skipped } = contest;
    const details = { pausedSeconds, ...results };
    return { rows: rowsOf(results, targets, pausedSeconds), faults, peerFaults, skipped, details };
  },
};

async function measure(target, subscribers, processes, pausedSeconds) {
  const { dialect, port, subscribePath: path, subscribeHeaders: headers, publishUrl: url, publishHeaders } = target;
  const fleet = await startFleet({ dialect, port, path, headers, subscribers, processes, measureLatency: true });
  const bodyOf = (number, due) => stamped(large, number, due);
  const loop = startOpenLoop({ url, headers: publishHeaders, perSecond: eventsPerSecond, bodyOf, firstNumber: 1 });
  const slow = Math.ceil(subscribers / 100 / processes) * processes;
  const resident = () => target.streamPids().reduce((total, pid) => total + residentBytes(pid), 0);
  try {
    await delay(4_000);
    await fleet.latencies();
    await delay(4_000);
    const before = await fleet.latencies();
    const memoryBefore = resident();
    await fleet.pause(slow / processes);
    let peak = memoryBefore;
    for (let step = 0; step < pausedSeconds * 4; step += 1) {
      await delay(250);
      peak = Math.max(peak, resident());
    }
    const during = await fleet.latencies();
    await fleet.resume();
    const resumedAt = loop.now();
    const caughtUp = await fleet.reach(loop.number, 60_000, { isMoving: true });
    const catchUpSeconds = (loop.now() - resumedAt) / 1e6;
    const last = await loop.stop();
    const { faults, events } = await fleet.reach(last);
    if (faults.length === 0 && events !== last) faults.push(`${last} events were published, but ${events} came`);
    return {
      slow,
      p99BeforeMs: before.p99Ms,
      p99Ms: during.p99Ms,
      kibibytesPerSlow: (peak - memoryBefore) / slow / 1024,
      catchUpSeconds,
      faults: [...new Set([...caughtUp.faults, ...faults])],
    };
  } finally {
    await loop.stop().catch(() => undefined);
    await fleet.stop();
  }
}

function rowsOf(results, targets, pausedSeconds) {
  const of = (what, field, more = {}) => rowsAgainst(results, targets, { what, field, better: 'less', ...more });
  const before = results.Tidewire?.map(({ p99BeforeMs }) => p99BeforeMs);
  const during = results.Tidewire?.map(({ p99Ms }) => p99Ms);
  return [
    ...of(`KiB resident more per slow reader, at the peak within ${pausedSeconds} s`, 'kibibytesPerSlow'),
    ...of('p99 ms of the others meanwhile', 'p99Ms'),
    ...(during === undefined
      ? []
      : [
          {
            what: 'p99 ms of the others meanwhile',
            ours: during,
            other: 'before',
            theirs: before,
            better: 'less',
            targetRatio: 0.9,
          },
        ]),
    ...of('seconds until the slow ones have everything', 'catchUpSeconds'),
  ];
}
