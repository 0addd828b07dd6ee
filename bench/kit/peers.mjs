/** Starts the peers of `bench/peers` that are Node programs: each writes its port on its first line. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startProcess } from './processes.mjs';

/**
 * @param {string} name of the file, without `.mjs`
 * @param {unknown} [argument] handed over as JSON
 */
export async function startPeer(name, argument) {
  const script = fileURLToPath(new URL(`../peers/${name}.mjs`, import.meta.url));
  const env = { ...process.env, NODE_ENV: 'production' };
  const running = await startProcess(name, process.execPath, [script, JSON.stringify(argument ?? null)], { env });
  const ended = running.ended.then((how) => {
    throw new Error(`${name} ended with ${how}: ${running.output()}`);
  });
  ended.catch(() => undefined);
  const { stdout } = running.child;
  if (stdout === null) throw new Error(`${name} has no output`);
  const [line] = await Promise.race([once(stdout, 'data'), ended]);
  return { ...running, port: Number(line) };
}
