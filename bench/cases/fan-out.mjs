/**
 * Deliveries to many subscribers while the publisher does all it can (POST over HTTP, the next as soon as there is an answer), next to
 * Nchan with one worker. Tidewire stores each event durably before it is delivered; Nchan keeps messages in memory.
 *
 * A run ends when every subscriber has the last event; the time until then counts. CPU is that of the server alone, so a client that
 * shares the cores does not spoil it. Tidewire's is given with and without PostgreSQL; the ratio is with.
 */
import { alternate } from '../kit/alternate.mjs';
import { bodyOf, runLoad } from '../kit/load.mjs';
import { cpuSeconds } from '../kit/proc.mjs';
import { message, nchanTarget, publish, tidewireTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

/** Of the publisher. Nchan does its best with a few: its one process delivers before it takes the next message. */
const connections = { tidewire: 64, nchan: 16 };

export const fanOut = {
  name: 'fan-out',
  title: 'Fan-out at saturation, 256-byte messages',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, clientProcesses, product, say }) {
    const found = [await tidewireTarget(product), await nchanTarget()];
    const skipped = found.flatMap((one) => ('missing' in one ? [{ other: 'Nchan', why: one.missing }] : []));
    const targets = found.flatMap((one) => ('missing' in one ? [] : [one]));
    const faults = [];
    const contenders = {};
    const fleets = [];
    for (const target of targets) {
      const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
      const fleet = await startFleet({ dialect, port, path, headers, subscribers, processes: clientProcesses });
      fleets.push(fleet);
      const measure = createMeasure(target, fleet);
      contenders[dialect] = () => measure(seconds);
      say(`warm-up: ${target.name}`);
      faults.push(...(await measure(Math.min(seconds, 10))).faults.map((fault) => `${target.name}: ${fault}`));
    }
    const results = await alternate(runs, contenders, say);
    for (const [name, all] of Object.entries(results))
      faults.push(...all.flatMap((result) => result.faults.map((fault) => `${name}: ${fault}`)));
    for (const fleet of fleets) await fleet.stop();
    for (const target of targets) await target.stop();
    return { rows: rowsOf(subscribers, results), faults, skipped, details: { subscribers, connections, ...results } };
  },
};

/** @param {import('../kit/targets.mjs').Target} target @param {Awaited<ReturnType<typeof startFleet>>} fleet */
function createMeasure(target, fleet) {
  let run = 0;
  let eventsBefore = 0;
  return async (seconds) => {
    run += 1;
    const last = 900_000_000 + run;
    const before = {
      server: cpuSeconds(target.allPids()),
      streams: cpuSeconds(target.streamPids()),
      clients: cpuSeconds(fleet.pids),
    };
    const began = Number(process.hrtime.bigint()) / 1e6;
    const load = {
      url: target.publishUrl,
      headers: target.publishHeaders,
      body: message,
      firstNumber: run * 10_000_000,
    };
    const { answered } = await runLoad({ ...load, connections: connections[target.dialect], seconds });
    await publish(target, bodyOf(message, last));
    const report = await fleet.reach(last, 120_000);
    const elapsed = (report.lastReadAt - began) / 1000;
    const events = report.events - eventsBefore;
    eventsBefore = report.events;
    const deliveries = events * report.subscribers;
    const server = cpuSeconds(target.allPids()) - before.server;
    const faults = [...report.faults];
    // One request of each connection may have been on its way when the load ended.
    const unanswered = events - 1 - answered;
    if (unanswered < 0 || unanswered > connections[target.dialect])
      faults.push(`${answered} messages were accepted, but ${events - 1} came`);
    return {
      deliveriesPerSecond: deliveries / elapsed,
      eventsPerSecond: answered / seconds,
      cpuMicroseconds: (server * 1e6) / deliveries,
      streamCpuMicroseconds: ((cpuSeconds(target.streamPids()) - before.streams) * 1e6) / deliveries,
      serverCores: server / elapsed,
      clientCores: (cpuSeconds(fleet.pids) - before.clients) / elapsed,
      faults,
    };
  };
}

function rowsOf(subscribers, { tidewire, nchan }) {
  const of = (results, field) => results?.map((result) => result[field]);
  const row = (what, field, better, more = {}) => ({
    what,
    ours: of(tidewire, field),
    other: 'Nchan, 1 worker',
    theirs: of(nchan, field),
    better,
    ...more,
  });
  return [
    row(`deliveries/s, ${subscribers} subscribers`, 'deliveriesPerSecond', 'more', { targetRatio: 10 }),
    row('server CPU µs per delivery', 'cpuMicroseconds', 'less', { targetRatio: 10 }),
    row('the same without PostgreSQL', 'streamCpuMicroseconds', 'less'),
    row('events/s accepted', 'eventsPerSecond', 'more'),
  ];
}
