/** The frame of a short command: Postgres, schema and core are opened, and everything is closed again, whatever happens. */
import { migrate } from '@tidewire/db/migrate';
import { Problem } from '@tidewire/protocol/problem';
import type { Logger } from '@tidewire/server-kit/logger';
import type { Config } from './config.js';
import { type Core, openCore } from './open-core.js';
import { openPostgresForCommand } from './open-postgres.js';

/** The database that is meant when none is named. */
export const defaultDatabase = 'default';

/** A server that runs on this folder has brought the schema up to date itself; else it is done here. */
export async function withCore<T>(config: Config, logger: Logger, use: (core: Core) => Promise<T>): Promise<T> {
  const postgres = await openPostgresForCommand(config, logger);
  try {
    if (postgres.isOwn || config.databaseUrl !== undefined) await migrate(postgres.address);
    const core = openCore(postgres.address, logger, config);
    try {
      await core.databases.ensure(defaultDatabase);
      return await use(core);
    } finally {
      await core.close();
    }
  } finally {
    await postgres.close();
  }
}

/** The id of a database, or a Problem that names those that there are. */
export async function findDatabaseId(core: Core, name: string): Promise<number> {
  const database = await core.catalog.byName(name);
  if (database !== null) return database.id;
  const names = (await core.databases.list()).map((present) => present.name);
  throw new Problem('not_found', `There is no database ${name}. There are: ${names.join(', ')}.`);
}
