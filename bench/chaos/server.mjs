/** The server under test: killed and started again on the same data folder and port, by pids alone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { waitFor } from '../kit/processes.mjs';
import { spawnTidewire, startTidewire } from '../kit/product.mjs';

/** @typedef {Awaited<ReturnType<typeof startServer>>} Server */

/** @param {import('../kit/product.mjs').ServerOptions} options */
export async function startServer(options) {
  let current = await startTidewire(options);
  let adopted = 0;

  /** The pid of PostgreSQL's postmaster: the first line of its pid file; null while it has none. */
  function postmasterPid() {
    try {
      const pid = Number(readFileSync(join(options.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
      process.kill(pid, 0);
      return pid;
    } catch {
      return null;
    }
  }

  return {
    postmasterPid,
    /** How often a start took over the PostgreSQL that a killed server had left running. */
    get adopted() {
      return adopted;
    },
    output: () => current.output(),
    /**
     * Kills the server with SIGKILL, and starts it again after a pause. `killsWhileStarting`: it is killed again so long after each start,
     * before it is left to become ready.
     * @param {{ pauseMs: number, killsWhileStarting: number[] }} how
     */
    async killAndRestart({ pauseMs, killsWhileStarting }) {
      await current.stop({ signal: 'SIGKILL' });
      await delay(pauseMs);
      for (const afterMs of killsWhileStarting) {
        const half = await spawnTidewire(options);
        await delay(afterMs);
        await half.stop({ signal: 'SIGKILL' });
      }
      const left = postmasterPid();
      current = await startTidewire(options);
      if (left !== null && left === postmasterPid()) adopted += 1;
    },
    /** Kills PostgreSQL's postmaster with SIGKILL; the server starts it again by itself. */
    async killPostgres() {
      const pid = await waitFor('PostgreSQL runs', postmasterPid);
      process.kill(pid, 'SIGKILL');
    },
    /** Ends it in the ordinary way; resolves with how it ended. */
    stop: () => current.stop({ graceMs: 30_000 }),
    /** Leaves nothing behind, whatever happened. */
    async destroy() {
      await current.stop({ signal: 'SIGKILL' });
      const pid = postmasterPid();
      if (pid !== null) process.kill(pid, 'SIGQUIT');
    },
  };
}
