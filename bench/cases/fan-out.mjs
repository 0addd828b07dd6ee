/**
 * Deliveries to many subscribers while the publisher does all it can (POST over HTTP, the next as soon as there is an answer). Tidewire and Durable
 * Streams store each event before it is delivered; the other peers keep messages in memory or nowhere. With 1,000 subscribers next to all
 * peers, with other numbers of them next to Nchan (one worker) and the limits.
 *
 * A run ends when every subscriber has the last event; the time until then counts. CPU is that of the server alone, so a client that
 * shares the cores does not spoil it. Tidewire's is given with and without PostgreSQL; the ratio is with.
 */
import { createContest, rowsAgainst } from '../kit/contest.mjs';
import { bodyOf, runLoad } from '../kit/load.mjs';
import { cpuSeconds } from '../kit/proc.mjs';
import {
  betterSseTarget,
  bunTarget,
  durableStreamsTarget,
  epollTarget,
  message,
  nchanTarget,
  plainTarget,
  publish,
  socketIoTarget,
  tidewireTarget,
  wsTarget,
} from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

/** Measured with every number of subscribers. */
const everywhere = new Set(['Tidewire', 'Nchan', 'plain sockets', 'epoll']);

export const fanOut = {
  name: 'fan-out',
  title: 'Fan-out at saturation, 256-byte messages',

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, fanOutSubscribers, clientProcesses, product, say }) {
    const contest = createContest(say);
    const targets = await contest.start([
      ...[() => tidewireTarget(product), nchanTarget, bunTarget, wsTarget, socketIoTarget, betterSseTarget],
      ...[durableStreamsTarget, plainTarget, epollTarget],
    ]);
    const rows = [];
    const details = {};
    for (const size of [...new Set([...fanOutSubscribers, subscribers])].sort((a, b) => a - b)) {
      const contenders = targets.filter(({ name }) => size === subscribers || everywhere.has(name));
      const results = await measureSize(contest, contenders, { size, runs, seconds, clientProcesses, say });
      details[size] = results;
      rows.push(...rowsOf(size, results, contenders, size === subscribers));
    }
    for (const target of targets) await target.stop();
    const { faults, peerFaults, skipped } = contest;
    return { rows, faults, peerFaults, skipped, details };
  },
};

async function measureSize(contest, targets, { size, runs, seconds, clientProcesses, say }) {
  const fleets = [];
  const measures = new Map();
  for (const target of targets) {
    say(`${size} subscribers, warm-up: ${target.name}`);
    const faults = await contest.attempt(target, async () => {
      const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
      const fleet = await startFleet({ dialect, port, path, headers, subscribers: size, processes: clientProcesses });
      fleets.push(fleet);
      const measure = createMeasure(target, fleet);
      measures.set(target.name, measure);
      return (await measure(Math.min(seconds, 3))).faults;
    });
    contest.note(target, faults ?? []);
  }
  const results = await contest.rounds(runs, targets, (target) => measures.get(target.name)(seconds));
  for (const fleet of fleets) await fleet.stop();
  return results;
}

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
    const { publishUrl: url, publishHeaders: headers, connections } = target;
    const load = { url, headers, body: message, firstNumber: run * 10_000_000 };
    const { answered } = await runLoad({ ...load, connections, seconds });
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
    if (unanswered < 0 || unanswered > connections)
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

function rowsOf(size, results, targets, isMain) {
  const targetsOf = isMain ? { Nchan: 10 } : {};
  const of = (what, field, better, ratios = {}) =>
    rowsAgainst(results, targets, { what, field, better, targets: ratios });
  return [
    ...of(`deliveries/s, ${size} subscribers`, 'deliveriesPerSecond', 'more', targetsOf),
    ...of(`server CPU µs per delivery, ${size} subscribers`, 'cpuMicroseconds', 'less', targetsOf),
    ...(isMain ? of('the same without PostgreSQL', 'streamCpuMicroseconds', 'less') : []),
    ...of(`events/s accepted, ${size} subscribers`, 'eventsPerSecond', 'more').slice(0, 1),
  ];
}
