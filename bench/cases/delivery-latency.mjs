/**
 * Latency at 50 events a second: from the time at which an event was due to be published until each subscriber has read it. The
 * publisher keeps to its schedule whether or not answers come (open loop), so waiting is counted and not left out. Next to Nchan
 * and to a plain loop over sockets in Node (the limit). Tidewire's figure holds the commit in it; the others store nothing.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { alternate } from '../kit/alternate.mjs';
import { bodyOf } from '../kit/load.mjs';
import { message, nchanTarget, plainTarget, publish, tidewireTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const eventsPerSecond = 50;

export const deliveryLatency = {
  name: 'latency',
  title: `Latency from publish to every subscriber at ${eventsPerSecond} events/s`,

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, clientProcesses, product, say }) {
    const found = [await tidewireTarget(product), await nchanTarget(), await plainTarget()];
    const skipped = found.flatMap((one) => ('missing' in one ? [{ other: 'Nchan', why: one.missing }] : []));
    const targets = found.flatMap((one) => ('missing' in one ? [] : [one]));
    const faults = [];
    const contenders = {};
    const fleets = [];
    for (const target of targets) {
      const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
      const fleet = await startFleet({
        dialect,
        port,
        path,
        headers,
        subscribers,
        processes: clientProcesses,
        measureLatency: true,
      });
      fleets.push(fleet);
      const measure = createMeasure(target, fleet);
      contenders[target.name] = () => measure(seconds);
      say(`warm-up: ${target.name}`);
      faults.push(...(await measure(Math.min(seconds, 5))).faults.map((fault) => `${target.name}: ${fault}`));
    }
    const results = await alternate(runs, contenders, say);
    for (const [name, all] of Object.entries(results))
      faults.push(...all.flatMap((result) => result.faults.map((fault) => `${name}: ${fault}`)));
    for (const fleet of fleets) await fleet.stop();
    for (const target of targets) await target.stop();
    return {
      rows: rowsOf(subscribers, results),
      faults,
      skipped,
      details: { subscribers, eventsPerSecond, ...results },
    };
  },
};

/** @param {import('../kit/targets.mjs').Target} target @param {Awaited<ReturnType<typeof startFleet>>} fleet */
function createMeasure(target, fleet) {
  let number = 0;
  return async (seconds) => {
    const began = Number(process.hrtime.bigint() / 1000n) + 100_000;
    const answers = [];
    for (let index = 0; index < seconds * eventsPerSecond; index += 1) {
      const due = began + (index * 1_000_000) / eventsPerSecond;
      const wait = (due - Number(process.hrtime.bigint() / 1000n)) / 1000;
      if (wait > 0) await delay(wait);
      number += 1;
      answers.push(publish(target, stamped(number, due)));
    }
    await Promise.all(answers);
    const { faults } = await fleet.reach(number);
    return { ...(await fleet.latencies()), faults };
  };
}

/** The usual message with the time at which it is due, in microseconds of the monotonic clock. */
function stamped(number, due) {
  const stamp = `","t":${Math.round(due)},"text":"`;
  return bodyOf(
    {
      before: message.before,
      behind: message.behind.replace('","text":"', stamp).replace('x'.repeat(stamp.length - 10), ''),
    },
    number,
  );
}

function rowsOf(subscribers, results) {
  const others = { 'Nchan, 1 worker': results.Nchan, 'plain socket.write in Node': results['plain sockets'] };
  const of = (field, all) => all?.map((result) => result[field]);
  return ['p50Ms', 'p99Ms'].flatMap((field) =>
    Object.entries(others).map(([other, theirs]) => ({
      what: `${field.slice(0, 3)} ms, ${subscribers} subscribers`,
      ours: of(field, results.Tidewire),
      other,
      theirs: of(field, theirs),
      better: 'less',
    })),
  );
}
