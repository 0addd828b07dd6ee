/**
 * One Tidewire at a time on a data folder.
 *
 * Each contender puts a file of its own, never used again, into `<dataDir>/lock`; its name says who it is. It then looks at
 * all others: a dead contender's file is removed, which harms nobody because the name is unique; a live one means "not me".
 * Of two live contenders the one that looks later sees the other, so never do both go on; when both see each other both step
 * back and try again after a random while. A `kill -9` therefore never leaves a lock that blocks, and a pid that was given to
 * another process is not taken for its owner.
 *
 * A contender of another boot or container cannot be looked up by pid. It is alive while its file's time moves on
 * (every `heartbeatIntervalMs`).
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identifyProcess, processPlace } from './process-table.js';

const heartbeatIntervalMs = 1_000;
/** So long is the file of a contender in another place watched before it is called dead. */
const watchMs = 4 * heartbeatIntervalMs;
/** A file that was not touched for so long is dead without watching. */
const surelyDeadMs = 30_000;
/** So long do contenders that see each other step back before one of them is told that the folder is taken. */
const contentionMs = 5_000;

/** `server` runs until it is told to stop; `command` is done in moments. */
export type LockPurpose = 'server' | 'command';
export type DataFolderLock = { release(): void };

/** Another live Tidewire works on the data folder. */
export class DataFolderBusyError extends Error {
  override readonly name = 'DataFolderBusyError';
  readonly pid: number;
  readonly purpose: LockPurpose;

  constructor(dataDir: string, holder: Claim) {
    const who = holder.purpose === 'server' ? 'a running Tidewire' : 'a Tidewire command';
    super(
      `The data folder ${dataDir} is in use by ${who} (process ${holder.pid}). ` +
        `Stop that one first (kill ${holder.pid}), or give this one a folder of its own with DATA_DIR.`,
    );
    this.pid = holder.pid;
    this.purpose = holder.purpose;
  }
}

type Claim = { file: string; purpose: LockPurpose; pid: number; identity: string; place: string };

/**
 * Takes the lock, or rejects with `DataFolderBusyError`. While a `command` holds it, waits up to `waitForCommandMs`.
 * The lock is held until `release()` or the end of the process, whichever way it ends.
 */
export async function lockDataFolder(
  dataDir: string,
  options: { purpose: LockPurpose; waitForCommandMs: number },
): Promise<DataFolderLock> {
  const folder = join(dataDir, 'lock');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const started = Date.now();
  for (;;) {
    const mine = placeClaim(folder, options.purpose);
    const holder = await findLiveOther(folder, mine);
    if (holder === null) return hold(mine);
    rmSync(mine, { force: true });
    const patienceMs = isHeld(holder) && holder.purpose === 'server' ? 0 : waitFor(holder, options.waitForCommandMs);
    if (Date.now() - started >= patienceMs) throw new DataFolderBusyError(dataDir, holder);
    await delay(20 + Math.random() * 180);
  }
}

/** Who holds the data folder now, or null. Takes nothing and removes nothing. */
export async function findDataFolderHolder(dataDir: string): Promise<{ pid: number; purpose: LockPurpose } | null> {
  const claims = listClaims(join(dataDir, 'lock')).filter(isHeld);
  for (const claim of claims) if (await isAlive(claim)) return { pid: claim.pid, purpose: claim.purpose };
  return null;
}

function waitFor(holder: Claim, waitForCommandMs: number): number {
  return isHeld(holder) ? waitForCommandMs : Math.max(contentionMs, waitForCommandMs);
}

function placeClaim(folder: string, purpose: LockPurpose): string {
  const identity = digest(identifyProcess(process.pid) ?? '');
  const name = [purpose, process.pid, identity, digest(processPlace()), randomBytes(6).toString('hex')].join('.');
  const file = join(folder, name);
  writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  return file;
}

function hold(file: string): DataFolderLock {
  writeFileSync(file, 'held');
  const timer = setInterval(() => touch(file), heartbeatIntervalMs);
  timer.unref();
  return {
    release() {
      clearInterval(timer);
      rmSync(file, { force: true });
    },
  };
}

/** The folder may have been removed under us; there is nothing to keep then. */
function touch(file: string): void {
  try {
    const now = new Date();
    utimesSync(file, now, now);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}

async function findLiveOther(folder: string, mine: string): Promise<Claim | null> {
  for (const claim of listClaims(folder)) {
    if (claim.file === mine) continue;
    if (await isAlive(claim)) return claim;
    rmSync(claim.file, { force: true });
  }
  return null;
}

function listClaims(folder: string): Claim[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  return names.flatMap((name) => {
    const [purpose, pid, identity, place, random] = name.split('.');
    if (purpose !== 'server' && purpose !== 'command') return [];
    if (!pid || !identity || !place || !random) return [];
    return [{ file: join(folder, name), purpose, pid: Number(pid), identity, place }];
  });
}

async function isAlive(claim: Claim): Promise<boolean> {
  if (claim.place !== digest(processPlace())) return isBeating(claim.file);
  const identity = identifyProcess(claim.pid);
  return identity !== null && digest(identity) === claim.identity;
}

async function isBeating(file: string): Promise<boolean> {
  const before = modifiedAt(file);
  if (before === null || Date.now() - before > surelyDeadMs) return false;
  const until = Date.now() + watchMs;
  while (Date.now() < until) {
    await delay(heartbeatIntervalMs / 4);
    const now = modifiedAt(file);
    if (now === null) return false;
    if (now !== before) return true;
  }
  return false;
}

function modifiedAt(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function isHeld(claim: Claim): boolean {
  try {
    return readFileSync(claim.file, 'utf8') === 'held';
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
