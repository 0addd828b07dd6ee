/** `tidewire migrate`: brings the schema up to date without starting a server. */
import { migrate } from '@tidewire/db/migrate';
import type { Logger } from '@tidewire/server-kit/logger';
import type { Config } from '../config.js';
import { openPostgresForCommand } from '../open-postgres.js';

export async function runMigrations(config: Config, logger: Logger): Promise<string> {
  const postgres = await openPostgresForCommand(config, logger);
  try {
    const { applied } = await migrate(postgres.address);
    return applied.length === 0 ? 'The schema is up to date.\n' : `Applied: ${applied.join(', ')}.\n`;
  } finally {
    await postgres.close();
  }
}
