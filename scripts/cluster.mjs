// `npm run cluster`: Tidewire as several processes on this machine: two api, two realtime and a worker behind nginx, over the PostgreSQL
// and the Redis that it finds (DATABASE_URL, REDIS_URL) or starts. Ctrl-C ends what it started, and nothing else.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findNginx, localNginxConf } from './nginx.mjs';
import { findRedis } from './redis.mjs';
import { build, checkNode, install, PlainError, root, say } from './workspace.mjs';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env.PORT || '4000' },
    'data-dir': { type: 'string', default: process.env.DATA_DIR || './data' },
  },
});
const dataDir = resolve(values['data-dir']);
const command = join(root, 'apps', 'tidewire', 'bin', 'tidewire.js');

/** What was started, in its order; it is ended in the opposite one. */
const stops = [];
let stopping = null;

async function main() {
  checkNode();
  await install();
  const programs = await findPrograms();
  await build('@tidewire/tidewire');
  const folder = mkdtempSync(join(tmpdir(), 'tidewire-cluster-'));
  defer(() => rmSync(folder, { recursive: true, force: true }));
  const address = await openPostgres();
  const redisUrl = process.env.REDIS_URL || (await startRedis(programs.redis, folder));
  const { secret, demoKey, setupToken } = await prepare(address);

  const env = {
    ...process.env,
    ...{ DATABASE_URL: urlOf(address), REDIS_URL: redisUrl, SECRET_KEY: secret, DATA_DIR: dataDir },
    ...{ HOST: '127.0.0.1', TRUST_PROXY: '1', NO_COLOR: '1' },
  };
  const members = [];
  for (const [role, count] of Object.entries({ worker: 1, realtime: 2, api: 2 }))
    for (let index = 1; index <= count; index += 1)
      members.push({ role, name: `${role} ${index}`, port: await freePort() });
  const running = members.map((member) => startMember(member, env));
  defer(() => Promise.all(running.map(({ end }) => end())));
  await Promise.all(running.map(({ ready }) => ready));
  await startNginx(programs.nginx, folder, members);
  if (stopping === null) await welcome({ members, redisUrl, demoKey, setupToken });
}

/** All that is missing is said at once, before anything is started. */
async function findPrograms() {
  const nginx = await findNginx();
  const redis = process.env.REDIS_URL ? null : await findRedis({ install: false });
  const missing = [];
  if (nginx === null)
    missing.push(
      'nginx was not found. Install it (apt-get install nginx-light, brew install nginx), or set NGINX_PATH.',
    );
  if (redis === null && !process.env.REDIS_URL)
    missing.push(
      'No redis-server or valkey-server was found. Install one (apt-get install redis-server, brew install redis), or set REDIS_URL to one that runs.',
    );
  if (missing.length > 0) throw new PlainError(missing.join('\n'));
  return { nginx, redis };
}

async function openPostgres() {
  if (process.env.DATABASE_URL) return { connectionString: process.env.DATABASE_URL };
  const { startEmbeddedPostgres } = await import('@tidewire/db/embedded-postgres/embedded-postgres');
  const log = { info: () => undefined, warn: (_fields, message) => say(`postgres: ${message}`) };
  const postgres = await startEmbeddedPostgres({ dataDir, log });
  defer(() => postgres.stop());
  return postgres.address;
}

/** As a connection string: a Unix socket's folder stands in the query. */
function urlOf(address) {
  if ('connectionString' in address) return address.connectionString;
  const url = new URL(`postgresql://localhost:${address.port}/${address.database}`);
  Object.assign(url, { username: address.user, password: address.password });
  url.searchParams.set('host', address.host);
  return url.href;
}

async function startRedis(path, folder) {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = startProgram('redis', path, args);
  await until('Redis answers', async () => child.exitCode !== null || (await accepts(port)));
  return `redis://127.0.0.1:${port}`;
}

/** Schema, first database and demo key, once for all processes. */
async function prepare(address) {
  const [{ migrate }, { openCore }, { ensureDemoKey }, { readServerSecret }, { createSetupToken }, { createLogger }] =
    await Promise.all([
      import('@tidewire/db/migrate'),
      import('@tidewire/tidewire/open-core'),
      import('@tidewire/tidewire/demo-key'),
      import('@tidewire/tidewire/server-secret'),
      import('@tidewire/access/setup-token'),
      import('@tidewire/server-kit/logger'),
    ]);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const secret = process.env.SECRET_KEY || readServerSecret(dataDir);
  await migrate(address);
  const logger = createLogger({ level: 'warn', write: say, forPeople: true, colours: false });
  const core = openCore(address, logger);
  try {
    const { id } = await core.databases.ensure('default');
    const demoKey = await ensureDemoKey(core, id, dataDir);
    const hasAdmin = (await core.prisma.admin.count()) > 0;
    return { secret, demoKey, setupToken: hasAdmin ? null : createSetupToken(secret).text };
  } finally {
    await core.close();
  }
}

/** Starts one process of Tidewire, and again whenever it ends before it is to. */
function startMember({ role, name, port }, env) {
  let child = null;
  const begin = () => {
    child = spawn(process.execPath, [command, 'start', '--role', role, '--port', String(port)], {
      cwd: root,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
      // A group of its own: Ctrl-C is for us, and we end it in its turn.
      detached: true,
    });
    createInterface({ input: child.stderr }).on('line', (line) => say(`${name}: ${line}`));
    child.once('exit', (code, signal) => {
      if (stopping !== null) return;
      say(`${name} ended (${signal ?? `code ${code}`}); starting it again.`);
      setTimeout(() => stopping === null && begin(), 1_000);
    });
  };
  begin();
  return {
    ready: until(`${name} is ready`, async () => stopping !== null || (await isReady(port))),
    end: () => endChild(child),
  };
}

async function startNginx(path, folder, members) {
  const ports = (wanted) => members.filter(({ role }) => role === wanted).map(({ port }) => port);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, localNginxConf({ folder, port: values.port, api: ports('api'), realtime: ports('realtime') }));
  const child = startProgram('nginx', path, ['-p', folder, '-e', join(folder, 'nginx-error.log'), '-c', file]);
  await until(
    'nginx answers',
    async () => stopping !== null || child.exitCode !== null || (await isReady(values.port)),
  );
  if (child.exitCode !== null)
    throw new PlainError(
      `nginx did not start; what it said stands above. When port ${values.port} is taken: npm run cluster -- --port 4001`,
    );
}

async function welcome({ members, redisUrl, demoKey, setupToken }) {
  const { renderWelcome } = await import('@tidewire/tidewire/welcome');
  const text = renderWelcome(
    {
      url: `http://localhost:${values.port}`,
      storage: process.env.DATABASE_URL ? 'the PostgreSQL of DATABASE_URL' : dataDir,
      dashboard: setupToken === null ? { kind: 'sign in' } : { kind: 'setup', token: setupToken },
      demoKey,
      command: `npx tidewire${values['data-dir'] === './data' ? '' : ` --data-dir ${dataDir}`}`,
    },
    Boolean(process.stdout.isTTY && !process.env.NO_COLOR),
  );
  const list = members.map(({ name, port }) => `  ${name.padEnd(11)}http://127.0.0.1:${port}`).join('\n');
  process.stdout.write(`${list}\n  redis      ${process.env.REDIS_URL ? 'that of REDIS_URL' : redisUrl}\n${text}`);
}

function startProgram(name, path, args) {
  const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  createInterface({ input: child.stderr }).on('line', (line) => say(`${name}: ${line}`));
  child.once('error', (error) => say(`${name}: ${error.message}`));
  child.once('exit', (code, signal) => stopping === null && say(`${name} ended (${signal ?? `code ${code}`}).`));
  defer(() => endChild(child));
  return child;
}

function defer(stop) {
  stops.push(stop);
}

async function endChild(child) {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const late = setTimeout(() => child.kill('SIGKILL'), 45_000);
  await gone;
  clearTimeout(late);
}

/** In the opposite order of the start: the proxy, all processes of Tidewire at once, and then what they stand on. */
function stopAll() {
  stopping ??= (async () => {
    for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
      try {
        await stop();
      } catch (error) {
        say(String(error));
      }
    }
  })();
  return stopping;
}

async function until(what, attempt) {
  const end = Date.now() + 60_000;
  while (!(await attempt())) {
    if (Date.now() > end) throw new PlainError(`${what}: not so within a minute.`);
    await delay(50);
  }
}

async function isReady(port) {
  try {
    const answer = await fetch(`http://127.0.0.1:${port}/ready`, { signal: AbortSignal.timeout(2_000) });
    await answer.arrayBuffer();
    return answer.ok;
  } catch {
    return false;
  }
}

function accepts(port) {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('error', () => done(false));
    socket.once('connect', () => {
      socket.destroy();
      done(true);
    });
  });
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  return port;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => void stopAll().then(() => process.exit(process.exitCode ?? 0)));
// A shell may stand between npm and us, and a signal to npm then ends that shell and not us: without a parent we stop, too.
const parent = process.ppid;
if (process.env.npm_lifecycle_event !== undefined && process.platform !== 'win32')
  setInterval(() => process.ppid !== parent && process.kill(process.pid, 'SIGTERM'), 500).unref();

try {
  await main();
} catch (error) {
  say(error instanceof PlainError ? error.message : (error.stack ?? String(error)));
  process.exitCode = 1;
  await stopAll();
  process.exit(1);
}
