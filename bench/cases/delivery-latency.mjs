/**
 * Latency at 50 events a second: from the time at which an event was due to be published until each subscriber has read it. The
 * publisher keeps to its schedule whether or not answers come (open loop), so waiting is counted and not left out. Next to Nchan, to Durable Streams
 * and to a plain loop over sockets in Node (the limit). Tidewire's figure holds the commit in it; of the others only Durable Streams stores anything.
 */
import { createContest, rowsAgainst } from '../kit/contest.mjs';
import { startOpenLoop } from '../kit/open-loop.mjs';
import { durableStreamsTarget, message, nchanTarget, plainTarget, stamped, tidewireTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const eventsPerSecond = 50;

export const deliveryLatency = {
  name: 'latency',
  title: `Latency from publish to every subscriber at ${eventsPerSecond} events/s`,

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, latencySubscribers, clientProcesses, product, say }) {
    const contest = createContest(say);
    const starters = [() => tidewireTarget(product), nchanTarget, durableStreamsTarget, plainTarget];
    const targets = await contest.start(starters);
    const rows = [];
    const details = { eventsPerSecond };
    for (const size of latencySubscribers) {
      const fleets = [];
      const measures = new Map();
      for (const target of targets) {
        say(`${size} subscribers, warm-up: ${target.name}`);
        const faults = await contest.attempt(target, async () => {
          const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
          const common = { dialect, port, path, headers, measureLatency: true };
          const fleet = await startFleet({ ...common, subscribers: size, processes: clientProcesses });
          fleets.push(fleet);
          const measure = createMeasure(target, fleet);
          measures.set(target.name, measure);
          return (await measure(Math.min(seconds, 3))).faults;
        });
        contest.note(target, faults ?? []);
      }
      const results = await contest.rounds(runs, targets, (target) => measures.get(target.name)(seconds));
      for (const fleet of fleets) await fleet.stop();
      details[size] = results;
      rows.push(...rowsOf(size, results, targets));
    }
    for (const target of targets) await target.stop();
    const { faults, peerFaults, skipped } = contest;
    return { rows, faults, peerFaults, skipped, details };
  },
};

/** @param {import('../kit/targets.mjs').Target} target @param {Awaited<ReturnType<typeof startFleet>>} fleet */
function createMeasure(target, fleet) {
  let next = 1;
  return async (seconds) => {
    const loop = startOpenLoop({
      url: target.publishUrl,
      headers: target.publishHeaders,
      perSecond: eventsPerSecond,
      bodyOf: (number, due) => stamped(message, number, due),
      firstNumber: next,
    });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const last = await loop.stop();
    const { faults, events } = await fleet.reach(last, 20_000);
    next = last + 1;
    if (faults.length === 0 && events !== last) faults.push(`${last} events were published, but ${events} came`);
    return { ...(await fleet.latencies()), faults };
  };
}

function rowsOf(size, results, targets) {
  const of = (percent, field) =>
    rowsAgainst(results, targets, {
      what: `${percent} ms, ${size} ${size === 1 ? 'subscriber' : 'subscribers'}`,
      ...{ field, better: 'less' },
      targets: percent === 'p99' && size === 1_000 ? { Nchan: 1 } : {},
    });
  return [...of('p50', 'p50Ms'), ...of('p99', 'p99Ms'), ...of('p99.9', 'p999Ms')];
}
