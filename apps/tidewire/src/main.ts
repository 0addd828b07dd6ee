/** The command `tidewire`: reads the command line and the configuration, and runs what was asked for. */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createLifecycle, exitOnSignals } from '@tidewire/server-kit/lifecycle';
import { createLogger, type Logger } from '@tidewire/server-kit/logger';
import { CommanderError } from 'commander';
import { createCommandLine, type Flags } from './command-line.js';
import { disableAdminTotp, inviteAdmin, listAdmins, resetAdminPassword } from './commands/admin.js';
import {
  checkConfirmation,
  createCollection,
  dropCollection,
  listCollections,
  renameCollection,
  truncateCollection,
} from './commands/collection.js';
import { checkIndex, createIndex, dropIndex, listIndexes } from './commands/collection-index.js';
import {
  checkDatabaseConfirmation,
  createDatabase,
  deleteDatabase,
  listDatabases,
  renameDatabase,
} from './commands/database.js';
import { checkExport, runExport } from './commands/export.js';
import { checkImport, runImport } from './commands/import.js';
import { createKey, listKeys, revokeKey, rotateKey, showKey, switchKey, updateKey } from './commands/key.js';
import { runMigrations } from './commands/migrate.js';
import { createRole, deleteRole, listRoles, showRole, updateRole } from './commands/role.js';
import { checkCollectionName } from './commands/row-file.js';
import { getSchema, readSchemaFile, setSchema } from './commands/schema.js';
import { getSettings, setSetting } from './commands/settings.js';
import { start } from './commands/start.js';
import { inferTypes } from './commands/types.js';
import { createUser, listUsers, resetUser, signOutUser, type UserPlace } from './commands/user.js';
import { type Config, loadConfig } from './config.js';
import { describeFailure, exitCodeOf, exitCodes } from './exit.js';
import type { Core } from './open-core.js';
import { openUsers } from './open-users.js';
import { withCore } from './run-command.js';
import { readServerSecret } from './server-secret.js';

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
async function command(
  flags: Flags,
  use: (core: Core, given: { config: Config; logger: Logger }) => Promise<string>,
): Promise<void> {
  const config = loadConfig(flags, process.env);
  const logger = loggerFor(config.logLevel === 'info' ? 'warn' : config.logLevel);
  print(await withCore(config, logger, (core) => use(core, { config, logger })));
}

/** The same for commands about users. */
function userCommand(flags: Flags, use: (place: UserPlace) => Promise<string>): Promise<void> {
  return command(flags, async (core, { config, logger }) => {
    const serverSecret = config.secretKey ?? readServerSecret(config.dataDir);
    const onError = (error: unknown) => logger.warn({ err: error }, 'A task beside the command failed.');
    const users = openUsers(core, { serverSecret, trustedHosts: [], onError });
    try {
      return await use({ core, users });
    } finally {
      users.close();
    }
  });
}

const realtimeMain = fileURLToPath(new URL('./realtime-main.js', import.meta.url));
const forkRealtime = () =>
  fork(realtimeMain, [], { serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });

async function runServer(flags: Flags): Promise<void> {
  const config = loadConfig(flags, process.env);
  const logger = loggerFor(config.logLevel);
  const lifecycle = createLifecycle(logger);
  exitOnSignals(process, lifecycle, { exit: (code) => process.exit(code), log: logger });
  try {
    await start({ config, logger, lifecycle, print, colours: useColours(process.stdout), forkRealtime });
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
  getSchema: (flags, collection, file, options) => command(flags, (core) => getSchema(core, collection, file, options)),
  setSchema: (flags, collection, file, options) => {
    const schema = readSchemaFile(collection, file);
    return command(flags, (core) => setSchema(core, collection, schema, options));
  },
  inferTypes: (flags, options) => command(flags, (core) => inferTypes(core, options)),
  listCollections: (flags, options) => command(flags, (core) => listCollections(core, options)),
  createCollection: (flags, collection, options) => {
    checkCollectionName(collection);
    return command(flags, (core) => createCollection(core, collection, options));
  },
  renameCollection: (flags, collection, name, options) => {
    for (const one of [collection, name]) checkCollectionName(one);
    return command(flags, (core) => renameCollection(core, collection, name, options));
  },
  truncateCollection: (flags, collection, { database, confirm }) => {
    checkConfirmation(collection, { confirm });
    return command(flags, (core) => truncateCollection(core, collection, { database, confirm }));
  },
  dropCollection: (flags, collection, { database, confirm }) => {
    checkConfirmation(collection, { confirm });
    return command(flags, (core) => dropCollection(core, collection, { database, confirm }));
  },
  createUser: (flags, email, { as: role, ...options }) =>
    userCommand(flags, (place) => createUser(place, email, { ...options, role })),
  listUsers: (flags, options) => userCommand(flags, (place) => listUsers(place, options)),
  resetUser: (flags, email, options) => userCommand(flags, (place) => resetUser(place, email, options)),
  signOutUser: (flags, email, options) => userCommand(flags, (place) => signOutUser(place, email, options)),
  createKey: (flags, options) => command(flags, (core) => createKey(core, options)),
  listKeys: (flags, options) => command(flags, (core) => listKeys(core, options)),
  showKey: (flags, id, options) => command(flags, (core) => showKey(core, id, options)),
  updateKey: (flags, id, options) => command(flags, (core) => updateKey(core, id, options)),
  rotateKey: (flags, id, options) => command(flags, (core) => rotateKey(core, id, options)),
  disableKey: (flags, id, options) => command(flags, (core) => switchKey(core, id, { ...options, disabled: true })),
  enableKey: (flags, id, options) => command(flags, (core) => switchKey(core, id, { ...options, disabled: false })),
  revokeKey: (flags, id, options) => command(flags, (core) => revokeKey(core, id, options)),
  listRoles: (flags, options) => command(flags, (core) => listRoles(core, options)),
  showRole: (flags, name, options) => command(flags, (core) => showRole(core, name, options)),
  createRole: (flags, name, options) => command(flags, (core) => createRole(core, name, options)),
  updateRole: (flags, name, options) => command(flags, (core) => updateRole(core, name, options)),
  deleteRole: (flags, name, options) => command(flags, (core) => deleteRole(core, name, options)),
  getSettings: (flags, name, options) => command(flags, (core) => getSettings(core, name, options)),
  setSetting: (flags, name, value, options) => command(flags, (core) => setSetting(core, name, value, options)),
  listIndexes: (flags, collection, options) => command(flags, (core) => listIndexes(core, collection, options)),
  createIndex: (flags, collection, fields, options) => {
    checkIndex(collection, fields, options);
    return command(flags, (core) => createIndex(core, collection, fields, options));
  },
  dropIndex: (flags, collection, name, options) => command(flags, (core) => dropIndex(core, collection, name, options)),
  listDatabases: (flags, options) => command(flags, (core) => listDatabases(core, options)),
  createDatabase: (flags, name) => command(flags, (core) => createDatabase(core, name)),
  renameDatabase: (flags, name, newName) => command(flags, (core) => renameDatabase(core, name, newName)),
  deleteDatabase: (flags, name, { confirm }) => {
    checkDatabaseConfirmation(name, { confirm });
    return command(flags, (core) => deleteDatabase(core, name, { confirm }));
  },
  listAdmins: (flags, options) => command(flags, (core) => listAdmins(core, options)),
  inviteAdmin: (flags, email, { as: role, url, json }) => {
    const { host, port } = loadConfig(flags, process.env);
    const reached = url ?? `http://${host}:${port}`;
    return command(flags, (core) => inviteAdmin(core, email, { role, url: reached, json }));
  },
  resetAdminPassword: (flags, email) => command(flags, (core) => resetAdminPassword(core, email)),
  disableAdminTotp: (flags, email) => command(flags, (core) => disableAdminTotp(core, email)),
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
