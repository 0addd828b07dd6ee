/** The command `tidewire`: reads the command line and the configuration, and runs what was asked for. */
import { existsSync } from 'node:fs';
import { createLifecycle, exitOnSignals } from '@tidewire/server-kit/lifecycle';
import { createLogger } from '@tidewire/server-kit/logger';
import { CommanderError } from 'commander';
import { createCommandLine, type Flags } from './command-line.js';
import { listDatabases } from './commands/database.js';
import { checkExport, runExport } from './commands/export.js';
import { checkImport, runImport } from './commands/import.js';
import { createKey, listKeys, revokeKey } from './commands/key.js';
import { runMigrations } from './commands/migrate.js';
import { getSettings, setSetting } from './commands/settings.js';
import { start } from './commands/start.js';
import { inferTypes } from './commands/types.js';
import { type Config, loadConfig } from './config.js';
import { describeFailure, exitCodeOf, exitCodes } from './exit.js';
import type { Core } from './open-core.js';
import { withCore } from './run-command.js';

if (existsSync('.env')) process.loadEnvFile('.env');
const useColours = (stream: NodeJS.WriteStream) => stream.isTTY && !process.env.NO_COLOR;
const print = (text: string) => process.stdout.write(text);

function loggerFor(level: Config['logLevel']) {
  const { stderr } = process;
  return createLogger({
    level,
    write: (line) => stderr.write(line),
    forPeople: stderr.isTTY,
    colours: useColours(stderr),
  });
}

/** Commands say what they did; of the log only warnings are of interest. */
async function command(flags: Flags, use: (core: Core) => Promise<string>): Promise<void> {
  const config = loadConfig(flags, process.env);
  print(await withCore(config, loggerFor(config.logLevel === 'info' ? 'warn' : config.logLevel), use));
}

async function runServer(flags: Flags): Promise<void> {
  const config = loadConfig(flags, process.env);
  const logger = loggerFor(config.logLevel);
  const lifecycle = createLifecycle(logger);
  exitOnSignals(process, lifecycle, { exit: (code) => process.exit(code), log: logger });
  try {
    await start({ config, logger, lifecycle, print, colours: useColours(process.stdout) });
  } catch (error) {
    // Stopped in the middle of the start: what is missing then is no failure.
    if (lifecycle.isStopping) return;
    await lifecycle.stop('the start failed');
    throw error;
  }
}

const program = createCommandLine({
  start: runServer,
  migrate: async (flags) => {
    const config = loadConfig(flags, process.env);
    print(await runMigrations(config, loggerFor(config.logLevel)));
  },
  importFile: (flags, collection, file, { database, format, keepIds }) => {
    checkImport(collection, file, format);
    return command(flags, (core) => runImport(core, collection, file, { database, format, keepIds }));
  },
  exportFile: (flags, collection, file, { database, format, metafields }) => {
    checkExport(collection, file, format);
    return command(flags, (core) => runExport(core, collection, file, { database, format, metafields }));
  },
  inferTypes: (flags, options) => command(flags, (core) => inferTypes(core, options)),
  createKey: (flags, options) => command(flags, (core) => createKey(core, options)),
  listKeys: (flags, options) => command(flags, (core) => listKeys(core, options)),
  revokeKey: (flags, id, options) => command(flags, (core) => revokeKey(core, id, options)),
  getSettings: (flags, name, options) => command(flags, (core) => getSettings(core, name, options)),
  setSetting: (flags, name, value, options) => command(flags, (core) => setSetting(core, name, value, options)),
  listDatabases: (flags, options) => command(flags, (core) => listDatabases(core, options)),
});

try {
  await program.parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  else {
    const text = describeFailure(error);
    if (text !== '') process.stderr.write(`${text}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
