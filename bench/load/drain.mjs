/**
 * Row F11 of the reliability table: a server with all the streams is stopped with SIGTERM while events go on, and ends its streams over DRAIN_SECONDS; they
 * come back to the other server. They must not come all at once, the server must end by itself, and every stream must have every event once and in order.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startPublisher } from './publisher.mjs';
import { startReturningFleet } from './returning-fleet.mjs';
import { startTwoNodes } from './two-nodes.mjs';

/** What a server may take beside the drain: requests that run, connections, files. */
const graceSeconds = 15;

export const drain = {
  name: 'drain',
  title: 'F11: a server is stopped in the ordinary way, its streams come back to another one',
  defaults: { streams: 10_000, rate: 1, seconds: 30, bytes: 200 },

  /** @param {import('./load.mjs').Context} context `seconds`: of the drain */
  async run({ streams, rate, seconds, bytes, processes, say, onCleanup }) {
    const { nodes, key, hasRedis } = await startTwoNodes({ env: { DRAIN_SECONDS: String(seconds) }, onCleanup });
    const [first, second] = nodes;
    const ports = nodes.map(({ port }) => port);
    const fleet = await startReturningFleet({ ports, key, streams, processes });
    say(
      `${await fleet.countOpen()} streams on one server; ${hasRedis ? 'Redis carries the hints' : 'no Redis: hints once a second'}`,
    );
    const publisher = startPublisher({ port: second.port, key, rate, bytes });
    await delay(5_000);
    const began = performance.now();
    const how = await first.stop({ signal: 'SIGTERM', graceMs: (seconds + graceSeconds) * 1000 });
    const took = (performance.now() - began) / 1000;
    say(`the server ended with ${how} after ${took.toFixed(1)} s`);
    await delay(5_000);
    await publisher.stop();
    const report = await fleet.reach(publisher.state.newestId, 60_000);
    await fleet.stop();
    const faults = [...publisher.state.faults, ...report.faults];
    if (how !== 'code 0') faults.push(`the server ended with ${how}: ${first.output().slice(-1000)}`);
    if (report.returns.length !== streams) faults.push(`${report.returns.length} returns of ${streams} streams`);
    const away = report.returns.map(([lostAt, , backAt]) => (backAt - lostAt) / 1000);
    const { mean, peak, length } = ratesOf(report.returns.map(([, askedAt]) => askedAt));
    return {
      faults,
      figures: [
        { what: 'streams that came back', value: report.returns.length },
        { what: 'they asked over so many seconds', value: length },
        { what: 'returns per second, mean', value: mean },
        { what: 'returns in the fullest second', value: peak, atMost: 2 * mean, isFault: true },
        { what: 'longest from the loss to the open stream, s', value: Math.max(...away) },
        { what: 'the server ended after, s', value: took, atMost: seconds + graceSeconds, isFault: true },
        { what: 'events published', value: publisher.state.sent },
        { what: 'deliveries that were checked', value: report.events },
      ],
    };
  },
};

/** How many came in a second, on average from the first to the last, and in the fullest one of all that begin with a return. @param {number[]} times in ms */
function ratesOf(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const length = ((sorted.at(-1) ?? 0) - (sorted[0] ?? 0)) / 1000;
  let peak = 0;
  let end = 0;
  for (const [index, time] of sorted.entries()) {
    while (end < sorted.length && sorted[end] < time + 1000) end += 1;
    peak = Math.max(peak, end - index);
  }
  return { mean: sorted.length / length, peak, length };
}
