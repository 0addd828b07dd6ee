/** What is done to the system, and when: two loops beside each other, each with random numbers of its own. */
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../kit/processes.mjs';
import { createRandom } from './random.mjs';

/** Of the cuts, so many in a hundred only silence or slow the line. */
const silenced = 4;
const slowed = 10;
/** After PostgreSQL was killed, writes must be possible again within this time. */
const writesBackMs = 10_000;

/**
 * Breaks lines of subscribers, so many times.
 * @param {{ cuts: number, subscribers: import('./subscribers.mjs').Subscribers, seed: number }} options
 */
export async function breakLines({ cuts, subscribers, seed }) {
  const random = createRandom(seed, 'lines');
  const done = { cut: 0, silenced: 0, slowed: 0 };
  for (let count = 0; count < cuts; count += 1) {
    await delay(random.integer(20, 400));
    const first = random.integer(0, subscribers.length - 1);
    const die = random.integer(0, 99);
    const bytes = random.integer(0, 3_000);
    const ms = random.integer(50, 1_000);
    // The one that was drawn, or the next after it that is connected.
    const { proxy } = await waitFor(
      'a subscriber is connected',
      () => [...subscribers.slice(first), ...subscribers].find((one) => one.proxy.isUsed),
      {
        timeoutMs: 60_000,
      },
    );
    if (die < silenced) {
      proxy.silence();
      done.silenced += 1;
    } else if (die < silenced + slowed) {
      proxy.delay(ms);
      done.slowed += 1;
    } else {
      proxy.cutAfter(bytes);
      done.cut += 1;
    }
  }
  return done;
}

/**
 * Kills the server and PostgreSQL, so many times each, in an order that the seed decides. A quarter of the kills of the server come while
 * it starts.
 * @param {{ kills: number, postgresKills: number, server: import('./server.mjs').Server, history: import('./history.mjs').History, canWrite: () => Promise<boolean>, seed: number, say: (line: string) => void }} options
 */
export async function killProcesses({ kills, postgresKills, server, history, canWrite, seed, say }) {
  const random = createRandom(seed, 'kills');
  const victims = random.shuffle([...Array(kills).fill('server'), ...Array(postgresKills).fill('postgres')]);
  let slowestMs = 0;
  for (let index = 0; index < victims.length; index += 1) {
    await delay(random.integer(100, 2_500));
    const began = performance.now();
    if (victims[index] === 'server') {
      // The next victim may be the server again: then that kill comes while this start is under way.
      const killsWhileStarting = [];
      while (victims[index + 1] === 'server' && random.chance(0.25)) {
        killsWhileStarting.push(random.integer(0, 1_200));
        index += 1;
      }
      await server.killAndRestart({ pauseMs: random.integer(0, 300), killsWhileStarting });
    } else {
      await server.killPostgres();
      // Not the answer of a moment ago: PostgreSQL needs a moment to be gone.
      await delay(50);
    }
    await waitFor('writes are possible again', canWrite, { timeoutMs: 60_000, intervalMs: 50 });
    const ms = performance.now() - began;
    if (victims[index] === 'postgres') {
      slowestMs = Math.max(slowestMs, ms);
      if (ms > writesBackMs)
        history.fault(`${Math.round(ms)} ms after PostgreSQL was killed, writes were not possible`);
    }
    say(`${index + 1} of ${victims.length} kills: ${victims[index]}, writes back after ${Math.round(ms)} ms`);
  }
  return { writesBackAfterPostgresMs: Math.round(slowestMs) };
}
