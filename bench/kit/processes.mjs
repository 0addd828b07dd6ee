/** Child processes that never outlive the benchmark: each is known by its pid, and ended by it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** @typedef {{ name: string, pid: number, child: import('node:child_process').ChildProcess, output: () => string, ended: Promise<string>, stop: (options?: StopOptions) => Promise<string> }} Running */
/** @typedef {{ signal?: NodeJS.Signals, graceMs?: number }} StopOptions */

/** @type {Set<Running>} */
const running = new Set();
/** Of what a process says, so much of the end is kept. */
const keptOutputChars = 16_000;

/**
 * Starts a program. `ended` resolves with how it ended (`code 0`, `signal SIGKILL`). Rejects when it cannot be started.
 * @param {string} name
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options] `stdio` with an `ipc` channel is allowed
 * @returns {Promise<Running>}
 */
export async function startProcess(name, command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk) => {
      text = (text + chunk).slice(-keptOutputChars);
    });
  }
  await once(child, 'spawn');
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(process_);
    return signal === null ? `code ${code}` : `signal ${signal}`;
  });
  const process_ = {
    name,
    pid: Number(child.pid),
    child,
    output: () => text,
    ended,
    stop: (how) => stop(child, ended, how),
  };
  running.add(process_);
  return process_;
}

/**
 * Runs a program to its end and returns what it wrote to its standard output. Rejects, with all it said, on any code but 0.
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 */
export async function runToEnd(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const said = { stdout: '', stderr: '' };
  for (const name of /** @type {const} */ (['stdout', 'stderr'])) {
    child[name]?.setEncoding('utf8').on('data', (chunk) => {
      said[name] += chunk;
    });
  }
  const [code, signal] = await once(child, 'close');
  if (code === 0) return said.stdout;
  throw new Error(`${command} ${args.join(' ')} ended with ${signal ?? `code ${code}`}:\n${said.stdout}${said.stderr}`);
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {Promise<string>} ended
 * @param {StopOptions} [how]
 */
async function stop(child, ended, { signal = 'SIGTERM', graceMs = 15_000 } = {}) {
  child.kill(signal);
  const timer = new AbortController();
  const late = delay(graceMs, 'late', { signal: timer.signal }).catch(() => 'late');
  const how = await Promise.race([ended, late]);
  timer.abort();
  if (how !== 'late') return how;
  child.kill('SIGKILL');
  return `${await ended}, because it had not ended ${graceMs / 1000} s after ${signal}`;
}

/** Ends whatever is still running; the last started first. */
export async function stopAll() {
  for (const one of [...running].reverse()) await one.stop({ graceMs: 10_000 });
}

/** Ctrl-C and SIGTERM end the children, too. `before` runs first. */
export function stopOnSignals(before = () => {}) {
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.once(signal, async () => {
      await before();
      await stopAll();
      process.exit(130);
    });
  }
}

/**
 * Calls `attempt` until it returns something other than null, undefined or false.
 * @template T
 * @param {string} what for the message of the failure
 * @param {() => Promise<T> | T} attempt
 * @param {{ timeoutMs?: number, intervalMs?: number }} [options]
 * @returns {Promise<NonNullable<T>>}
 */
export async function waitFor(what, attempt, { timeoutMs = 30_000, intervalMs = 20 } = {}) {
  const until = performance.now() + timeoutMs;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (performance.now() > until) throw new Error(`${what}: not so within ${timeoutMs / 1000} s`);
    await delay(intervalMs);
  }
}
