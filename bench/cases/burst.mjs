/**
 * Bursts: 100 events that arrive at once, for 1,000 subscribers, the next burst when every subscriber has all. Tidewire gets them as one list of documents,
 * so that they are one commit; the others as 100 requests in one write on one connection.
 *
 * Writes: calls of write and writev of the process with the streams, for each subscriber and burst. A program that uses send is not counted.
 */
import { createContest, rowsAgainst } from '../kit/contest.mjs';
import { bodyOf } from '../kit/load.mjs';
import { publishAtOnce } from '../kit/pipeline.mjs';
import { cpuSeconds, writeCalls } from '../kit/proc.mjs';
import {
  betterSseTarget,
  bunTarget,
  epollTarget,
  message,
  nchanTarget,
  plainTarget,
  socketIoTarget,
  tidewireTarget,
  wsTarget,
} from '../kit/targets.mjs';
import { startFleet } from '../streams/fleet.mjs';

const eventsInBurst = 100;
const leastBursts = 3;

export const burst = {
  name: 'burst',
  title: `Bursts of ${eventsInBurst} events`,

  /** @param {import('../run.mjs').Context} context */
  async run({ runs, seconds, subscribers, clientProcesses, product, say }) {
    const contest = createContest(say);
    const targets = await contest.start([
      ...[() => tidewireTarget(product), nchanTarget, bunTarget, wsTarget, socketIoTarget, betterSseTarget],
      ...[plainTarget, epollTarget],
    ]);
    const fleets = [];
    const measures = new Map();
    for (const target of targets) {
      say(`warm-up: ${target.name}`);
      const { dialect, port, subscribePath: path, subscribeHeaders: headers } = target;
      const fleet = await startFleet({ dialect, port, path, headers, subscribers, processes: clientProcesses });
      fleets.push(fleet);
      const measure = createMeasure(target, fleet);
      measures.set(target.name, measure);
      contest.note(target, (await contest.attempt(target, () => measure(1)))?.faults ?? []);
    }
    const results = await contest.rounds(runs, targets, (target) => measures.get(target.name)(seconds));
    for (const fleet of fleets) await fleet.stop();
    for (const target of targets) await target.stop();
    const { faults, peerFaults, skipped } = contest;
    return { rows: rowsOf(subscribers, results, targets), faults, peerFaults, skipped, details: results };
  },
};

/** @param {import('../kit/targets.mjs').Target} target @param {Awaited<ReturnType<typeof startFleet>>} fleet */
function createMeasure(target, fleet) {
  let sent = 0;
  return async (seconds) => {
    const [pid = 0] = target.streamPids();
    const until = performance.now() + seconds * 1000;
    const before = { writes: writeCalls(pid), cpu: cpuSeconds(target.streamPids()), sent };
    const faults = [];
    let milliseconds = 0;
    let bursts = 0;
    while (faults.length === 0 && (bursts < leastBursts || performance.now() < until)) {
      const began = Number(process.hrtime.bigint()) / 1e6;
      const first = sent + 1;
      sent += eventsInBurst;
      await publishBurst(target, first);
      const report = await fleet.reach(sent);
      faults.push(...report.faults);
      if (report.events !== sent) faults.push(`${sent} events were published, but ${report.events} came`);
      milliseconds += report.lastReadAt - began;
      bursts += 1;
    }
    const { subscribers } = await fleet.reach(sent);
    const deliveries = (sent - before.sent) * subscribers;
    return {
      deliveriesPerSecond: (deliveries * 1000) / milliseconds,
      burstMs: milliseconds / bursts,
      writesPerSubscriber: (writeCalls(pid) - before.writes) / subscribers / bursts,
      cpuMicroseconds: ((cpuSeconds(target.streamPids()) - before.cpu) * 1e6) / deliveries,
      faults,
    };
  };
}

async function publishBurst(target, first) {
  const numbers = Array.from({ length: eventsInBurst }, (_, index) => first + index);
  if (target.name !== 'Tidewire')
    return publishAtOnce(
      target,
      numbers.map((number) => bodyOf(message, number)),
    );
  const documents = numbers.map((number) => ({ n: String(number).padStart(9, '0') }));
  const url = new URL('/rest/company', target.publishUrl);
  const response = await fetch(url, {
    method: 'POST',
    headers: target.publishHeaders,
    body: JSON.stringify(documents),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST ${url} answered ${response.status}: ${text}`);
}

function rowsOf(subscribers, results, targets) {
  const of = (what, field, better, more = {}) => rowsAgainst(results, targets, { what, field, better, ...more });
  const counted = targets.filter(({ name }) => name !== 'Bun');
  return [
    ...of(`deliveries/s, ${subscribers} subscribers`, 'deliveriesPerSecond', 'more'),
    ...of('CPU µs per delivery of the process with the streams', 'cpuMicroseconds', 'less'),
    ...rowsAgainst(results, counted, {
      ...{ what: 'writes per subscriber and burst', field: 'writesPerSubscriber', better: 'less' },
      targetAtMost: 1.5,
    }),
    ...of('ms from publish to the last read', 'burstMs', 'less').slice(0, 1),
  ];
}
