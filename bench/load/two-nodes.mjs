/** Two servers over one PostgreSQL, and over one Redis when there is one on this machine. */
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { createSqlPool } from '@tidewire/db/sql-pool';
import { createKey, freePort, makeFolder, startTidewire } from '../kit/product.mjs';
import { findTool } from '../kit/tools.mjs';
import { startRedis } from '../nodes/redis.mjs';

const log = { info: () => undefined, warn: () => undefined };

/** @param {{ env?: Record<string, string>, onCleanup: (clean: () => unknown) => void }} options what is to be ended is handed to `onCleanup` as it is started */
export async function startTwoNodes({ env = {}, onCleanup }) {
  const folder = makeFolder('load');
  onCleanup(folder.remove);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, 'data'), log });
  onCleanup(() => postgres.stop());
  const pool = createSqlPool(postgres.address, { max: 1, onError: () => undefined });
  onCleanup(() => pool.end());
  const tool = findTool('redis-server');
  const redis = 'path' in tool ? await startRedis(tool.path, folder.path) : null;
  const environment = {
    ...{ DATABASE_URL: urlOf(postgres.address), SECRET_KEY: 'for this run only, and of some length' },
    ...(redis === null ? {} : { REDIS_URL: redis.url }),
    ...env,
  };
  const nodes = [];
  for (const name of ['one', 'two'])
    nodes.push(await startTidewire({ dataDir: join(folder.path, name), port: await freePort(), env: environment }));
  onCleanup(async () => {
    await Promise.all(nodes.map((node) => node.stop({ graceMs: 20_000 })));
    await redis?.stop();
  });
  const key = await createKey({ dataDir: join(folder.path, 'one'), name: 'load', env: environment });
  return {
    nodes,
    key,
    hasRedis: redis !== null,
    /** Connections of the servers, without this one. */
    async countConnections() {
      const text =
        "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
      return Number((await pool.query(text)).rows[0].count);
    },
  };
}

function urlOf({ host, port, user, password, database }) {
  const url = new URL(`postgresql://localhost:${port}/${database}`);
  Object.assign(url, { username: user, password });
  url.searchParams.set('host', host);
  return url.href;
}
