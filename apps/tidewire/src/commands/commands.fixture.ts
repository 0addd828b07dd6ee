/** What commands work on, for tests: a core over a Postgres database of its own, and a folder for files. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestDatabase } from '@tidewire/testing/test-database';
import { pino } from 'pino';
import { type Core, openCore } from '../open-core.js';

export type CommandPlace = {
  core: Core;
  /** The path of a file in the folder. */
  at(name: string): string;
  close(): Promise<void>;
};

/** With this database in it. */
export async function openCommandPlace(database: string): Promise<CommandPlace> {
  const { address } = await createTestDatabase();
  const core = openCore(address, pino({ level: 'silent' }));
  await core.databases.ensure(database);
  const folder = mkdtempSync(join(tmpdir(), 'tw-commands-'));
  return {
    core,
    at: (name) => join(folder, name),
    async close() {
      await core.close();
      rmSync(folder, { recursive: true });
    },
  };
}
