import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { eventually } from '@tidewire/testing/eventually';
import type { Held, Refused } from '@tidewire/testing/postgres-holder';
import { type SourceProcess, spawnSource } from '@tidewire/testing/spawn-source';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { checkDurability } from '../durability.js';
import { createSqlPool, type PostgresAddress, type SqlPool } from '../sql-pool.js';
import { clusterOf } from './cluster.js';
import {
  type EmbeddedPostgres,
  type EmbeddedPostgresOptions,
  findEmbeddedPostgres,
  startEmbeddedPostgres,
} from './embedded-postgres.js';
import { disarmPidFile } from './pid-file.js';
import { endLeftovers } from './postmaster.js';
import { findPostgresProcesses } from './process-table.js';

const holderProgram = fileURLToPath(new URL('../../../testing/src/postgres-holder.ts', import.meta.url));

let root: string;
let dataDir: string;
let lines: string[];
const cleanups: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'tw-')));
  dataDir = join(root, 'data');
  lines = [];
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  expect(processes()).toEqual([]);
  rmSync(root, { recursive: true, force: true });
});

function processes(): number[] {
  const cluster = clusterOf(dataDir);
  return findPostgresProcesses({ folder: cluster.folder, name: cluster.name });
}

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const keep = (_fields: object, message: string) => lines.push(message);
  const postgres = await startEmbeddedPostgres({ dataDir, log: { info: keep, warn: keep }, ...options });
  cleanups.push(() => postgres.stop());
  return postgres;
}

function connect(address: PostgresAddress): SqlPool {
  const pool = createSqlPool(address, { max: 4, onError: () => undefined });
  cleanups.push(() => pool.end());
  return pool;
}

function spawnHolder(...args: string[]): SourceProcess {
  const holder = spawnSource(holderProgram, [dataDir, ...args]);
  cleanups.push(async () => {
    holder.kill('SIGKILL');
    await holder.ended;
    if (processes().length > 0) await endLeftovers(clusterOf(dataDir), () => undefined);
  });
  return holder;
}

async function ask(address: PostgresAddress, sql: string): Promise<Record<string, unknown>[]> {
  return (await connect(address).query(sql)).rows;
}

test('from nothing it serves a durable UTF-8 database with checksums, on a Unix socket only, behind a password', async () => {
  const { address } = await start();
  const [row] = await ask(
    address,
    `SELECT current_setting('listen_addresses') AS tcp, current_setting('server_encoding') AS encoding,
       current_setting('data_checksums') AS checksums, lower('ÄÖ') AS folded, current_setting('jit') AS jit`,
  );
  expect(row).toEqual({ tcp: '', encoding: 'UTF8', checksums: 'on', folded: 'äö', jit: 'off' });
  expect(await checkDurability(connect(address))).toEqual([]);
  await expect(ask({ ...address, password: 'wrong' } as PostgresAddress, 'SELECT 1')).rejects.toThrow(
    /password authentication failed/,
  );
});

test('files and folders are open to their owner only', async () => {
  await start();
  const modeOf = (...path: string[]) => (statSync(join(dataDir, ...path)).mode & 0o777).toString(8);
  expect(modeOf()).toBe('700');
  expect(['postgres', 'socket', 'lock'].map((name) => modeOf(name))).toEqual(['700', '700', '700']);
  expect([modeOf('postgres', 'tidewire.password'), modeOf('postgres.log')]).toEqual(['600', '600']);
});

test('a first set-up that is killed at any moment is done again', { timeout: 120_000 }, async () => {
  for (const afterMs of [0, 250, 600]) {
    const holder = spawnSource(holderProgram, [dataDir]);
    const isThere = eventually(() => statSync(join(dataDir, 'lock')), { timeoutMs: 10_000, intervalMs: 2 });
    await isThere;
    await delay(afterMs);
    holder.kill('SIGKILL');
    await holder.ended;
    const next = await start();
    expect(await ask(next.address, 'SELECT current_database() AS name')).toEqual([{ name: 'tidewire' }]);
    expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.new'))).toEqual([]);
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    rmSync(dataDir, { recursive: true });
  }
});

test.each([
  ['too long for a socket', 'd'.repeat(60), 'e'.repeat(60)],
  ['with a blank, a comma, quotes and an umlaut', `my "da'ta", ünd`],
])('a data folder whose path is %s works', async (_what, ...names) => {
  dataDir = join(root, ...names);
  mkdirSync(dataDir, { recursive: true });
  const { address } = await start();
  expect(await ask(address, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  const host = 'host' in address ? address.host : '';
  expect(Buffer.byteLength(host)).toBeLessThan(95);
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  if (!host.startsWith(dataDir)) expect(existsSync(host)).toBe(false);
});

describe('on a data folder that was set up', () => {
  let made: string;

  beforeAll(async () => {
    made = realpathSync(mkdtempSync(join(tmpdir(), 'tw-')));
    const log = { info: () => undefined, warn: () => undefined };
    await (await startEmbeddedPostgres({ dataDir: join(made, 'data'), log })).stop();
  });
  beforeEach(() => execFileSync('cp', ['-a', join(made, 'data'), dataDir]));
  afterAll(() => rmSync(made, { recursive: true, force: true }));

  test('a setting that could lose an acknowledged write is named', async () => {
    const { address } = await start({ settings: { fsync: 'off', synchronous_commit: 'off' } });
    const risks = await checkDurability(connect(address));
    expect(risks.map(({ setting }) => setting)).toEqual(['fsync', 'synchronous_commit']);
  });

  test('stop ends every process, frees the folder, and may be called twice', async () => {
    const postgres = await start();
    expect(processes().length).toBeGreaterThan(1);
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(processes()).toEqual([]);
    expect(readdirSync(join(dataDir, 'lock'))).toEqual([]);
    expect((await start()).adopted).toBe(false);
  });

  test('a killed Tidewire leaves its PostgreSQL running, and the next one takes it over with all data', async () => {
    const holder = spawnHolder();
    const held = await holder.next<Held>();
    await ask(held.address, 'CREATE TABLE t AS SELECT 42 AS answer');
    holder.kill('SIGKILL');
    await holder.ended;
    const next = await start();
    expect([next.adopted, next.pid()]).toEqual([true, held.pid]);
    expect(await ask(next.address, 'SELECT answer FROM t')).toEqual([{ answer: 42 }]);
  });

  test('a PostgreSQL that was taken over is watched like an own one', async () => {
    const holder = spawnHolder();
    await holder.next<Held>();
    holder.kill('SIGKILL');
    await holder.ended;
    const next = await start();
    const pool = connect(next.address);
    process.kill(next.pid(), 'SIGKILL');
    await eventually(() => pool.query('SELECT 1'), { timeoutMs: 10_000 });
  });

  test('one that was left running with other settings is replaced', async () => {
    const holder = spawnHolder();
    const held = await holder.next<Held>();
    holder.kill('SIGKILL');
    await holder.ended;
    const next = await start({ settings: { work_mem: '7MB' } });
    expect(next.adopted).toBe(false);
    expect(next.pid()).not.toBe(held.pid);
    expect(await ask(next.address, 'SHOW work_mem')).toEqual([{ work_mem: '7MB' }]);
  });

  test('when both were killed and the pid has gone to another process, the next start succeeds with every acknowledged write', async () => {
    const holder = spawnHolder('write');
    const held = await holder.next<Held>();
    let acknowledged = 0;
    while (acknowledged < 200) acknowledged = await holder.next<number>();
    process.kill(held.pid, 'SIGKILL');
    holder.kill('SIGKILL');
    await holder.ended;
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    for (const file of [pidFile, join(held.address.host, '.s.PGSQL.5432.lock')]) {
      const [, ...rest] = readFileSync(file, 'utf8').split('\n');
      writeFileSync(file, [process.pid, ...rest].join('\n'));
    }
    const { address, adopted } = await start();
    expect(adopted).toBe(false);
    const [row] = await ask(address, 'SELECT max(n) AS last FROM numbers');
    expect(row?.last).toBeGreaterThanOrEqual(acknowledged);
  });

  test('a pid file that is empty or half written does not block', async () => {
    await (await start()).stop();
    for (const content of ['', '12', '12\n/some', '\n\n']) {
      writeFileSync(join(dataDir, 'postgres', 'postmaster.pid'), content);
      disarmPidFile(join(dataDir, 'postgres'));
      await (await start()).stop();
    }
  });

  test('a PostgreSQL that is killed five times is back each time, and no acknowledged write is lost', {
    timeout: 60_000,
  }, async () => {
    const postgres = await start();
    const pool = connect(postgres.address);
    await pool.query('CREATE TABLE numbers (n bigserial PRIMARY KEY)');
    const acknowledged: number[] = [];
    let isWriting = true;
    const insert = async () => {
      const { rows } = await pool.query<{ n: number }>('INSERT INTO numbers DEFAULT VALUES RETURNING n');
      acknowledged.push(rows[0]?.n ?? 0);
    };
    const writer = (async () => {
      while (isWriting) await insert().catch(() => delay(10));
    })();
    for (let kill = 1; kill <= 5; kill += 1) {
      const before = acknowledged.length;
      const pid = postgres.pid();
      await eventually(() => expect(acknowledged.length).toBeGreaterThan(before + 50), { timeoutMs: 15_000 });
      process.kill(pid, 'SIGKILL');
      await eventually(() => expect(postgres.pid()).not.toBe(pid), { timeoutMs: 15_000 });
    }
    await eventually(() => pool.query('SELECT 1'), { timeoutMs: 10_000 });
    isWriting = false;
    await writer;
    const { rows } = await pool.query<{ n: number }>('SELECT n FROM numbers');
    const stored = new Set(rows.map(({ n }) => n));
    expect(acknowledged.filter((n) => !stored.has(n))).toEqual([]);
    expect(lines.filter((line) => line.includes('ended by itself'))).toHaveLength(5);
    expect(lines.filter((line) => line === 'PostgreSQL is back.')).toHaveLength(5);
  });

  test('stop in the middle of a restart leaves nothing running', async () => {
    const postgres = await start();
    process.kill(postgres.pid(), 'SIGKILL');
    await delay(70);
    await postgres.stop();
    expect(processes()).toEqual([]);
  });

  test('of two that start at once on one folder one serves, and the other is told the folder and the pid', async () => {
    const [one, two] = [spawnHolder(), spawnHolder()];
    const answers = await Promise.all([one.next<Held | Refused>(), two.next<Held | Refused>()]);
    const refusals = answers.flatMap((answer) => ('error' in answer ? [answer.error] : []));
    expect(refusals).toHaveLength(1);
    const winner = 'error' in answers[0] ? two : one;
    expect(refusals[0]).toContain(`${dataDir} is in use by a running Tidewire (process ${winner.child.pid})`);
    expect(await findEmbeddedPostgres(dataDir)).not.toBeNull();
  });

  test('beside a running server its address is found, and on a stopped one there is none', async () => {
    expect(await findEmbeddedPostgres(dataDir)).toBeNull();
    const postgres = await start();
    expect(await findEmbeddedPostgres(dataDir)).toEqual(postgres.address);
    await postgres.stop();
    expect(await findEmbeddedPostgres(dataDir)).toBeNull();
  });

  test('a server waits for a command that works on the folder', async () => {
    const command = await start({ purpose: 'command' });
    const server = start();
    await delay(300);
    await command.stop();
    expect((await server).adopted).toBe(false);
  });

  test('when it cannot start, the message has the reason that PostgreSQL gave and where its log is', async () => {
    await (await start()).stop();
    const failing = start({ settings: { shared_buffers: 'plenty' } });
    await expect(failing).rejects.toThrow(/invalid value for parameter "shared_buffers": "plenty".*postgres\.log/);
    expect(processes()).toEqual([]);
    await start();
  });

  test('data of another PostgreSQL version, and a folder that is no data, are refused in plain words', async () => {
    await (await start()).stop();
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    await expect(start()).rejects.toThrow(/was written by PostgreSQL 17, and this Tidewire has PostgreSQL 18/);
    rmSync(join(dataDir, 'postgres', 'PG_VERSION'));
    await expect(start()).rejects.toThrow(/is not a PostgreSQL data folder/);
  });
});
