/** Starts peers and limit programs that are ours to write: each writes its port on its first line. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runToEnd, startProcess } from './processes.mjs';
import { makeFolder } from './product.mjs';
import { findTool } from './tools.mjs';

/** Folders whose packages are no part of the workspace. */
const foldersOfPeers = ['node', 'parse-server'];
const peerFolders = foldersOfPeers.map((name) => fileURLToPath(new URL(`../peers/${name}/`, import.meta.url)));

/**
 * A Node program of the folder `peers`.
 * @param {string} name of the file, without `.mjs`
 * @param {unknown} [argument] handed over as JSON
 */
export function startPeer(name, argument) {
  const script = fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));
  return start(name, process.execPath, [script, JSON.stringify(argument ?? null)]);
}

/** The limit of Node. */
export function startNetSockets() {
  const script = fileURLToPath(new URL('../limits/net-sockets.mjs', import.meta.url));
  return start('net-sockets', process.execPath, [script]);
}

/**
 * A peer that stands on a package from npm.
 * @param {{ name: string, package: string, argument?: unknown }} options
 * @returns {Promise<Awaited<ReturnType<typeof startPeer>> | { missing: string }>}
 */
export async function startPackagePeer({ name, package: packageName, argument }) {
  const index = peerFolders.findIndex((one) => existsSync(join(one, 'node_modules', packageName)));
  if (index < 0) return { missing: `${packageName} is not installed: npm run peers -w bench` };
  if (name !== 'bun') return startPeer(`${foldersOfPeers[index]}/${name}`, argument);
  return start(name, join(peerFolders[index], 'node_modules/.bin/bun'), [join(peerFolders[index], 'bun.mjs')]);
}

/** The limit of the machine, compiled when there is a compiler. @returns {ReturnType<typeof startPackagePeer>} */
export async function startEpollSockets() {
  const compiler = findTool('cc');
  if ('missing' in compiler) return compiler;
  const folder = makeFolder('bench-epoll');
  try {
    const program = join(folder.path, 'epoll-sockets');
    const source = fileURLToPath(new URL('../limits/epoll-sockets.c', import.meta.url));
    await runToEnd(compiler.path, ['-O2', '-o', program, source]);
    return await start('epoll-sockets', program, []);
  } finally {
    folder.remove();
  }
}

async function start(name, command, args) {
  const env = { ...process.env, NODE_ENV: 'production' };
  const running = await startProcess(name, command, args, { env });
  const ended = running.ended.then((how) => {
    throw new Error(`${name} ended with ${how}: ${running.output()}`);
  });
  ended.catch(() => undefined);
  const { stdout } = running.child;
  if (stdout === null) throw new Error(`${name} has no output`);
  const [line] = await Promise.race([once(stdout, 'data'), ended]);
  return { ...running, port: Number(line) };
}
