/**
 * What an open, idle stream costs: resident memory of the server after the streams have been open for a while, less the memory before,
 * divided by their number. The kernel's own memory (slab) is given beside it; it counts both ends of each connection, since the
 * clients are on the same machine. Each run has a server of its own. At the end every stream still gets its events.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from '../kit/alternate.mjs';
import { bodyOf } from '../kit/load.mjs';
import { commandLine, residentBytes, slabBytes } from '../kit/proc.mjs';
import { message, nchanTarget, publish, tidewireTarget } from '../kit/targets.mjs';
import { findNchan } from '../kit/tools.mjs';
import { startFleet } from '../streams/fleet.mjs';

const idleSeconds = 20;
const settleMs = 3_000;

export const idleStreams = {
  name: 'idle',
  title: `Memory of an idle stream after ${idleSeconds} s`,

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
  await publish(target, bodyOf(message, 1));
  await delay(settleMs);
  const resident = () => target.streamPids().reduce((total, pid) => total + residentBytes(pid), 0);
  const before = { resident: resident(), slab: slabBytes() };
  const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
  const fleet = await startFleet({ dialect, port, path, headers, subscribers: streams, processes: clientProcesses });
  await delay(idleSeconds * 1000);
  const after = { resident: resident(), slab: slabBytes() };
  for (const number of [2, 3, 4]) await publish(target, bodyOf(message, number));
  const { events, faults } = await fleet.reach(4);
  if (events !== 3) faults.push(`3 events were published, but ${events} came`);
  const result = {
    kibibytes: (after.resident - before.resident) / streams / 1024,
    slabKibibytes: (after.slab - before.slab) / streams / 1024,
    residentBeforeMebibytes: before.resident / 1024 / 1024,
    residentAfterMebibytes: after.resident / 1024 / 1024,
    commandLine: target.streamPids().map((pid) => commandLine(pid).join(' ')),
    faults,
  };
  await fleet.stop();
  await target.stop();
  return result;
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
    row(`KiB resident per stream, ${streams} streams`, 'kibibytes', { targetAtMost: 14 }),
    row('KiB kernel slab per stream (both ends)', 'slabKibibytes'),
  ];
}
