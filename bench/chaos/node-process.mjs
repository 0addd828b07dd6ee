/** One process of Tidewire under test: killed, stopped and started again on the same port, known by its pid alone. */
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { residentBytes } from '../kit/proc.mjs';
import { startProcess, waitFor } from '../kit/processes.mjs';
import { defaultCommand, plainEnvironment } from '../kit/product.mjs';

/** A start waits for PostgreSQL, and others use the machine. */
const readyMs = 300_000;

export class NodeProcess {
  name;
  role;
  port;
  /** Ready, as far as is known. */
  isUp = false;
  /** SIGSTOP was sent and SIGCONT was not. */
  isStopped = false;
  /** How often it was started. */
  starts = 0;
  #args;
  #env;
  #onOwnEnd;
  #isEnding = false;
  #isRetired = false;
  /** @type {import('../kit/processes.mjs').Running | undefined} */
  #running;

  /**
   * @param {{ name: string, role: string, port: number, dataDir: string, env: Record<string, string>, command?: string, onOwnEnd: (how: string) => void }} options
   *   `onOwnEnd`: told when the process ends and nobody has asked for that
   */
  constructor({ name, role, port, dataDir, env, command = defaultCommand, onOwnEnd }) {
    this.name = name;
    this.role = role;
    this.port = port;
    this.#args = [command, 'start', '--role', role, '--port', String(port), '--data-dir', dataDir];
    this.#env = { ...plainEnvironment(), ...env };
    this.#onOwnEnd = onOwnEnd;
  }

  get pid() {
    return this.#running?.pid ?? 0;
  }

  /** Whether it can be expected to answer. */
  get isServing() {
    return this.isUp && !this.isStopped;
  }

  output() {
    return this.#running?.output() ?? '';
  }

  /** Starts it; does not wait until it is ready. Once it has been retired, nothing is started any more. */
  async spawn() {
    if (this.#isRetired) return;
    this.starts += 1;
    const running = await startProcess(this.name, process.execPath, this.#args, { env: this.#env });
    this.#running = running;
    running.ended.then((how) => {
      if (this.#running !== running) return;
      this.isUp = false;
      if (!this.#isEnding) this.#onOwnEnd(how);
    });
  }

  async becomeReady() {
    const running = this.#running;
    const isReady = async () => {
      // Killed again in the meantime: somebody else waits for the next one.
      if (this.#running !== running || this.#isEnding) return 'gone';
      const answer = await fetch(`http://127.0.0.1:${this.port}/ready`, { signal: AbortSignal.timeout(5_000) }).catch(
        () => null,
      );
      await answer?.arrayBuffer().catch(() => null);
      return answer?.ok ? 'ready' : null;
    };
    const state = await waitFor(`${this.name} is ready`, isReady, { timeoutMs: readyMs, intervalMs: 200 });
    if (state === 'ready' && this.#running === running) this.isUp = true;
  }

  /** Kills it; resolves when it is gone. */
  async kill() {
    this.#isEnding = true;
    this.isUp = false;
    this.isStopped = false;
    await this.#running?.stop({ signal: 'SIGKILL' });
    this.#isEnding = false;
  }

  /**
   * Kills it and starts it again. Resolves when it is ready. `killsWhileStarting`: it is killed again so long after each start, before it
   * is left to become ready.
   * @param {{ pauseMs: number, killsWhileStarting: number[] }} how
   */
  async killAndRestart({ pauseMs, killsWhileStarting }) {
    await this.kill();
    await delay(pauseMs);
    for (const afterMs of killsWhileStarting) {
      await this.spawn();
      await delay(afterMs);
      await this.kill();
    }
    await this.spawn();
    await this.becomeReady();
  }

  /** Stops it in its tracks, as a long garbage collection or a paused virtual machine does. */
  freeze() {
    this.isStopped = true;
    process.kill(this.pid, 'SIGSTOP');
  }

  thaw() {
    if (!this.isStopped) return;
    process.kill(this.pid, 'SIGCONT');
    this.isStopped = false;
  }

  /** Kills it for good. */
  async retire() {
    this.#isRetired = true;
    await this.kill();
  }

  /** Ends it in the ordinary way; resolves with how it ended. */
  async end() {
    this.thaw();
    this.#isEnding = true;
    return (await this.#running?.stop({ graceMs: 30_000 })) ?? 'never started';
  }

  /** What it holds: resident memory in bytes, and open file descriptors. */
  resources() {
    return { residentBytes: residentBytes(this.pid), descriptors: readdirSync(`/proc/${this.pid}/fd`).length };
  }
}
