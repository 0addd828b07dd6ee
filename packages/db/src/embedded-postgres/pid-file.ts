/** `postmaster.pid`, the file in which a running PostgreSQL says who and where it is (src/include/utils/pidfile.h). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type PidFile = { pid: number; socketFolder: string; isReady: boolean };

/** No system gives this pid (Linux ends at 2^22), and PostgreSQL reads it as a 32-bit number. */
const nobodysPid = 0x7fff_fffe;

/** What the file says; null when there is none or it is only half written. */
export function readPidFile(clusterFolder: string): PidFile | null {
  const lines = readLines(clusterFolder);
  const pid = Number.parseInt(lines?.[0] ?? '', 10);
  if (lines === null || !Number.isInteger(pid)) return null;
  return { pid: Math.abs(pid), socketFolder: lines[4] ?? '', isReady: lines[7]?.trim() === 'ready' };
}

/**
 * Makes a stale file harmless: PostgreSQL would take any live process with that pid for a postmaster and refuse to start.
 * Only the pid is replaced. The rest holds the id of the shared memory, by which PostgreSQL makes sure itself that no process
 * of the dead server is left; removing the file would take that safety away. Written in place, so that it keeps its owner.
 */
export function disarmPidFile(clusterFolder: string): void {
  const lines = readLines(clusterFolder);
  if (lines !== null) writeFileSync(join(clusterFolder, 'postmaster.pid'), [nobodysPid, ...lines.slice(1)].join('\n'));
}

function readLines(clusterFolder: string): string[] | null {
  try {
    return readFileSync(join(clusterFolder, 'postmaster.pid'), 'utf8').split('\n');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
