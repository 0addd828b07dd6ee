/** Tidewire itself, started as `npm start` starts it, on a data folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd, startProcess, waitFor } from './processes.mjs';

/** The command that `npm start` loads. */
export const defaultCommand = fileURLToPath(new URL('../../apps/tidewire/bin/tidewire.js', import.meta.url));

/** A key that may do everything. */
const everything = ['--rest', '*:*', '--listen', '*:*', '--publish', '*', '--origin', '*'];

/** A new folder below the one for temporary files; `remove` deletes it. */
export function makeFolder(purpose) {
  const path = mkdtempSync(join(tmpdir(), `tidewire-${purpose}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 10 }) };
}

/** A port of the loopback address that is free just now. @returns {Promise<number>} */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
      server.close(() => resolve(port));
    });
  });
}

/** `env` is added to what a fresh clone has. @typedef {{ command?: string, dataDir: string, port: number, env?: Record<string, string> }} ServerOptions */

/** Starts the server and does not wait for it. @param {ServerOptions} options */
export function spawnTidewire({ command = defaultCommand, dataDir, port, env = {} }) {
  const args = [command, 'start', '--port', String(port), '--data-dir', dataDir];
  return startProcess('tidewire', process.execPath, args, { env: { ...plainEnvironment(), ...env } });
}

/**
 * Starts the server and waits until it is ready. Rejects with what it said when it ends or is not ready in time.
 * @param {ServerOptions & { readyMs?: number }} options
 */
export async function startTidewire({ readyMs = 60_000, ...options }) {
  const { port, dataDir } = options;
  const running = await spawnTidewire(options);
  let end = '';
  running.ended.then((how) => {
    end = how;
  });
  const isUp = () => {
    if (end !== '') throw new Error(`Tidewire ended with ${end}`);
    return isReady(port);
  };
  try {
    await waitFor('Tidewire is ready', isUp, { timeoutMs: readyMs });
  } catch (cause) {
    await running.stop();
    throw new Error(`Tidewire did not start: ${cause.message}\n${running.output()}`, { cause });
  }
  return { ...running, port, dataDir, url: `http://127.0.0.1:${port}` };
}

/**
 * Makes a key while the server runs. Grants as on the command line; without any, the key may do everything.
 * @param {{ command?: string, dataDir: string, name: string, grants?: string[], env?: Record<string, string> }} options
 * @returns {Promise<string>}
 */
export async function createKey({ command = defaultCommand, dataDir, name, grants = everything, env = {} }) {
  const args = [command, 'key', 'create', '--name', name, ...grants, '--data-dir', dataDir, '--json'];
  const output = await runToEnd(process.execPath, args, { env: { ...plainEnvironment(), DATA_DIR: dataDir, ...env } });
  return JSON.parse(output).key;
}

/** Declares an index on the fields, and waits until it is built. */
export async function declareIndex({ command = defaultCommand, dataDir, collection, fields }) {
  const args = [command, 'index', 'create', collection, ...fields, '--data-dir', dataDir];
  await runToEnd(process.execPath, args, { env: { ...plainEnvironment(), DATA_DIR: dataDir } });
}

async function isReady(port) {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/ready`);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}

/** Nothing of the caller's settings reaches the server: what is measured is what a fresh clone does. */
export function plainEnvironment() {
  const { PATH, HOME, TMPDIR } = process.env;
  return { PATH, HOME, ...(TMPDIR === undefined ? {} : { TMPDIR }), NODE_ENV: 'production' };
}
