/** HTTP load: requests from a number of connections, each sending the next as soon as it has its answer. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd } from './processes.mjs';
import { makeFolder } from './product.mjs';
import { findTool } from './tools.mjs';

/**
 * A body of a fixed length with a running number in it.
 * @typedef {{ before: string, behind: string }} NumberedBody
 * @typedef {{ url: string, headers: Record<string, string>, body: NumberedBody, firstNumber?: number, connections: number, seconds: number }} Load
 * @typedef {{ url: string, paths: string[], headers: Record<string, string>, connections: number, seconds: number }} ReadLoad `url` is the server's
 * @typedef {{ answered: number, seconds: number, perSecond: number, p50Ms: number, p99Ms: number }} LoadResult
 */

const wrk = findTool('wrk');
const luaScript = fileURLToPath(new URL('post.lua', import.meta.url));
const readScript = fileURLToPath(new URL('get.lua', import.meta.url));
const autocannonScript = fileURLToPath(new URL('autocannon-load.mjs', import.meta.url));

/** Which program makes the load, for the report. */
export const loadGenerator = 'path' in wrk ? 'wrk' : `autocannon, because ${wrk.missing}`;

/** The number as it stands in the bodies: always 9 digits. */
export function bodyOf({ before, behind }, number) {
  return `${before}${String(number).padStart(9, '0')}${behind}`;
}

/**
 * Runs the load. Rejects when any request was refused or broke: a figure with failures in it is none.
 * @param {Load} load
 * @returns {Promise<LoadResult>}
 */
export async function runLoad(load) {
  return resultOf(load, 'path' in wrk ? await runWrk(wrk.path, load) : await runAutocannon(load));
}

/**
 * GET of the paths in turns; rejects as `runLoad` does.
 * @param {ReadLoad} load
 * @returns {Promise<LoadResult>}
 */
export async function runReads(load) {
  return resultOf(load, 'path' in wrk ? await runWrkReads(wrk.path, load) : await runAutocannon(load));
}

function resultOf(load, { requests, microseconds, refused, broken, p50, p99 }) {
  if (refused > 0 || broken > 0) {
    throw new Error(`${load.url}: ${refused} of ${requests} requests were refused, ${broken} connections broke`);
  }
  if (requests === 0) throw new Error(`${load.url}: no request was answered within ${load.seconds} s`);
  const seconds = microseconds / 1e6;
  return { answered: requests, seconds, perSecond: requests / seconds, p50Ms: p50 / 1000, p99Ms: p99 / 1000 };
}

async function runWrkReads(path, { url, paths, headers, connections, seconds }) {
  const folder = makeFolder('bench-paths');
  const file = join(folder.path, 'paths');
  writeFileSync(file, paths.map((one) => `${one}\n`).join(''));
  try {
    const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', readScript];
    const headerOptions = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    return parseSummary(await runToEnd(path, [...options, ...headerOptions, url, '--', file]));
  } finally {
    folder.remove();
  }
}

async function runWrk(path, { url, headers, body, firstNumber = 0, connections, seconds }) {
  const options = ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', luaScript];
  const headerOptions = Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
  const output = await runToEnd(path, [
    ...options,
    ...headerOptions,
    url,
    '--',
    body.before,
    body.behind,
    String(firstNumber),
  ]);
  return parseSummary(output);
}

/** In a process of its own, as wrk is. */
async function runAutocannon(load) {
  return parseSummary(await runToEnd(process.execPath, [autocannonScript, JSON.stringify(load)]));
}

function parseSummary(output) {
  const line = /^SUMMARY (\{.*\})$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`the load generator gave no summary:\n${output}`);
  return JSON.parse(line);
}
