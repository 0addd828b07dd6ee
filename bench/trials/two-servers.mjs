/** Two servers over one PostgreSQL and one Redis, and an admin of them. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tidewire/db/embedded-postgres/embedded-postgres';
import { createSqlPool } from '@tidewire/db/sql-pool';
import { freePort, makeFolder, startTidewire } from '../kit/product.mjs';
import { findTool } from '../kit/tools.mjs';
import { startRedis } from '../nodes/redis.mjs';
import { admin, callAdmin, signIn } from './admin-calls.mjs';

const log = { info: () => undefined, warn: () => undefined };

/** @typedef {Awaited<ReturnType<typeof startTwoServers>>} TwoServers */

/** @param {{ onCleanup: (clean: () => unknown) => void }} options what is to be ended is handed to `onCleanup` as it is started */
export async function startTwoServers({ onCleanup }) {
  const tool = findTool('redis-server');
  const redisPath = process.env.REDIS_SERVER_PATH || ('path' in tool ? tool.path : '');
  if (redisPath === '') throw new Error('missing' in tool ? tool.missing : 'there is no redis-server');
  const folder = makeFolder('trials');
  onCleanup(folder.remove);
  const postgres = await startEmbeddedPostgres({ dataDir: join(folder.path, 'data'), log });
  onCleanup(() => postgres.stop());
  const pool = createSqlPool(postgres.address, { max: 2, onError: () => undefined });
  onCleanup(() => pool.end());
  const redis = await startRedis(redisPath, folder.path);
  onCleanup(() => redis.kill());
  const env = {
    ...{ DATABASE_URL: urlOf(postgres.address), REDIS_URL: redis.url, ...admin },
    ...{ SECRET_KEY: 'for this run only, and of some length', STREAM_MAX_AGE_MINUTES: '0' },
  };
  const options = [];
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder.path, name));
    options.push({ dataDir: join(folder.path, name), port: await freePort(), env, readyMs: 120_000 });
  }
  const running = [];
  for (const one of options) running.push(await startTidewire(one));
  onCleanup(() => Promise.all(running.map((server) => server.stop({ signal: 'SIGKILL' }))));
  const ports = options.map(({ port }) => port);
  const cookie = await signIn(ports[0]);

  return {
    ports,
    pool,
    redis,
    address: postgres.address,
    /** Kills a server and starts it again; its memory of the newest events is gone then. @param {number} node */
    async killAndRestart(node) {
      await running[node].stop({ signal: 'SIGKILL' });
      running[node] = await startTidewire(options[node]);
    },
    /**
     * The admin API of a server. Rejects on any refusal.
     * @param {number} node @param {string} method @param {string} path behind `/api/databases/` @param {unknown} [body]
     */
    admin: (node, method, path, body) => callAdmin({ port: ports[node], cookie }, method, path, body),
    /** A database of its own. Returns its id. @param {string} name */
    async createDatabase(name) {
      const { rows } = await pool.query(
        `WITH made AS (INSERT INTO databases (name) VALUES ($1) RETURNING id)
          INSERT INTO log_heads (database_id) SELECT id FROM made RETURNING database_id AS id`,
        [name],
      );
      return rows[0].id;
    },
  };
}

/** The address of a PostgreSQL as DATABASE_URL wants it. */
export function urlOf({ host, port, user, password, database }) {
  const url = new URL(`postgresql://localhost:${port}/${database}`);
  Object.assign(url, { username: user, password });
  url.searchParams.set('host', host);
  return url.href;
}

/**
 * A write. Rejects when it is refused; resolves with the number of its last event.
 * @param {number} port @param {string} key @param {string} path @param {unknown} body
 */
export async function write(port, key, path, body) {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, {
    method: 'POST',
    headers: { 'x-apikey': key, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`POST ${path} answered ${answer.status}: ${text}`);
  return Number(answer.headers.get('x-event-id'));
}
