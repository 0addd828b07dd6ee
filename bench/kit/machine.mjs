/** On what a figure was taken: it means little without. */
import { execFileSync } from 'node:child_process';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { loadGenerator } from './load.mjs';
import { findTool } from './tools.mjs';

export function describeMachine() {
  const [cpu] = cpus();
  return {
    at: new Date().toISOString(),
    system: `${platform()} ${release()}`,
    cpu: cpu?.model,
    cores: cpus().length,
    memoryGibibytes: Math.round(totalmem() / 1024 ** 3),
    loadAverageBefore: loadavg(),
    node: process.version,
    nginx: versionOf('nginx', ['-v']),
    pgbench: versionOf('pgbench', ['--version']),
    loadGenerator,
    commit: commit(),
  };
}

function versionOf(name, args) {
  const found = findTool(name);
  if ('missing' in found) return found.missing;
  // nginx says its version on the standard error.
  return execFileSync('sh', ['-c', '"$0" "$@" 2>&1', found.path, ...args], { encoding: 'utf8' }).trim();
}

function commit() {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return null;
  }
}
