// Finds a Redis or Valkey server that runs, or gets one.
import { firstThatWorks, installWithApt, onPath, works } from './system.mjs';
import { say } from './workspace.mjs';

const names = ['redis-server', 'valkey-server'];
const expected = /redis|valkey/i;

/** The path of a server that answers to `--version`: REDIS_SERVER_PATH, else on this system, else (unless `install` is false) from apt-get. Null when there is none. */
export async function findRedis({ install = true } = {}) {
  const wanted = process.env.REDIS_SERVER_PATH;
  if (wanted) {
    if (await works(wanted, expected)) return wanted;
    say(`REDIS_SERVER_PATH is ${wanted}, which does not run as a Redis server; looking for another one.`);
  }
  const found = await firstThatWorks(onPath(names), expected);
  if (found !== null || !install) return found;
  await installWithApt('redis-server');
  return firstThatWorks(onPath(names), expected);
}
