/**
 * The cluster (PostgreSQL's word for a data folder) below Tidewire's data folder: where its parts are, how it is made, and with
 * which settings it is served.
 *
 *     <dataDir>/postgres          the cluster; it exists only when it was made to the end
 *     <dataDir>/postgres/tidewire.password
 *     <dataDir>/postgres.log      PostgreSQL's own log
 *     <dataDir>/socket            the folder of the Unix socket, when its path is short enough
 */
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { PostgresBinaries } from './binaries.js';
import { giveTo, type RunAs } from './run-as.js';
import { PostgresStartError } from './start-error.js';

/** The database and the superuser of the embedded PostgreSQL. */
export const embeddedDatabase = 'tidewire';
export const embeddedUser = 'tidewire';
/** Only a part of the socket's name: nothing listens on TCP. */
export const embeddedPort = 5432;
const majorVersion = '18';

/** `folder` is the cluster's real path; `name` is the same for the same folder and shows in process titles. */
export type Cluster = { dataDir: string; folder: string; name: string; logFile: string; passwordFile: string };

/** The cluster of an existing data folder, given as its real path. No I/O. */
export function clusterOf(dataDir: string): Cluster {
  const folder = join(dataDir, 'postgres');
  return {
    dataDir,
    folder,
    name: `tidewire-${digest(dataDir)}`,
    logFile: join(dataDir, 'postgres.log'),
    passwordFile: join(folder, 'tidewire.password'),
  };
}

/** The superuser's password. Throws `PostgresStartError` when it is not there. */
export function readPassword(cluster: Cluster): string {
  if (!existsSync(cluster.passwordFile)) {
    throw new PostgresStartError(
      `The password of the built-in PostgreSQL is missing: ${cluster.passwordFile}. Put the file back from a backup of the data folder.`,
    );
  }
  return readFileSync(cluster.passwordFile, 'utf8');
}

/**
 * Makes the cluster when there is none. It is made aside and renamed when it is complete and synced to disk, so a start that
 * is killed half-way leaves only a folder that the next one removes. The caller holds the lock of the data folder.
 */
export async function ensureCluster(
  cluster: Cluster,
  tools: { binaries: PostgresBinaries; runAs: RunAs; sync: boolean },
): Promise<{ created: boolean }> {
  removeUnfinished(cluster);
  if (existsSync(cluster.folder)) {
    checkVersion(cluster);
    return { created: false };
  }
  const workshop = join(cluster.dataDir, `postgres.new-${process.pid}`);
  const folder = join(workshop, 'cluster');
  const passwordFile = join(workshop, 'password');
  for (const path of [workshop, folder]) mkdirSync(path, { mode: 0o700 });
  writeFileSync(passwordFile, randomBytes(24).toString('base64url'), { mode: 0o600 });
  for (const path of [workshop, folder, passwordFile]) giveTo(tools.runAs, path);
  await runInitdb(folder, passwordFile, tools);
  renameSync(passwordFile, join(folder, 'tidewire.password'));
  if (tools.sync) for (const path of [join(folder, 'tidewire.password'), folder]) syncToDisk(path);
  renameSync(folder, cluster.folder);
  if (tools.sync) syncToDisk(cluster.dataDir);
  rmSync(workshop, { recursive: true });
  return { created: true };
}

function removeUnfinished({ dataDir }: Cluster): void {
  for (const name of readdirSync(dataDir)) {
    if (name.startsWith('postgres.new-')) {
      // An initdb whose Tidewire was killed may still be writing there.
      rmSync(join(dataDir, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    }
  }
}

function checkVersion({ folder }: Cluster): void {
  const file = join(folder, 'PG_VERSION');
  if (!existsSync(file)) {
    throw new PostgresStartError(
      `${folder} is not a PostgreSQL data folder (it has no PG_VERSION). Move it away, or use another folder with DATA_DIR.`,
    );
  }
  const found = readFileSync(file, 'utf8').trim();
  if (found === majorVersion) return;
  throw new PostgresStartError(
    `The data in ${folder} was written by PostgreSQL ${found}, and this Tidewire has PostgreSQL ${majorVersion}. ` +
      `Start it with the Tidewire version that wrote it, or use another folder with DATA_DIR.`,
  );
}

/** The builtin C.UTF-8 locale sorts by code point and knows Unicode's cases, alike on every machine and without ICU. */
async function runInitdb(
  folder: string,
  passwordFile: string,
  { binaries, runAs, sync }: { binaries: PostgresBinaries; runAs: RunAs; sync: boolean },
): Promise<void> {
  const options = [
    `--pgdata=${folder}`,
    `--username=${embeddedUser}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    '--no-instructions',
    ...(sync ? [] : ['--no-sync']),
  ];
  const { code, said } = await runToEnd(binaries.initdb, options, runAs);
  if (code === 0) return;
  throw new PostgresStartError(`PostgreSQL could not set up its data in ${folder}: ${plainReason(said)}`);
}

async function runToEnd(
  program: string,
  options: string[],
  runAs: RunAs,
): Promise<{ code: number | null; said: string }> {
  const [command = '', ...args] = [...runAs.prefix, program, ...options];
  const child = spawn(command, args, {
    ...spawnIds(runAs),
    cwd: '/',
    env: postgresEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(new PostgresStartError(cannotSpawn(program, cause), { cause })));
    child.once('close', resolve);
  });
  const [said, code] = await Promise.all([text(child.stderr), ended]);
  return { code, said };
}

/** uid and gid for `spawn`, when PostgreSQL runs as another account. */
export function spawnIds({ account }: RunAs): { uid?: number; gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid };
}

/** The package's programs need glibc: on Alpine (musl) the system says ENOENT though the file is there. */
export function cannotSpawn(program: string, cause: Error): string {
  if ('code' in cause && cause.code === 'ENOENT' && existsSync(program)) {
    return `${program} cannot run on this system: it needs glibc, which Alpine does not have. Use a Debian-based image, or set DATABASE_URL.`;
  }
  return `${program} cannot be started: ${cause.message}`;
}

/** Nothing of the caller's PG* variables may reach PostgreSQL; its messages are read by us, so they are English. */
export function postgresEnvironment(): Record<string, string> {
  const path = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };
  return { ...path, LC_ALL: 'C', TZ: 'UTC' };
}

/** The lines that tell why, without their timestamps: the last FATAL, PANIC or error with its details. */
export function plainReason(said: string): string {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^\d{4}-\d\d-\d\d [\d:.]+ \w+ \[\d+\] /, '').trim())
    .filter((line) => line !== '');
  const telling = lines.filter((line) =>
    /^(\S*: )?(FATAL|PANIC|ERROR|DETAIL|HINT|error|fatal|detail|hint|could not)\b/i.test(line),
  );
  return (telling.length > 0 ? telling : lines).slice(-4).join(' ') || 'it did not say why';
}

/**
 * The folder of the Unix socket, made with mode 0700: inside the data folder when the socket's path fits into an address
 * (unix(7): 108 bytes with the final NUL; 104 on macOS), else below the folder for temporary files.
 */
export function ensureSocketFolder(cluster: Cluster, runAs: RunAs): string {
  const inside = join(cluster.dataDir, 'socket');
  const candidates = [inside, join(tmpdir(), cluster.name), join('/tmp', cluster.name)];
  const folder = candidates.find(isShortEnough);
  if (folder === undefined)
    throw new PostgresStartError('No path for the Unix socket is short enough; set TMPDIR to a shorter path.');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (folder !== inside) checkOwnFolder(folder, runAs);
  chmodSync(folder, 0o700);
  giveTo(runAs, folder);
  return folder;
}

/** Leaves nothing of a stopped server below the folder for temporary files. */
export function removeSocketFolder(cluster: Cluster, folder: string): void {
  if (!folder.startsWith(cluster.dataDir)) rmSync(folder, { recursive: true, force: true });
}

function isShortEnough(folder: string): boolean {
  const limit = process.platform === 'linux' ? 107 : 103;
  return Buffer.byteLength(`${folder}/.s.PGSQL.${embeddedPort}.lock`) <= limit;
}

/** Anybody can make a folder in /tmp: one that belongs to somebody else, or a link, is not trusted with our socket. */
function checkOwnFolder(folder: string, runAs: RunAs): void {
  const stat = lstatSync(folder);
  const mine = [process.getuid?.(), runAs.account?.uid];
  if (stat.isDirectory() && mine.includes(stat.uid)) return;
  throw new PostgresStartError(
    `${folder} is needed for the Unix socket, but it belongs to somebody else. Remove it, or set TMPDIR.`,
  );
}

/**
 * The server's arguments. `overrides` come last and win. Commits are durable: fsync, full_page_writes and
 * synchronous_commit keep PostgreSQL's defaults, which are on.
 */
export function serverArguments(cluster: Cluster, socketFolder: string, overrides: Record<string, string>): string[] {
  const settings = {
    listen_addresses: '',
    // A list separated by commas; quotes keep a comma or blank of the path (SplitDirectoriesString in PostgreSQL's sources).
    unix_socket_directories: `"${socketFolder.replaceAll('"', '""')}"`,
    unix_socket_permissions: '0700',
    port: String(embeddedPort),
    cluster_name: cluster.name,
    max_connections: '100',
    shared_buffers: '128MB',
    max_wal_size: '1GB',
    // Short statements by the thousand: compiling them costs more than it saves.
    jit: 'off',
    timezone: 'UTC',
    log_timezone: 'UTC',
    lc_messages: 'C',
    log_checkpoints: 'off',
    ...overrides,
  };
  return ['-D', cluster.folder, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

function syncToDisk(path: string): void {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function digest(textToDigest: string): string {
  return createHash('sha256').update(textToDigest).digest('hex').slice(0, 16);
}
