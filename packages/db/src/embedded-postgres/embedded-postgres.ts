/**
 * The built-in PostgreSQL: a real server, run as a process of ours on a folder of ours, reached through a Unix socket.
 *
 * Guarantees, each held by a test:
 * 1. One Tidewire at a time serves a data folder; a second one is told the folder and the pid.
 * 2. Whatever was killed with -9 and whenever (Tidewire, PostgreSQL, both, or the first set-up), the next start succeeds
 *    unattended, with every acknowledged write.
 * 3. While Tidewire runs, a PostgreSQL that dies is started again.
 * 4. Nothing listens on TCP, and files and folders are open to their owner only.
 */
import { accessSync, constants, existsSync, mkdirSync, realpathSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { PostgresAddress } from '../sql-pool.js';
import { preparePostgresBinaries } from './binaries.js';
import {
  type Cluster,
  clusterOf,
  embeddedDatabase,
  embeddedPort,
  embeddedUser,
  ensureCluster,
  ensureSocketFolder,
  readPassword,
  removeSocketFolder,
  serverArguments,
} from './cluster.js';
import { findDataFolderHolder, type LockPurpose, lockDataFolder } from './data-folder-lock.js';
import { keepLogShort } from './log-file.js';
import { readPidFile } from './pid-file.js';
import {
  adoptPostmaster,
  endLeftovers,
  ensureDatabase,
  type Postmaster,
  startPostmaster,
  stopPostmaster,
} from './postmaster.js';
import { chooseRunAs, type RunAs } from './run-as.js';
import { PostgresStartError } from './start-error.js';

/** Where it writes what an operator should know; a pino logger fits. */
export type PostgresLog = {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
};

export type EmbeddedPostgresOptions = {
  /** Created with mode 0700 when it is not there. */
  dataDir: string;
  log: PostgresLog;
  /** `server` (default) or `command`, for a short task on a stopped server's data. */
  purpose?: LockPurpose;
  /** How long to wait for a short command that works on the folder just now. Default 30 s. */
  waitForCommandMs?: number;
  /** Recovery after a crash counts. Default 10 minutes. */
  startTimeoutMs?: number;
  /** How long a fast stop may take before an immediate one. Default 30 s. */
  stopTimeoutMs?: number;
  /** PostgreSQL settings that win over ours, for tests; `fsync: 'off'` also skips syncing the new cluster. */
  settings?: Record<string, string>;
};

export type EmbeddedPostgres = {
  address: PostgresAddress;
  /** True when a server that a killed Tidewire had left running was taken over. */
  adopted: boolean;
  /** The server's present pid; another one after it was started again. */
  pid(): number;
  /** Stops PostgreSQL, then gives the folder free. To be called after every pool has ended; a second call waits for the first. */
  stop(): Promise<void>;
};

/**
 * Starts, or takes over, the PostgreSQL of a data folder and watches over it until `stop()`.
 * Rejects with `DataFolderBusyError` or `PostgresStartError`; then nothing of ours runs.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const binaries = preparePostgresBinaries();
  const dataDir = makeDataFolder(options.dataDir);
  const lock = await lockDataFolder(dataDir, {
    purpose: options.purpose ?? 'server',
    waitForCommandMs: options.waitForCommandMs ?? 30_000,
  });
  try {
    return await launch(options, clusterOf(dataDir), binaries, () => lock.release());
  } catch (error) {
    lock.release();
    throw error;
  }
}

/**
 * The address of the PostgreSQL that a running Tidewire serves on this folder, or null when none does. For commands beside a
 * running server; nothing is locked and nothing is to be stopped.
 */
export async function findEmbeddedPostgres(dataDir: string): Promise<PostgresAddress | null> {
  if (!existsSync(dataDir)) return null;
  const cluster = clusterOf(realpathSync(dataDir));
  const holder = await findDataFolderHolder(cluster.dataDir);
  if (holder?.purpose !== 'server') return null;
  const file = existsSync(cluster.folder) ? readPidFile(cluster.folder) : null;
  return file?.isReady ? addressOf(file.socketFolder, readPassword(cluster)) : null;
}

function makeDataFolder(path: string): string {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
    return realpathSync(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PostgresStartError(
      `The data folder ${path} cannot be used: ${reason}. Choose another one with DATA_DIR.`,
      { cause },
    );
  }
}

async function launch(
  options: EmbeddedPostgresOptions,
  cluster: Cluster,
  binaries: ReturnType<typeof preparePostgresBinaries>,
  unlock: () => void,
): Promise<EmbeddedPostgres> {
  const { log, settings = {} } = options;
  const info = (message: string) => log.info({ dataDir: cluster.dataDir }, message);
  const runAs = await chooseRunAs({ dataDir: cluster.dataDir, cluster: cluster.folder, binaries, info });
  const { created } = await ensureCluster(cluster, { binaries, runAs, sync: settings.fsync !== 'off' });
  if (created) info('The data of the built-in PostgreSQL was set up.');
  const password = readPassword(cluster);
  const run = await prepareRun(cluster, runAs, settings);
  const adopted = await adoptPostmaster(cluster, { args: run.args, password, info });
  if (adopted !== null) info(`Took over the PostgreSQL that was left running (process ${adopted.pid}).`);
  const startTimeoutMs = options.startTimeoutMs ?? 600_000;
  const start = (signal: AbortSignal) =>
    startPostmaster(cluster, { ...run, postgres: binaries.postgres, runAs, startTimeoutMs, signal });
  const first = adopted ?? (await start(new AbortController().signal));
  await ensureDatabase(first, password).catch(async (error: unknown) => {
    await stopPostmaster(first, { fastMs: 5_000, immediateMs: 5_000 });
    throw error;
  });
  const supervisor = supervise(first, { start, cluster, log, stopTimeoutMs: options.stopTimeoutMs ?? 30_000, unlock });
  return { address: addressOf(first.socketFolder, password), adopted: adopted !== null, ...supervisor };
}

async function prepareRun(cluster: Cluster, runAs: RunAs, settings: Record<string, string>) {
  const socketFolder = ensureSocketFolder(cluster, runAs);
  return { socketFolder, args: serverArguments(cluster, socketFolder, settings) };
}

function addressOf(socketFolder: string, password: string): PostgresAddress {
  return { host: socketFolder, port: embeddedPort, user: embeddedUser, password, database: embeddedDatabase };
}

type Supervision = {
  start(signal: AbortSignal): Promise<Postmaster>;
  cluster: Cluster;
  log: PostgresLog;
  stopTimeoutMs: number;
  unlock(): void;
};

const firstPauseMs = 50;
const longestPauseMs = 5_000;
/** A server that ran for so long was healthy: the next pause is the first again. */
const healthyMs = 30_000;

/** Starts the server again whenever it ends by itself, with pauses that double up to `longestPauseMs`, until it is stopped. */
function supervise(
  first: Postmaster,
  { start, cluster, log, stopTimeoutMs, unlock }: Supervision,
): Pick<EmbeddedPostgres, 'pid' | 'stop'> {
  let current = first;
  let stopping: Promise<void> | null = null;
  const stopped = new AbortController();
  const shortener = keepLogShort(cluster.logFile);

  async function watch(): Promise<void> {
    let pauseMs = firstPauseMs;
    while (stopping === null) {
      const since = Date.now();
      const how = await current.exited;
      if (stopping !== null) return;
      if (Date.now() - since > healthyMs) pauseMs = firstPauseMs;
      log.warn(
        { pid: current.pid },
        `PostgreSQL ended by itself (${how}); it is started again. Its log is ${cluster.logFile}.`,
      );
      pauseMs = await restart(pauseMs);
    }
  }

  /** Returns the pause that comes next. */
  async function restart(pauseMs: number): Promise<number> {
    let pause = pauseMs;
    while (stopping === null) {
      await delay(pause, undefined, { signal: stopped.signal }).catch(() => undefined);
      pause = Math.min(pause * 2, longestPauseMs);
      if (stopping !== null) break;
      try {
        await endLeftovers(cluster, (message) => log.info({}, message));
        current = await start(stopped.signal);
        log.info({ pid: current.pid }, 'PostgreSQL is back.');
        break;
      } catch (error) {
        log.warn({ err: error }, `PostgreSQL could not be started again; the next try is in ${pause / 1000} s.`);
      }
    }
    return pause;
  }

  const watching = watch();

  async function stop(): Promise<void> {
    stopped.abort();
    await stopPostmaster(current, { fastMs: stopTimeoutMs, immediateMs: 5_000 });
    await watching;
    // A restart may have been under way when the stop came.
    await stopPostmaster(current, { fastMs: stopTimeoutMs, immediateMs: 5_000 });
    clearInterval(shortener);
    removeSocketFolder(cluster, current.socketFolder);
    unlock();
  }

  return {
    pid: () => current.pid,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
