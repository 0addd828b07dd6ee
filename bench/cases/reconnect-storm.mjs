/**
 * A reconnect storm: all streams are cut at once and come back as fast as they are accepted, while 20 writes a second go on. Tidewire's clients and Nchan's
 * come back with their cursors, and every one of them must have every event, those of the gap included. The other peers know no cursor: there each stream
 * goes on where it can, and must miss nothing from then on.
 *
 * Live: every stream is open and has every event up to the last one that was published when the last of them had been opened.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { createContest, rowsAgainst } from '../kit/contest.mjs';
import { startOpenLoop } from '../kit/open-loop.mjs';
import {
  betterSseTarget,
  message,
  nchanTarget,
  plainTarget,
  socketIoTarget,
  stamped,
  tidewireTarget,
} from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const writesPerSecond = 20;
const calmSeconds = 3;

export const reconnectStorm = {
  name: 'storm',
  title: `Reconnect storm while ${writesPerSecond} writes/s go on`,

  /** @param {import('../run.mjs').Context} context */
  async run({ memoryRuns, stormStreams: streams, clientProcesses, product, say }) {
    const contest = createContest(say);
    const starters = [() => tidewireTarget(product), nchanTarget, socketIoTarget, betterSseTarget, plainTarget];
    const { results, targets } = await contest.roundsAlone(memoryRuns, starters, (target) =>
      measure(target, streams, clientProcesses),
    );
    const { faults, peerFaults, skipped } = contest;
    const rows = rowsOf(streams, results, targets);
    return { rows, faults, peerFaults, skipped, details: { streams, writesPerSecond, ...results } };
  },
};

/** @param {import('../kit/targets.mjs').Target} target */
async function measure(target, streams, processes) {
  const { dialect, port, subscribePath: path, subscribeHeaders: headers, publishUrl: url, publishHeaders } = target;
  const common = { dialect, port, path, headers, processes, openAtOnce: 512 };
  // One in each process stays, and is the measure of the others.
  const fleet = await startFleet({ ...common, subscribers: processes });
  const bodyOf = (number, due) => stamped(message, number, due);
  const loop = startOpenLoop({ url, headers: publishHeaders, perSecond: writesPerSecond, bodyOf, firstNumber: 1 });
  try {
    return await loop.whileItKeepsUp(storm());
  } finally {
    await loop.stop().catch(() => undefined);
    await fleet.stop();
  }

  async function storm() {
    await fleet.reach(2, 60_000, { isMoving: true });
    const first = await fleet.openMore(streams);
    await delay(1_000);
    await fleet.reach(loop.number, 60_000, { isMoving: true });
    const calmFrom = loop.now();
    await delay(calmSeconds * 1_000);
    const cutAt = loop.now();
    const second = await fleet.reconnect({ kept: 1, hasCursors: target.resumes });
    const live = await fleet.reach(loop.number, 60_000, { isMoving: true });
    const liveAt = loop.now();
    await delay(500);
    const last = await loop.stop();
    const { faults, events, firstId } = await fleet.reach(last);
    if (faults.length === 0 && events !== last) faults.push(`${last} events were published, but ${events} came`);
    const [calm, storm] = [loop.between(calmFrom, cutAt), loop.between(cutAt, liveAt)];
    return {
      connectsPerSecond: (streams * 1_000) / first.milliseconds,
      reconnectsPerSecond: (streams * 1_000) / second.milliseconds,
      liveSeconds: (liveAt - cutAt) / 1e6,
      calmP99Ms: calm.p99Ms,
      stormP99Ms: storm.p99Ms,
      stormMaxMs: storm.maxMs,
      writesInStorm: storm.count,
      firstId,
      faults: [...new Set([...live.faults, ...faults])],
    };
  }
}

function rowsOf(streams, results, targets) {
  const of = (what, field, better, more = {}) => rowsAgainst(results, targets, { what, field, better, ...more });
  const calm = results.Tidewire?.map(({ calmP99Ms }) => calmP99Ms);
  const storm = results.Tidewire?.map(({ stormP99Ms }) => stormP99Ms);
  return [
    ...of(`reconnects/s, ${streams} streams`, 'reconnectsPerSecond', 'more', {
      targets: { 'Socket.IO': 2, 'plain sockets': 0.6 },
    }),
    ...of('first connects/s', 'connectsPerSecond', 'more').slice(0, 1),
    ...of('seconds until all are live', 'liveSeconds', 'less'),
    ...of('p99 ms of a write in the storm', 'stormP99Ms', 'less'),
    ...(storm === undefined
      ? []
      : [
          {
            what: 'p99 ms of a write in the storm',
            ours: storm,
            other: 'in the calm before it',
            theirs: calm,
            better: 'less',
          },
        ]),
  ];
}
