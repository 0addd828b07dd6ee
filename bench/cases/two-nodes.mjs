/**
 * Two nodes: `npm run nodes` (its header has the method) as a case. An event that is written on one node is read on the other; Redis is up, killed, stopped,
 * paused, emptied, and full of old messages. The limit of the way over Redis is one PING there and back.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { runToEnd } from '../kit/processes.mjs';
import { makeFolder } from '../kit/product.mjs';
import { percentile } from '../kit/statistics.mjs';
import { findTool } from '../kit/tools.mjs';
import { startRedis } from '../nodes/redis.mjs';

const script = fileURLToPath(new URL('../nodes/nodes.mjs', import.meta.url));
const leastSeconds = 4;
const pings = 1_000;

export const twoNodes = {
  name: 'nodes',
  title: 'Two nodes: written on one, read on the other, 50 events/s',

  /** @param {import('../run.mjs').Context} context */
  async run({ seconds, say }) {
    const redis = findTool('redis-server');
    if ('missing' in redis)
      return { rows: [], faults: [], skipped: [{ other: 'two nodes', why: redis.missing }], details: {} };
    const ping = await measurePing(redis.path);
    say('the phases take turns; each is measured once');
    const { results, faults } = await runNodes(Math.max(leastSeconds, seconds));
    const checked = 'each stream had all events once and in order';
    return { rows: rowsOf(results, ping), faults, checked, details: { ping, results } };
  },
};

/** It says where its figures are on its last line, and ends with 1 when there were faults. */
async function runNodes(seconds) {
  const fileIn = (text) => /^(\/.*nodes-.*\.json)$/m.exec(text)?.[1];
  const arguments_ = [script, '--seconds', String(seconds)];
  const text = await runToEnd(process.execPath, arguments_).catch((error) => {
    if (fileIn(error.message) === undefined) throw error;
    return error.message;
  });
  return JSON.parse(readFileSync(fileIn(text) ?? '', 'utf8'));
}

async function measurePing(path) {
  const folder = makeFolder('bench-redis');
  const redis = await startRedis(path, folder.path);
  const socket = connect(redis.port, '127.0.0.1');
  socket.setNoDelay(true);
  const times = [];
  for (let turn = 0; turn < pings; turn += 1) {
    const began = performance.now();
    socket.write('PING\r\n');
    await once(socket, 'data');
    times.push(performance.now() - began);
  }
  socket.destroy();
  await redis.stop();
  folder.remove();
  times.sort((a, b) => a - b);
  return { p50Ms: percentile(times, 50), p99Ms: percentile(times, 99) };
}

function rowsOf(results, ping) {
  const [up] = results;
  const figures = (sorted) => ({ p50: percentile(sorted, 50), p99: percentile(sorted, 99), latest: sorted.at(-1) });
  const [same, other] = [figures(up.same), figures(up.other)];
  const less = /** @type {const} */ ('less');
  const row = (what, ours, name, theirs, more = {}) => ({
    ...{ what, ours: [ours], other: name, theirs: [theirs], better: less },
    ...more,
  });
  return [
    row('p50 ms on the other node, Redis up', other.p50, 'on the same node', same.p50),
    row('p99 ms on the other node, Redis up', other.p99, 'on the same node', same.p99),
    {
      ...{ what: 'ms more in the p99 on the other node', ours: [Math.max(0.001, other.p99 - same.p99)], better: less },
      ...{ other: 'limit: a PING of Redis, p99', theirs: [ping.p99Ms], targetAtMost: 2 },
    },
    ...results.slice(1).map(({ name, same: here, other: there }) =>
      row(
        `latest ms on the other node, Redis ${name}`,
        figures(there).latest,
        'on the same node',
        figures(here).latest,
        {
          targetAtMost: 1_200,
        },
      ),
    ),
  ];
}
