/** What Linux says about processes and itself, from /proc. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** False elsewhere than on Linux: then there is no CPU time and no memory to report. */
export const hasProc = existsSync('/proc/self/stat');

let ticksPerSecond = 0;

/** The fields of /proc/PID/stat after the name, which may hold blanks and brackets: index 0 is the state (proc_pid_stat(5)). */
function statFields(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

/**
 * CPU seconds (user and system) of processes, with those of their children that have ended and been waited for.
 * @param {number[]} pids
 */
export function cpuSeconds(pids) {
  ticksPerSecond ||= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  let ticks = 0;
  for (const pid of pids) {
    const fields = statFields(pid);
    if (fields !== null) for (const index of [11, 12, 13, 14]) ticks += Number(fields[index]);
  }
  return ticks / ticksPerSecond;
}

/**
 * The process and all below it.
 * @param {number} pid
 * @returns {number[]}
 */
export function processTree(pid) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const tree = [pid];
  for (const one of tree) tree.push(...(children.get(one) ?? []));
  return tree;
}

/** Resident memory of a process in bytes. */
export function residentBytes(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) * 1024;
}

/** Calls of write(2) and writev(2) that a process has made; those of send(2) are not among them (proc_pid_io(5)). */
export function writeCalls(pid) {
  return Number(/^syscw: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);
}

/** Memory of the kernel's own objects in bytes: sockets are among them, on both ends of a loopback connection. */
export function slabBytes() {
  return Number(/^Slab:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]) * 1024;
}

/** The command line of a process, as a list. */
export function commandLine(pid) {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
}
