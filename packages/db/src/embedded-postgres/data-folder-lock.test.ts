import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataFolderBusyError, findDataFolderHolder, lockDataFolder } from './data-folder-lock.js';

let dataDir: string;
const asServer = { purpose: 'server', waitForCommandMs: 0 } as const;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'tw-lock-'));
});

afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

/** The file of a contender that says what we want: this place and another identity, or another place. */
async function placeForeignClaim(change: { identity?: string; place?: string }): Promise<string> {
  const own = await lockDataFolder(dataDir, asServer);
  const [purpose, pid, identity, place] = (readdirSync(join(dataDir, 'lock'))[0] ?? '').split('.');
  own.release();
  const file = join(
    dataDir,
    'lock',
    [purpose, pid, change.identity ?? identity, change.place ?? place, 'foreign'].join('.'),
  );
  writeFileSync(file, 'held');
  return file;
}

test('while one holds the folder another is refused, and after its release it is free', async () => {
  const first = await lockDataFolder(dataDir, asServer);
  expect(await findDataFolderHolder(dataDir)).toEqual({ pid: process.pid, purpose: 'server' });
  await expect(lockDataFolder(dataDir, asServer)).rejects.toThrow(DataFolderBusyError);
  first.release();
  expect(await findDataFolderHolder(dataDir)).toBeNull();
  (await lockDataFolder(dataDir, asServer)).release();
  expect(readdirSync(join(dataDir, 'lock'))).toEqual([]);
});

test('of twenty that come at the same moment exactly one gets it', { timeout: 30_000 }, async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => lockDataFolder(dataDir, asServer)));
  const winners = outcomes.filter(({ status }) => status === 'fulfilled');
  expect(winners).toHaveLength(1);
  expect(readdirSync(join(dataDir, 'lock'))).toHaveLength(1);
});

test('the lock of a process that is dead, its pid now being ours, does not block', async () => {
  await placeForeignClaim({ identity: 'somebodyelse' });
  expect(await findDataFolderHolder(dataDir)).toBeNull();
  (await lockDataFolder(dataDir, asServer)).release();
  expect(readdirSync(join(dataDir, 'lock'))).toEqual([]);
});

test('a lock from another boot or container blocks while its file is touched, and not for long after', {
  timeout: 30_000,
}, async () => {
  const file = await placeForeignClaim({ place: 'elsewhere' });
  const beat = setInterval(() => utimesSync(file, new Date(), new Date()), 500);
  await expect(lockDataFolder(dataDir, asServer)).rejects.toThrow(DataFolderBusyError);
  clearInterval(beat);
  (await lockDataFolder(dataDir, asServer)).release();
});

test('a lock from another boot that was last touched long ago is passed over at once', async () => {
  const file = await placeForeignClaim({ place: 'elsewhere' });
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(file, longAgo, longAgo);
  const started = performance.now();
  (await lockDataFolder(dataDir, asServer)).release();
  expect(performance.now() - started).toBeLessThan(1_000);
});
