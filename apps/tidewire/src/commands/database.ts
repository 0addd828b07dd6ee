/** `tidewire database …` */
import { createDatabaseRemoval } from '@tidewire/access/database-removal';
import { Problem } from '@tidewire/protocol/problem';
import { cliDoer } from '../cli-doer.js';
import { UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { createStepProgress } from '../step-progress.js';
import { renderTable } from '../table.js';

/** Between two looks at a deletion. */
const lookIntervalMs = 200;

export async function listDatabases(core: Core, { json }: { json: boolean }): Promise<string> {
  const databases = await core.databases.list();
  if (json) return `${JSON.stringify(databases)}\n`;
  const rows = databases.map(({ name, head, createdAt, settings, deletion }) => [
    name,
    String(head),
    deletion === null ? (settings.realtime.global ? 'on' : 'by key') : 'being deleted',
    createdAt,
  ]);
  return renderTable(['NAME', 'EVENTS', 'REALTIME', 'CREATED'], rows);
}

export async function createDatabase(core: Core, name: string): Promise<string> {
  await core.databases.create(name, cliDoer);
  return `Created the database ${name}.\n`;
}

export async function renameDatabase(core: Core, name: string, newName: string): Promise<string> {
  await core.databases.rename(name, newName, cliDoer);
  return `The database ${name} is ${newName} now. Its keys stay good.\n`;
}

/** What can be seen to be wrong before Postgres is needed. Throws `UsageError`. */
export function checkDatabaseConfirmation(name: string, { confirm }: { confirm?: string | undefined }): void {
  if (confirm === name) return;
  throw new UsageError(`This deletes all that is in ${name}. Say that it is meant: --confirm ${name}`);
}

/** Waits until it is gone, whoever takes it away: a server that runs, or this command. */
export async function deleteDatabase(
  core: Core,
  name: string,
  options: { confirm?: string | undefined },
): Promise<string> {
  checkDatabaseConfirmation(name, options);
  await core.databases.beginDeletion(name, cliDoer);
  const failures: unknown[] = [];
  const removal = createDatabaseRemoval({ pool: core.retentionPool, onError: (error) => failures.push(error) });
  const progress = createStepProgress(process.stderr);
  try {
    for (;;) {
      const present = await core.databases.get(name).catch(nullWhenGone);
      if (present === null) break;
      if (failures.length > 3) throw failures.at(-1);
      const { total, deleted } = present.deletion ?? { total: null, deleted: 0 };
      const share = total === null ? 0 : deleted / Math.max(total, 1);
      progress.update({ share, step: total === null ? 'counting' : 'deleting' });
      await new Promise((resolve) => setTimeout(resolve, lookIntervalMs));
    }
  } finally {
    progress.stop();
    await removal.close();
  }
  return `The database ${name} is gone.\n`;
}

function nullWhenGone(error: unknown): null {
  if (error instanceof Problem && error.code === 'not_found') return null;
  throw error;
}
