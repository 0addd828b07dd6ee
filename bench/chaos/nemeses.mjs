/**
 * What is done to the system. Each nemesis is a loop of its own with random numbers of its own, and all run side by side; `everyMs` is the
 * mean time between two of its deeds.
 */
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createSqlPool } from '@tidewire/db/sql-pool';
import { waitFor } from '../kit/processes.mjs';
import { flood } from '../nodes/redis.mjs';
import { endings } from './postgres-process.mjs';
import { createRandom } from './random.mjs';

/**
 * @typedef {{ topology: import('./topology.mjs').Topology, history: import('./history.mjs').History, seed: number, isOver: () => boolean, outage: { isPostgresAway: boolean }, progress: Record<string, number> }} Scene
 *   `progress` counts the deeds; `isOver`: the time is up, whatever is left to be done; `outage`: PostgreSQL was ended, and no write was acknowledged since
 */

const patienceMs = 300_000;

/** A pause around the mean, from next to nothing up to twice as long. */
const pause = (random, everyMs) => delay(random.integer(Math.round(everyMs * 0.2), Math.round(everyMs * 1.8)));

function count({ progress }, what) {
  progress[what] = (progress[what] ?? 0) + 1;
}

/**
 * F6: breaks lines of subscribers and writers. Of a hundred, so many are cut (half of them with a reset), silenced, slowed, or lossy for a time.
 * @param {Scene} scene @param {{ times: number, everyMs: number, proxies: import('./cut-proxy.mjs').CutProxy[] }} options
 */
export async function breakLines(scene, { times, everyMs, proxies }) {
  const random = createRandom(scene.seed, 'lines');
  for (let done = 0; done < times && !scene.isOver(); done += 1) {
    await pause(random, everyMs);
    const first = random.integer(0, proxies.length - 1);
    const die = random.integer(0, 99);
    const bytes = random.integer(0, 3_000);
    const isReset = random.chance(0.5);
    const ms = random.integer(50, 2_000);
    // The one that was drawn, or the next after it that is connected.
    const isUsed = () => [...proxies.slice(first), ...proxies].find((one) => one.isUsed);
    const proxy = await waitFor('a line is in use', isUsed, { timeoutMs: patienceMs });
    if (die < 4) proxy.silence();
    else if (die < 20) proxy.delay(ms);
    else if (die < 30) proxy.lose(ms * 3);
    else proxy.cutAfter(bytes, isReset);
    count(scene, 'cuts');
    count(scene, die < 4 ? 'lines silenced' : die < 20 ? 'lines slowed' : die < 30 ? 'lines lossy' : 'lines cut');
  }
}

/** A node that serves while another one of its role does, too, if there is another one: the one that was drawn, or the next after it. */
function dispensable({ topology: { nodes } }, first) {
  const isOneOf = (role) => nodes.filter((node) => node.role === role).length > 1;
  const hasPeer = ({ role }) => nodes.filter((node) => node.role === role && node.isServing).length > 1;
  const isDispensable = (node) => node.isServing && (!isOneOf(node.role) || hasPeer(node));
  return waitFor('two nodes serve', () => [...nodes.slice(first), ...nodes].find(isDispensable), {
    timeoutMs: patienceMs,
  });
}

/**
 * F1: kill -9 of nodes. A quarter of the kills come while the node starts.
 * @param {Scene} scene @param {{ times: number, everyMs: number }} options
 */
export async function killNodes(scene, { times, everyMs }) {
  const random = createRandom(scene.seed, 'kills');
  const { nodes } = scene.topology;
  /** Restarts that are under way. */
  const restarts = new Set();
  for (let done = 0; done < times && !scene.isOver(); ) {
    const killsWhileStarting = [];
    while (done + 1 + killsWhileStarting.length < times && random.chance(0.25))
      killsWhileStarting.push(random.integer(0, 2_500));
    const first = random.integer(0, nodes.length - 1);
    const pauseMs = random.integer(0, 300);
    for (let one = 0; one <= killsWhileStarting.length; one += 1) await pause(random, everyMs);
    const victim = await dispensable(scene, first);
    const restart = victim.killAndRestart({ pauseMs, killsWhileStarting }).finally(() => restarts.delete(restart));
    restarts.add(restart);
    // Whoever fails ends the run, but not before the others are awaited.
    restart.catch(() => undefined);
    for (let one = 0; one <= killsWhileStarting.length; one += 1) count(scene, 'kills');
    done += 1 + killsWhileStarting.length;
    if (nodes.length === 1) await restart;
  }
  await Promise.all(restarts);
}

/**
 * F2: ends PostgreSQL's postmaster: kill -9, or an immediate or fast stop; it is started again at once. Notes how long until a write is
 * acknowledged, and until all streams that can have it, have it.
 * @param {Scene} scene @param {{ times: number, everyMs: number, tryToWrite: () => Promise<number | null>, subscribers: import('./subscribers.mjs').Subscribers }} options
 */
export async function endPostgres(scene, { times, everyMs, tryToWrite, subscribers }) {
  const random = createRandom(scene.seed, 'postgres');
  const { topology, history } = scene;
  for (let done = 0; done < times && !scene.isOver(); done += 1) {
    await pause(random, everyMs);
    const ending = topology.nodes.length === 1 ? 'SIGKILL' : random.pick([endings[0], endings[0], ...endings]);
    const began = performance.now();
    scene.outage.isPostgresAway = true;
    await topology.restartPostgres(ending);
    const downMs = performance.now() - began;
    const id = await waitFor('writes are possible again', tryToWrite, { timeoutMs: patienceMs, intervalMs: 20 });
    const writesBackMs = performance.now() - began;
    scene.outage.isPostgresAway = false;
    const have = () => subscribers.every(({ proxy, considered }) => considered >= id || !proxy.isWorking);
    const streamsBackMs = await waitFor('streams are back', have, { timeoutMs: 20_000 }).then(
      () => performance.now() - began,
      () => null,
    );
    history.recoveries.push({ downMs, writesBackMs, streamsBackMs });
    count(scene, 'postgres ends');
    count(scene, `postgres ended by ${ending}`);
  }
}

/**
 * F3: terminates random backends, a few at a time.
 * @param {Scene} scene @param {{ times: number, everyMs: number }} options
 */
export async function terminateBackends(scene, { times, everyMs }) {
  const random = createRandom(scene.seed, 'terminates');
  let pool = null;
  for (let done = 0; done < times && !scene.isOver(); ) {
    const wanted = Math.min(random.integer(1, 8), times - done);
    await delay(wanted * random.integer(Math.round(everyMs * 0.2), Math.round(everyMs * 1.8)));
    try {
      pool ??= createSqlPool(await scene.topology.address(), { max: 1, onError: () => undefined });
      const { rows } = await pool.query(
        `SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid`,
      );
      const pids = random.shuffle(rows.map(({ pid }) => pid)).slice(0, wanted);
      const ended = await pool.query(
        'SELECT count(*) FILTER (WHERE pg_terminate_backend(pid)) AS n FROM unnest($1::int[]) AS pid',
        [pids],
      );
      done += ended.rows[0].n;
      scene.progress.terminates = (scene.progress.terminates ?? 0) + ended.rows[0].n;
    } catch {
      // PostgreSQL is being ended by somebody else just now.
      await delay(100);
    }
  }
  await pool?.end();
}

const redisDeeds = {
  async FLUSHALL({ redis }) {
    await redis.command('FLUSHALL').catch(() => undefined);
  },
  async 'killed, back empty'({ redis, downMs }) {
    await redis.kill();
    await delay(downMs);
    await redis.restart();
  },
  async 'killed, back with an old RDB'({ redis, downMs, folder }) {
    await redis.kill();
    await delay(downMs);
    copyFileSync(join(folder, 'old.rdb'), join(folder, 'dump.rdb'));
    await redis.restart();
    rmSync(join(folder, 'dump.rdb'), { force: true });
  },
  async 'CLIENT PAUSE'({ redis, downMs }) {
    await redis.command(`CLIENT PAUSE ${downMs} ALL`).catch(() => undefined);
    await delay(downMs);
  },
  async SIGSTOP({ redis, downMs }) {
    redis.pause();
    await delay(downMs);
    redis.resume();
  },
  async 'old messages'({ redis, downMs }) {
    const stop = flood(redis.port, 'tidewire:changes', oldMessage(), 200);
    await delay(downMs);
    stop();
  },
};

/** Events with numbers that everybody had long ago, and other content. */
function oldMessage() {
  const event = (id) => ({
    ...{ id, type: 'publish', collectionId: null, collection: null, documentId: null, before: null, after: null },
    ...{ name: 'TICK', data: '{"marker":"from yesterday"}', actor: 'system', at: '2026-01-01T00:00:00.000Z' },
    operationId: '00000000-0000-0000-0000-000000000000',
  });
  const events = Array.from({ length: 5 }, (_, index) => event(index + 1));
  return JSON.stringify({ from: 'yesterday', hint: { kind: 'events', databaseId: 1, events } });
}

/**
 * F4: everything that can happen to Redis, one in fifty for half a minute.
 * @param {Scene} scene @param {{ times: number, everyMs: number, longestMs: number, folder: string }} options `folder`: Redis's own
 */
export async function troubleRedis(scene, { times, everyMs, longestMs, folder }) {
  const { redis } = scene.topology;
  if (redis === null || times === 0) return;
  const random = createRandom(scene.seed, 'redis');
  await redis.command('SET tidewire:old yesterday');
  await redis.command('SAVE');
  copyFileSync(join(folder, 'dump.rdb'), join(folder, 'old.rdb'));
  rmSync(join(folder, 'dump.rdb'), { force: true });
  const kinds = Object.keys(redisDeeds);
  for (let done = 0; done < times && !scene.isOver(); done += 1) {
    await pause(random, everyMs);
    const kind = kinds[(done + scene.seed) % kinds.length];
    const downMs = Math.min(longestMs, random.chance(0.02) ? 30_000 : random.integer(100, 3_000));
    await redisDeeds[kind]({ redis, downMs, folder });
    count(scene, 'redis');
    count(scene, `redis: ${kind}`);
  }
}

/**
 * F5: SIGSTOP, and SIGCONT after 1 to 60 s: most for a short time.
 * @param {Scene} scene @param {{ times: number, everyMs: number, longestMs: number }} options
 */
export async function stopNodes(scene, { times, everyMs, longestMs }) {
  const random = createRandom(scene.seed, 'stops');
  const { nodes } = scene.topology;
  for (let done = 0; done < times && !scene.isOver(); done += 1) {
    await pause(random, everyMs);
    const die = random.integer(0, 99);
    const [from, to] = die < 70 ? [1_000, 3_000] : die < 95 ? [3_000, 12_000] : [12_000, 60_000];
    const ms = Math.min(longestMs, random.integer(from, to));
    const first = random.integer(0, nodes.length - 1);
    const node = await dispensable(scene, first);
    node.freeze();
    await delay(ms);
    node.thaw();
    count(scene, 'stops');
    scene.progress['seconds stopped'] = Math.round((scene.progress['seconds stopped'] ?? 0) + ms / 1000);
  }
}
