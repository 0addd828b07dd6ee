/**
 * Row F10 of the reliability table: all streams are on one of two servers, which is killed with SIGKILL while events go on; all come back to the other one. Every
 * stream must be back in time and have every event once and in order; the second server may not take more connections to PostgreSQL than its pools
 * have. What its event loop is busy with is seen by a request of `/health`, which waits for it, and on a small machine for a processor as well.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { percentile } from '../kit/statistics.mjs';
import { healthDelayMs, sample } from './probe.mjs';
import { startPublisher } from './publisher.mjs';
import { startReturningFleet } from './returning-fleet.mjs';
import { startTwoNodes } from './two-nodes.mjs';

/** Connections that one server may have: 10 for reads, 4 of the commit lane, 1 for long work (`connectPostgres`). */
const poolSize = 15;

export const reconnectStorm = {
  name: 'reconnect-storm',
  title: 'F10: a server is killed, its streams come back to another one',
  defaults: { streams: 10_000, rate: 1, seconds: 60, bytes: 200 },

  /** @param {import('./load.mjs').Context} context */
  async run({ streams, rate, seconds, bytes, processes, say, onCleanup }) {
    const { nodes, key, hasRedis, countConnections } = await startTwoNodes({ onCleanup });
    const [first, second] = nodes;
    const ports = nodes.map(({ port }) => port);
    const fleet = await startReturningFleet({ ports, key, streams, processes });
    say(
      `${await fleet.countOpen()} streams on one server; ${hasRedis ? 'Redis carries the hints' : 'no Redis: hints once a second'}`,
    );
    const publisher = startPublisher({ port: second.port, key, rate, bytes });
    // Every stream has had a ping by then, with the time to come back at.
    await delay(12_000);
    const connections = sample(100, countConnections);
    const health = sample(20, () => healthDelayMs(second.port));
    const killedAt = Number(process.hrtime.bigint()) / 1e6;
    await first.stop({ signal: 'SIGKILL' });
    say('killed');
    for (let passed = 0; passed < seconds; passed += 5) {
      await delay(5_000);
      say(`${passed + 5} s: ${await fleet.countOpen()} open`);
    }
    const waits = health.stop().sort((a, b) => a - b);
    const most = Math.max(...connections.stop());
    await publisher.stop();
    const report = await fleet.reach(publisher.state.newestId, 60_000);
    await fleet.stop();
    const backAfter = report.returns.map(([, , backAt]) => (backAt - killedAt) / 1000).sort((a, b) => a - b);
    const askedAfter = report.returns.map(([, askedAt]) => (askedAt - killedAt) / 1000).sort((a, b) => a - b);
    const away = report.returns.map(([lostAt, , backAt]) => (backAt - lostAt) / 1000);
    const faults = [...publisher.state.faults, ...report.faults];
    if (report.returns.length !== streams) faults.push(`${report.returns.length} returns of ${streams} streams`);
    return {
      faults,
      figures: [
        { what: 'streams that came back', value: backAfter.length },
        { what: 'half of them asked after, s', value: percentile(askedAfter, 50) },
        { what: 'all of them asked after, s', value: percentile(askedAfter, 100) },
        { what: 'half of them were back after, s', value: percentile(backAfter, 50) },
        { what: 'all of them were back after, s', value: percentile(backAfter, 100), atMost: 30, isFault: true },
        { what: 'longest time without a stream, s', value: Math.max(...away), atMost: 35, isFault: true },
        { what: 'events published', value: publisher.state.sent },
        { what: 'deliveries that were checked', value: report.events },
        // The killed server's connections are still there for a moment.
        { what: 'most connections to PostgreSQL, both servers', value: most, atMost: 2 * poolSize, isFault: true },
        { what: 'GET /health of the second server, p50 ms', value: percentile(waits, 50) },
        { what: 'the same, p99 ms', value: percentile(waits, 99), atMost: 200 },
        { what: 'the same, longest ms', value: percentile(waits, 100) },
      ],
    };
  },
};
