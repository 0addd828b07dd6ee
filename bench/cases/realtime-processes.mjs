/**
 * What streams cost the writers: POST over HTTP at saturation while 1,000 streams hear every event, with the streams in the process that
 * commits and in one of their own (REALTIME_PROCESSES=1), and, as the limit, without any stream. Both servers run at the same time and
 * are measured in turns, so each has the processors to itself.
 *
 * A run counts as in `fan-out`: every subscriber must have every event once and in order.
 */
import { alternate } from '../kit/alternate.mjs';
import { bodyOf, runLoad } from '../kit/load.mjs';
import { cpuSeconds } from '../kit/proc.mjs';
import { message, publish, tidewireTarget } from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const connections = 64;

export const realtimeProcesses = {
  name: 'processes',
  title: 'Writes while 1,000 streams hear them, streams in a process of their own',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, clientProcesses, product, say }) {
    const servers = {
      apart: await tidewireTarget(product, { REALTIME_PROCESSES: '1' }),
      together: await tidewireTarget(product),
      alone: await tidewireTarget(product),
    };
    const faults = [];
    const contenders = {};
    const fleets = [];
    for (const [name, target] of Object.entries(servers)) {
      const fleet = name === 'alone' ? null : await openFleet(target, subscribers, clientProcesses);
      if (fleet !== null) fleets.push(fleet);
      const measure = createMeasure(target, fleet);
      contenders[name] = () => measure(seconds);
      say(`warm-up: ${name}`);
      faults.push(...(await measure(Math.min(seconds, 5))).faults.map((fault) => `${name}: ${fault}`));
    }
    const results = await alternate(runs, contenders, say);
    for (const [name, all] of Object.entries(results))
      faults.push(...all.flatMap((result) => result.faults.map((fault) => `${name}: ${fault}`)));
    for (const fleet of fleets) await fleet.stop();
    for (const target of Object.values(servers)) await target.stop();
    return { rows: rowsOf(results), faults, details: { subscribers, connections, ...results } };
  },
};

function openFleet({ dialect, port, subscribePath: path, subscribeHeaders: headers }, subscribers, processes) {
  return startFleet({ dialect, port, path, headers, subscribers, processes });
}

/** @param {import('../kit/targets.mjs').Target} target @param {Awaited<ReturnType<typeof startFleet>> | null} fleet */
function createMeasure(target, fleet) {
  let run = 0;
  let eventsBefore = 0;
  return async (seconds) => {
    run += 1;
    const last = 900_000_000 + run;
    const { publishUrl: url, publishHeaders: headers } = target;
    const cpuBefore = cpuSeconds(target.streamPids());
    const began = Number(process.hrtime.bigint()) / 1e6;
    const load = { url, headers, body: message, firstNumber: run * 10_000_000, connections, seconds };
    const { answered, perSecond, p50Ms, p99Ms } = await runLoad(load);
    const commitCpuMicroseconds = ((cpuSeconds(target.streamPids()) - cpuBefore) * 1e6) / answered;
    if (fleet === null) return { perSecond, p50Ms, p99Ms, commitCpuMicroseconds, faults: [] };
    await publish(target, bodyOf(message, last));
    const report = await fleet.reach(last, 120_000);
    const events = report.events - eventsBefore;
    eventsBefore = report.events;
    const faults = [...report.faults];
    const unanswered = events - 1 - answered;
    if (unanswered < 0 || unanswered > connections)
      faults.push(`${answered} messages were accepted, but ${events - 1} came`);
    const deliveriesPerSecond = (events * report.subscribers * 1000) / (report.lastReadAt - began);
    return { perSecond, p50Ms, p99Ms, commitCpuMicroseconds, deliveriesPerSecond, faults };
  };
}

function rowsOf({ apart, together, alone }) {
  const of = (results, field) => results.map((result) => result[field]);
  const row = (what, field, better, other, theirs) => ({
    what,
    ours: of(apart, field),
    other,
    theirs: of(theirs, field),
    better,
  });
  const one = 'the same process';
  const none = 'without streams';
  return [
    row('commits/s, 64 connections', 'perSecond', 'more', one, together),
    row('commits/s, 64 connections', 'perSecond', 'more', none, alone),
    row('p50 ms of POST', 'p50Ms', 'less', one, together),
    row('p99 ms of POST', 'p99Ms', 'less', one, together),
    row('p99 ms of POST', 'p99Ms', 'less', none, alone),
    row('CPU µs of the committing process per commit', 'commitCpuMicroseconds', 'less', one, together),
    row('CPU µs of the committing process per commit', 'commitCpuMicroseconds', 'less', none, alone),
    row('deliveries/s', 'deliveriesPerSecond', 'more', one, together),
  ];
}
