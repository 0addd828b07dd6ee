/**
 * One run of the PostgreSQL server: started or adopted, waited for, stopped.
 *
 * It gets a session of its own, so Ctrl-C in the terminal does not reach it (it is stopped after our own drain), and its output
 * goes straight into a file, so it outlives us unharmed when we are killed.
 */
import { spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import {
  type Cluster,
  cannotSpawn,
  embeddedDatabase,
  embeddedPort,
  embeddedUser,
  plainReason,
  postgresEnvironment,
  spawnIds,
} from './cluster.js';
import { disarmPidFile, readPidFile } from './pid-file.js';
import { findPostgresProcesses, identifyProcess } from './process-table.js';
import { giveTo, type RunAs } from './run-as.js';
import { PostgresStartError } from './start-error.js';

/** `exited` resolves, with how it ended, as soon as the server is gone, whoever ended it; `isAlive()` is false from then on. */
export type Postmaster = { pid: number; socketFolder: string; exited: Promise<string>; isAlive(): boolean };

const pollIntervalMs = 10;
const watchIntervalMs = 100;

/**
 * Starts the server and returns when it accepts connections, or as soon as `signal` is aborted, with the server as it is then.
 * Throws `PostgresStartError` with the reason from its log. The caller holds the lock of the data folder and has made sure
 * that no server runs on it.
 */
export async function startPostmaster(
  cluster: Cluster,
  options: {
    postgres: string;
    args: string[];
    runAs: RunAs;
    socketFolder: string;
    startTimeoutMs: number;
    signal: AbortSignal;
  },
): Promise<Postmaster> {
  disarmPidFile(cluster.folder);
  for (const suffix of ['', '.lock'])
    rmSync(join(options.socketFolder, `.s.PGSQL.${embeddedPort}${suffix}`), { force: true });
  const log = openLog(cluster, options.runAs);
  try {
    const postmaster = await spawnPostmaster(options, log.handle);
    await becomeReady(cluster, postmaster, { ...options, readLog: () => readFrom(cluster.logFile, log.size) });
    return postmaster;
  } finally {
    closeSync(log.handle);
  }
}

async function spawnPostmaster(
  { postgres, args, runAs, socketFolder }: { postgres: string; args: string[]; runAs: RunAs; socketFolder: string },
  logHandle: number,
): Promise<Postmaster> {
  const [command = '', ...rest] = [...runAs.prefix, postgres, ...args];
  const child = spawn(command, rest, {
    ...spawnIds(runAs),
    cwd: '/',
    env: postgresEnvironment(),
    detached: true,
    stdio: ['ignore', logHandle, logHandle],
  });
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new PostgresStartError(cannotSpawn(postgres, cause), { cause })));
  });
  return track(child.pid ?? 0, socketFolder, exited);
}

/** The last resort when this process ends without a stop, as by an uncaught error: the server is told to stop, too. */
function track(pid: number, socketFolder: string, exited: Promise<string>): Postmaster {
  let isAlive = true;
  const interrupt = () => signalProcess(pid, 'SIGINT');
  process.once('exit', interrupt);
  void exited.then(() => {
    isAlive = false;
    process.removeListener('exit', interrupt);
  });
  return { pid, socketFolder, exited, isAlive: () => isAlive };
}

/** Appending, so that the file can be cut short under a running server. */
function openLog(cluster: Cluster, runAs: RunAs): { handle: number; size: number } {
  const handle = openSync(cluster.logFile, 'a', 0o600);
  giveTo(runAs, cluster.logFile);
  return { handle, size: fstatSync(handle).size };
}

async function becomeReady(
  cluster: Cluster,
  postmaster: Postmaster,
  { startTimeoutMs, signal, readLog }: { startTimeoutMs: number; signal: AbortSignal; readLog(): string },
): Promise<void> {
  const fail = (what: string) =>
    new PostgresStartError(
      `PostgreSQL ${what} on ${cluster.folder}: ${plainReason(readLog())} Its log is ${cluster.logFile}.`,
    );
  const until = Date.now() + startTimeoutMs;
  while (!isReady(cluster, postmaster) && !signal.aborted) {
    if (!postmaster.isAlive()) throw fail('did not start');
    if (Date.now() > until) {
      await stopPostmaster(postmaster, { fastMs: 5_000, immediateMs: 5_000 });
      throw fail(`was not ready after ${startTimeoutMs / 1000} s`);
    }
    await delay(pollIntervalMs);
  }
}

function isReady(cluster: Cluster, { pid }: Postmaster): boolean {
  const file = readPidFile(cluster.folder);
  return file !== null && file.pid === pid && file.isReady;
}

/**
 * The server that a killed Tidewire left running on this cluster, or null. It is adopted when it runs with the same arguments
 * and answers; one that does not is stopped. Leftovers of a dead one are ended. The caller holds the lock of the data folder.
 */
export async function adoptPostmaster(
  cluster: Cluster,
  options: { args: string[]; password: string; info(message: string): void },
): Promise<Postmaster | null> {
  const found = findPostgresProcesses({ folder: cluster.folder, name: cluster.name });
  const file = readPidFile(cluster.folder);
  if (file === null || !found.includes(file.pid)) {
    await endLeftovers(cluster, options.info);
    return null;
  }
  const candidate = watchPostmaster(file.pid, file.socketFolder);
  if (runsWith(cluster, options.args) && (await answers(cluster, candidate, options.password))) return candidate;
  options.info(
    `A PostgreSQL with other settings was left running on ${cluster.folder} (process ${candidate.pid}); it is stopped.`,
  );
  await stopPostmaster(candidate, { fastMs: 30_000, immediateMs: 5_000 });
  await endLeftovers(cluster, options.info);
  return null;
}

/**
 * Ends what a dead server has left of its children. They have lost their master, so nothing that they do can be committed any
 * more, but they hold the shared memory, and no new server starts before they are gone.
 */
export async function endLeftovers(cluster: Cluster, info: (message: string) => void): Promise<void> {
  let left = findPostgresProcesses({ folder: cluster.folder, name: cluster.name });
  if (left.length > 0) info(`Ending ${left.length} processes that a killed PostgreSQL left on ${cluster.folder}.`);
  for (let attempt = 0; left.length > 0; attempt += 1) {
    if (attempt === 100)
      throw new PostgresStartError(`PostgreSQL processes on ${cluster.folder} cannot be ended: ${left.join(', ')}.`);
    for (const pid of left) signalProcess(pid, attempt < 50 ? 'SIGQUIT' : 'SIGKILL');
    await delay(50);
    left = findPostgresProcesses({ folder: cluster.folder, name: cluster.name });
  }
}

/** postmaster.opts holds the command line, each argument in quotes that are not escaped (CreateOptsFile in postmaster.c). */
function runsWith(cluster: Cluster, args: string[]): boolean {
  try {
    const line = readFileSync(join(cluster.folder, 'postmaster.opts'), 'utf8').trimEnd();
    return line.endsWith(args.map((arg) => ` "${arg}"`).join(''));
  } catch {
    return false;
  }
}

/** A server may be in the middle of its recovery, so it gets time as long as it says that it is starting. */
async function answers(cluster: Cluster, { socketFolder }: Postmaster, password: string): Promise<boolean> {
  const until = Date.now() + 30_000;
  for (;;) {
    const answer = await askDataDirectory(socketFolder, password);
    if (answer !== 'starting') return answer === cluster.folder;
    if (Date.now() > until) return false;
    await delay(watchIntervalMs);
  }
}

const cannotConnectNow = '57P03';

async function askDataDirectory(socketFolder: string, password: string): Promise<string> {
  const client = createAdminClient(socketFolder, password);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
    return rows[0]?.data_directory ?? 'silent';
  } catch (error) {
    return error instanceof pg.DatabaseError && error.code === cannotConnectNow ? 'starting' : 'silent';
  } finally {
    await client.end().catch(() => undefined);
  }
}

function createAdminClient(socketFolder: string, password: string): pg.Client {
  const client = new pg.Client({
    host: socketFolder,
    port: embeddedPort,
    user: embeddedUser,
    password,
    database: 'postgres',
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  });
  // An error after `end` has nobody to go to, and without a listener it would end the process.
  client.on('error', () => undefined);
  return client;
}

/** Makes Tidewire's database when it is not there yet: a start may have been killed between initdb and here. */
export async function ensureDatabase({ socketFolder }: Postmaster, password: string): Promise<void> {
  const client = createAdminClient(socketFolder, password);
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [embeddedDatabase]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${embeddedDatabase}`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PostgresStartError(`The built-in PostgreSQL runs, but Tidewire could not use it: ${reason}`, { cause });
  } finally {
    await client.end();
  }
}

/** Watches a server that is not our child. A pid that goes to another process counts as the end of this one. */
function watchPostmaster(pid: number, socketFolder: string): Postmaster {
  const identity = identifyProcess(pid);
  const exited = new Promise<string>((resolve) => {
    const timer = setInterval(() => {
      if (isSameProcess(pid, identity)) return;
      clearInterval(timer);
      resolve('it is gone');
    }, watchIntervalMs);
  });
  return track(pid, socketFolder, exited);
}

/** Looking the identity up costs a process on macOS, so there only the pid is asked for. */
function isSameProcess(pid: number, identity: string | null): boolean {
  if (process.platform === 'linux') return identity !== null && identifyProcess(pid) === identity;
  return signalProcess(pid, 0);
}

/**
 * Stops the server: SIGINT (fast: sessions end, a checkpoint is written), after `fastMs` SIGQUIT (immediate: the next start
 * recovers from the log), after `immediateMs` SIGKILL. No acknowledged write is lost in any of the three.
 */
export async function stopPostmaster(
  postmaster: Postmaster,
  limits: { fastMs: number; immediateMs: number },
): Promise<void> {
  const steps = [
    { name: 'SIGINT', waitMs: limits.fastMs },
    { name: 'SIGQUIT', waitMs: limits.immediateMs },
    { name: 'SIGKILL', waitMs: 10_000 },
  ] as const;
  for (const { name, waitMs } of steps) {
    if (!postmaster.isAlive() || !signalProcess(postmaster.pid, name)) return;
    if (await endsWithin(postmaster.exited, waitMs)) return;
  }
  throw new PostgresStartError(`PostgreSQL (process ${postmaster.pid}) cannot be stopped.`);
}

async function endsWithin(exited: Promise<string>, limitMs: number): Promise<boolean> {
  const abort = new AbortController();
  const limit = delay(limitMs, false, { signal: abort.signal }).catch(() => false);
  const ended = await Promise.race([exited.then(() => true), limit]);
  abort.abort();
  return ended;
}

/** False when there is no such process. */
function signalProcess(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

function readFrom(path: string, position: number): string {
  const handle = openSync(path, 'r');
  try {
    const length = Math.min(64 * 1024, Math.max(0, fstatSync(handle).size - position));
    const bytes = Buffer.alloc(length);
    const count = readSync(handle, bytes, 0, length, position);
    return bytes.toString('utf8', 0, count);
  } finally {
    closeSync(handle);
  }
}
