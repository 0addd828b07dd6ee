/**
 * Which processes are there. A pid alone says little: it may have been given to another process since it was written down.
 * Linux is read from /proc (container images often lack `ps`), macOS through `ps`.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename } from 'node:path';

const isLinux = process.platform === 'linux';

/** A text that two processes with the same pid do not share, or null when no such process is alive (a zombie is not). */
export function identifyProcess(pid: number): string | null {
  return isLinux ? identifyByProc(pid) : identifyByPs(pid);
}

/** proc(5): the fields after the command's closing parenthesis start with the state; the start time is the 20th of them. */
function identifyByProc(pid: number): string | null {
  const stat = readOrNull(`/proc/${pid}/stat`);
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : `${fields[19]}`;
}

function identifyByPs(pid: number): string | null {
  const line = ps(['-o', 'stat=,lstart=', '-p', String(pid)]).trim();
  const [state = 'Z', ...started] = line.split(/\s+/);
  return state.startsWith('Z') ? null : started.join(' ');
}

/** Names the boot and the pid namespace: only where this text is the same does a pid mean the same process. */
export function processPlace(): string {
  if (!isLinux) return `${process.platform} ${hostname()}`;
  return `${readOrNull('/proc/sys/kernel/random/boot_id')?.trim()} ${readlinkOrNull('/proc/self/ns/pid')}`;
}

/**
 * The pids of all Postgres processes (postmaster and its children) that work on a data folder, orphans included.
 * On Linux by working directory, which every Postgres process keeps in its data folder; elsewhere by the cluster's name in the
 * process title.
 */
export function findPostgresProcesses(cluster: { folder: string; name: string }): number[] {
  if (isLinux) return allPids().filter((pid) => isPostgresIn(pid, cluster.folder));
  return ps(['-axo', 'pid=,command='])
    .split('\n')
    .filter((line) => line.includes(cluster.name) && line.includes('postgres'))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid !== process.pid);
}

function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** The kernel adds " (deleted)" to the name of a program file that was replaced, as by an upgrade. */
function isPostgresIn(pid: number, folder: string): boolean {
  if (readlinkOrNull(`/proc/${pid}/cwd`) !== folder) return false;
  const program = readlinkOrNull(`/proc/${pid}/exe`);
  return (
    program !== null && basename(program.replace(/ \(deleted\)$/, '')) === 'postgres' && identifyProcess(pid) !== null
  );
}

function ps(args: string[]): string {
  try {
    return execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // ps exits with 1 when no process matches.
    return '';
  }
}

/** Entries of /proc vanish with their process, and those of other users may be hidden: both mean "not ours". */
function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function readlinkOrNull(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
