/**
 * What subscribers cost the writers: POST over HTTP at saturation with 0, 100 and 1,000 streams that hear every event. The same for the peer that stores what
 * it delivers, and for Nchan. `processes` has the same with the streams in a process of their own.
 */
import { createContest } from '../kit/contest.mjs';
import { bodyOf, runLoad } from '../kit/load.mjs';
import { durableStreamsTarget, message, nchanTarget, publish, tidewireTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const none = 0;

export const interference = {
  name: 'interference',
  title: 'Writes per second while streams hear them',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, clientProcesses, product, say }) {
    const contest = createContest(say);
    const targets = await contest.start([() => tidewireTarget(product), nchanTarget, durableStreamsTarget]);
    const sizes = [...new Set([none, 100, subscribers])];
    const results = Object.fromEntries(targets.map(({ name }) => [name, {}]));
    const sequence = { number: 0 };
    for (const size of sizes) {
      const fleets = new Map();
      for (const target of targets) {
        if (size > none)
          await contest.attempt(target, async () =>
            fleets.set(target.name, await openFleet(target, size, clientProcesses)),
          );
        say(`${size} streams, warm-up: ${target.name}`);
        await contest.attempt(target, () => measure(target, fleets.get(target.name), Math.min(seconds, 3), sequence));
      }
      const measured = await contest.rounds(runs, targets, (target) =>
        measure(target, fleets.get(target.name), seconds, sequence),
      );
      for (const [name, all] of Object.entries(measured)) results[name][size] = all;
      for (const fleet of fleets.values()) await fleet.stop();
    }
    for (const target of targets) await target.stop();
    const { faults, peerFaults, skipped } = contest;
    return { rows: rowsOf(sizes, results, targets), faults, peerFaults, skipped, details: results };
  },
};

function openFleet({ dialect, port, subscribePath: path, subscribeHeaders: headers }, subscribers, processes) {
  return startFleet({ dialect, port, path, headers, subscribers, processes });
}

async function measure(target, fleet, seconds, sequence) {
  sequence.number += 1;
  const last = 900_000_000 + sequence.number;
  const { publishUrl: url, publishHeaders: headers, connections } = target;
  const eventsBefore = fleet?.events ?? 0;
  const load = { url, headers, body: message, firstNumber: sequence.number * 2_000_000, connections, seconds };
  const { answered, perSecond, p99Ms } = await runLoad(load);
  if (fleet === undefined) return { perSecond, p99Ms, faults: [] };
  await publish(target, bodyOf(message, last));
  const report = await fleet.reach(last, 120_000);
  fleet.events = report.events;
  const faults = [...report.faults];
  const unanswered = report.events - eventsBefore - 1 - answered;
  if (unanswered < 0 || unanswered > connections)
    faults.push(`${answered} messages were accepted, but ${report.events - eventsBefore - 1} came`);
  return { perSecond, p99Ms, faults };
}

function rowsOf(sizes, results, targets) {
  return targets.flatMap(({ name, label }) => {
    const of = (size, field) => results[name][size]?.map((result) => result[field]);
    const own = name === 'Tidewire' ? '' : `${label}: `;
    return sizes
      .filter((size) => size > none && results[name][size] !== undefined && results[name][none] !== undefined)
      .map((size) => ({
        ...{ what: `${own}writes/s, ${size} streams`, ours: of(size, 'perSecond'), better: 'more' },
        ...{ other: 'without streams', theirs: of(none, 'perSecond') },
        ...(name === 'Tidewire' && size === 100 ? { targetRatio: 0.58 } : {}),
      }));
  });
}
