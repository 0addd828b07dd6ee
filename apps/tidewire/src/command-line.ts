/** The commands and their flags. */
import { readFileSync } from 'node:fs';
import { type OptionTable, renderOptionsHelp } from '@tidewire/server-kit/options';
import { Command, Option } from 'commander';
import type { KeyCommandOptions, KeyCreateOptions, KeyRotateOptions, KeyUpdateOptions } from './commands/key.js';
import { optionTable } from './config.js';
import { UsageError } from './exit.js';
import { defaultDatabase } from './run-command.js';

/** What each command does with its arguments and flags; `flags` are those of the table, by its names. */
export type Actions = {
  start(flags: Flags): Promise<void>;
  migrate(flags: Flags): Promise<void>;
  importFile(
    flags: Flags,
    collection: string,
    file: string,
    options: { database: string; format?: string; keepIds: boolean },
  ): Promise<void>;
  exportFile(
    flags: Flags,
    collection: string,
    file: string,
    options: { database: string; format?: string; metafields: boolean },
  ): Promise<void>;
  inferTypes(flags: Flags, options: { database: string }): Promise<void>;
  getSchema(flags: Flags, collection: string, file: string | undefined, options: { database: string }): Promise<void>;
  setSchema(
    flags: Flags,
    collection: string,
    file: string,
    options: { database: string; dryRun: boolean; acceptFailing: boolean },
  ): Promise<void>;
  createKey(flags: Flags, options: KeyCreateOptions): Promise<void>;
  listKeys(flags: Flags, options: KeyCommandOptions): Promise<void>;
  showKey(flags: Flags, id: string, options: KeyCommandOptions): Promise<void>;
  updateKey(flags: Flags, id: string, options: KeyUpdateOptions): Promise<void>;
  rotateKey(flags: Flags, id: string, options: KeyRotateOptions): Promise<void>;
  disableKey(flags: Flags, id: string, options: KeyCommandOptions): Promise<void>;
  enableKey(flags: Flags, id: string, options: KeyCommandOptions): Promise<void>;
  revokeKey(flags: Flags, id: string, options: KeyCommandOptions): Promise<void>;
  listRoles(flags: Flags, options: { database: string; json: boolean }): Promise<void>;
  showRole(flags: Flags, name: string, options: { database: string }): Promise<void>;
  createRole(flags: Flags, name: string, options: RoleFlags): Promise<void>;
  updateRole(flags: Flags, name: string, options: RoleFlags): Promise<void>;
  deleteRole(flags: Flags, name: string, options: { database: string }): Promise<void>;
  getSettings(flags: Flags, name: string | undefined, options: { database: string }): Promise<void>;
  setSetting(flags: Flags, name: string, value: string, options: { database: string }): Promise<void>;
  listCollections(flags: Flags, options: { database: string; json: boolean }): Promise<void>;
  createCollection(flags: Flags, collection: string, options: { database: string }): Promise<void>;
  renameCollection(flags: Flags, collection: string, name: string, options: { database: string }): Promise<void>;
  truncateCollection(flags: Flags, collection: string, options: EmptyingFlags): Promise<void>;
  dropCollection(flags: Flags, collection: string, options: EmptyingFlags): Promise<void>;
  listIndexes(flags: Flags, collection: string, options: { database: string; json: boolean }): Promise<void>;
  createIndex(flags: Flags, collection: string, fields: string[], options: IndexFlags): Promise<void>;
  dropIndex(flags: Flags, collection: string, name: string, options: { database: string }): Promise<void>;
  listDatabases(flags: Flags, options: { json: boolean }): Promise<void>;
  createDatabase(flags: Flags, name: string): Promise<void>;
  renameDatabase(flags: Flags, name: string, newName: string): Promise<void>;
  deleteDatabase(flags: Flags, name: string, options: { confirm?: string }): Promise<void>;
  listAdmins(flags: Flags, options: { json: boolean }): Promise<void>;
  inviteAdmin(flags: Flags, email: string, options: { as: string; url?: string; json: boolean }): Promise<void>;
  resetAdminPassword(flags: Flags, email: string): Promise<void>;
  disableAdminTotp(flags: Flags, email: string): Promise<void>;
  createUser(flags: Flags, email: string, options: UserFlags & { as?: string }): Promise<void>;
  listUsers(flags: Flags, options: UserFlags): Promise<void>;
  resetUser(flags: Flags, email: string, options: UserFlags): Promise<void>;
  signOutUser(flags: Flags, email: string, options: UserFlags): Promise<void>;
};
export type UserFlags = { database: string; json: boolean };
export type Flags = Readonly<Record<string, string | undefined>>;
export type EmptyingFlags = { database: string; confirm?: string };
export type IndexFlags = { database: string; name?: string; unique: boolean; where?: string; text: boolean };
export type RoleFlags = {
  database: string;
  rest?: string[];
  listen?: string[];
  publish?: string[];
  rules?: string;
  json: boolean;
};

export function createCommandLine(actions: Actions): Command {
  const program = new Command('tidewire')
    .description('JSON collections over REST where every committed change is an event. Without a command: start.')
    .version(readVersion(), '-V, --version')
    .showHelpAfterError('(tidewire --help says what is allowed)')
    .exitOverride();
  addTableOptions(program, Object.keys(optionTable));
  program.addHelpText(
    'after',
    () =>
      `\nConfiguration, by flag or environment (also from a file .env here; secrets also as NAME_FILE):\n${renderOptionsHelp(optionTable)}`,
  );
  addServerCommands(program, actions);
  addDatabaseCommands(program, actions);
  addAdminCommands(program, actions);
  addCollectionCommands(program, actions);
  addKeyCommands(program, actions);
  addRoleCommands(program, actions);
  addSettingsCommands(program, actions);
  addUserCommands(program, actions);
  addIndexCommands(program, actions);
  addSchemaCommands(program, actions);
  return program;
}

function ofDatabase(): Option {
  return new Option('--database <name>', 'the database').default(defaultDatabase);
}

/** Not --role, which is the table's: what this process serves. */
function asRole(description: string): Option {
  return new Option('--as <role>', description);
}

function addServerCommands(program: Command, actions: Actions): void {
  program
    .command('start', { isDefault: true })
    .description('start the server')
    // An unknown command arrives here, because start is what is done without one.
    .argument('[nothing...]')
    .usage('[options]')
    .action((words: string[], _options, command: Command) => {
      if (words[0] === undefined) return actions.start(flagsOf(command));
      const names = program.commands.map((known) => known.name()).join(', ');
      throw new UsageError(`There is no command ${words[0]}. There are: ${names}.`);
    });
  program
    .command('migrate')
    .description('bring the schema of the database up to date (start does it, too)')
    .action((_options, command: Command) => actions.migrate(flagsOf(command)));
  program
    .command('import')
    .description('write the rows of a file as documents')
    .argument('<collection>')
    .argument('<file>', 'NDJSON (.ndjson, .jsonl), a JSON array (.json) or CSV (.csv)')
    .addOption(ofDatabase())
    .option('--format <format>', 'ndjson, json or csv, when the ending does not tell')
    .option('--keep-ids', 'documents keep the _id of their row; a taken one is refused', false)
    .action((collection, file, options, command: Command) =>
      actions.importFile(flagsOf(command), collection, file, options),
    );
  program
    .command('export')
    .description('write the documents of a collection to a file, as they are at one moment')
    .argument('<collection>')
    .argument('<file>', 'NDJSON (.ndjson, .jsonl), a JSON array (.json) or CSV (.csv)')
    .addOption(ofDatabase())
    .option('--format <format>', 'ndjson, json or csv, when the ending does not tell')
    .option('--metafields', 'with _created, _changed and the other fields of the server', false)
    .action((collection, file, options, command: Command) =>
      actions.exportFile(flagsOf(command), collection, file, options),
    );
  program
    .command('types')
    .description('print TypeScript interfaces of the collections, from their schemas, or inferred from their documents')
    .addOption(ofDatabase())
    .action((options, command: Command) => actions.inferTypes(flagsOf(command), options));
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${readVersion()}\n`);
    });
}

function addDatabaseCommands(program: Command, actions: Actions): void {
  const database = program.command('database').description('the databases');
  database
    .command('list')
    .description('name, number of events, settings')
    .option('--json', 'as JSON', false)
    .action((options, command: Command) => actions.listDatabases(flagsOf(command), options));
  database
    .command('create')
    .description('make a database, with its own collections, keys, users and event log')
    .argument('<name>')
    .action((name, _options, command: Command) => actions.createDatabase(flagsOf(command), name));
  database
    .command('rename')
    .description('give a database another name; its keys stay good')
    .argument('<name>')
    .argument('<newName>', 'the new name')
    .action((from, to, _options, command: Command) => actions.renameDatabase(flagsOf(command), from, to));
  database
    .command('delete')
    .description('delete a database with all that is in it; broken off, the server goes on with it')
    .argument('<name>')
    .option('--confirm <name>', 'its name, typed again')
    .action((name, options, command: Command) => actions.deleteDatabase(flagsOf(command), name, options));
}

function addAdminCommands(program: Command, actions: Actions): void {
  const admin = program.command('admin').description('the people at the dashboard');
  admin
    .command('list')
    .description('who may use the dashboard, and who is invited')
    .option('--json', 'as JSON', false)
    .action((options, command: Command) => actions.listAdmins(flagsOf(command), options));
  admin
    .command('invite')
    .description('make a link by which somebody becomes an admin; it is shown only once')
    .argument('<email>')
    .addOption(asRole('owner, editor or viewer').default('editor'))
    .option('--url <url>', 'where the dashboard is reached; HOST and PORT of the configuration if not given')
    .option('--json', 'one line of JSON with the token', false)
    .action((email, options, command: Command) => actions.inviteAdmin(flagsOf(command), email, options));
  admin
    .command('reset-password')
    .description('give an admin a new password, shown only once, and end all sessions of the account')
    .argument('<email>')
    .action((email, _options, command: Command) => actions.resetAdminPassword(flagsOf(command), email));
  admin
    .command('disable-totp')
    .description('ask an admin for no one-time code any more')
    .argument('<email>')
    .action((email, _options, command: Command) => actions.disableAdminTotp(flagsOf(command), email));
}

function addCollectionCommands(program: Command, actions: Actions): void {
  const collection = program.command('collection').description('the collections of a database');
  const add = (name: string, description: string) =>
    collection.command(name).description(description).addOption(ofDatabase());
  add('list', 'name, number of documents, when they were created')
    .option('--json', 'as JSON', false)
    .action((options, command: Command) => actions.listCollections(flagsOf(command), options));
  add('create', 'make an empty collection')
    .argument('<collection>')
    .action((name, options, command: Command) => actions.createCollection(flagsOf(command), name, options));
  add('rename', 'give a collection another name; grants of keys and roles, and rules, do not follow')
    .argument('<collection>')
    .argument('<name>', 'the new name')
    .action((from, to, options, command: Command) => actions.renameCollection(flagsOf(command), from, to, options));
  add('truncate', 'delete every document that is there now, step by step; broken off, it can be called again')
    .argument('<collection>')
    .option('--confirm <collection>', 'its name, typed again')
    .action((name, options, command: Command) => actions.truncateCollection(flagsOf(command), name, options));
  add('drop', 'delete a collection with its documents; broken off, it can be called again')
    .argument('<collection>')
    .option('--confirm <collection>', 'its name, typed again')
    .action((name, options, command: Command) => actions.dropCollection(flagsOf(command), name, options));
}

function addKeyCommands(program: Command, actions: Actions): void {
  const key = program.command('key').description('the keys of applications');
  const add = (name: string, description: string) =>
    key.command(name).description(description).addOption(ofDatabase()).option('--json', 'as JSON', false);
  const addOne = (name: string, description: string) =>
    add(name, description).argument('<id>', 'its id, as in the list');

  addTerms(
    add('create', 'make a key; it is shown only once. Lists may be given several times').requiredOption(
      '--name <name>',
      'what people call it',
    ),
  ).action((options, command: Command) => actions.createKey(flagsOf(command), options));
  add('list', 'the keys, what they may and how many streams they have open').action((options, command: Command) =>
    actions.listKeys(flagsOf(command), options),
  );
  addOne('show', 'one key').action((id, options, command: Command) => actions.showKey(flagsOf(command), id, options));
  addTerms(
    addOne('update', 'change a key; a list that is given replaces the present one').option(
      '--name <name>',
      'what people call it',
    ),
  )
    .option('--clear <list>', 'empty a list: rest, listen, publish or origin', collect)
    .action((id, options, command: Command) => actions.updateKey(flagsOf(command), id, options));
  addOne('rotate', 'give a key another text, which is shown only once; its streams stay open')
    .option('--overlap <time>', 'how long the present text is taken as well, as in 12h; 0 for no longer', '24h')
    .action((id, options, command: Command) => actions.rotateKey(flagsOf(command), id, options));
  addOne('disable', 'switch a key off, until it is switched on again').action((id, options, command: Command) =>
    actions.disableKey(flagsOf(command), id, options),
  );
  addOne('enable', 'switch a key on again').action((id, options, command: Command) =>
    actions.enableKey(flagsOf(command), id, options),
  );
  addOne('revoke', 'end a key for good').action((id, options, command: Command) =>
    actions.revokeKey(flagsOf(command), id, options),
  );
}

/** What a key may and how long; a list that is not given is absent. */
function addTerms(command: Command): Command {
  return command
    .option('--rest <grant>', "METHOD:COLLECTION, as in 'GET:company' or '*:*'", collect)
    .option('--listen <channel>', "METHOD:COLLECTION or PUBLISH:EVENT, as in 'POST:company'", collect)
    .option('--publish <event>', "a custom event, as in 'GOAL' or 'chat.*'", collect)
    .option(
      '--origin <origin>',
      "from where browsers may use it, as in 'https://app.example' or '*': that makes it a web key; without, it is a server key",
      collect,
    )
    .option('--expires <time>', 'when it is over: a time from now on (30d), a moment (2027-01-31T12:00:00Z), or never')
    .option('--rate-limit <number>', 'requests in a minute, or none');
}

function addRoleCommands(program: Command, actions: Actions): void {
  const role = program.command('role').description('the roles of users, with their rules');
  const add = (name: string, description: string) =>
    role.command(name).description(description).addOption(ofDatabase());
  const addChanging = (name: string, description: string) =>
    add(name, description)
      .argument('<name>', "as in a token's claim")
      .option('--rest <grant>', "METHOD:COLLECTION, as in 'GET:company' or '*:*'", collect)
      .option('--listen <channel>', "METHOD:COLLECTION or PUBLISH:EVENT, as in 'POST:company'", collect)
      .option('--publish <event>', "a custom event, as in 'GOAL' or 'chat.*'", collect)
      .option('--rules <file>', 'a file with the rules as JSON, by collection')
      .option('--json', 'one line of JSON', false);
  add('list', 'the roles and what they may')
    .option('--json', 'as JSON', false)
    .action((options, command: Command) => actions.listRoles(flagsOf(command), options));
  add('show', 'a role with its rules, as JSON')
    .argument('<name>')
    .action((name, options, command: Command) => actions.showRole(flagsOf(command), name, options));
  addChanging('create', 'make a role. Lists may be given several times').action((name, options, command: Command) =>
    actions.createRole(flagsOf(command), name, options),
  );
  addChanging('update', 'change a role; a list that is given replaces the present one, and so do the rules').action(
    (name, options, command: Command) => actions.updateRole(flagsOf(command), name, options),
  );
  add('delete', 'delete a role; whoever has it may nothing by it any more')
    .argument('<name>')
    .action((name, options, command: Command) => actions.deleteRole(flagsOf(command), name, options));
}

function addUserCommands(program: Command, actions: Actions): void {
  const user = program.command('user').description('the accounts of users of applications');
  const add = (name: string, description: string) =>
    user.command(name).description(description).addOption(ofDatabase()).option('--json', 'as JSON', false);
  add('create', 'make an account, and a token with which its password is set')
    .argument('<email>', 'the address that the person signs in with')
    .addOption(asRole('instead of the default role'))
    .action((email, options, command: Command) => actions.createUser(flagsOf(command), email, options));
  add('list', 'the accounts, newest first').action((options, command: Command) =>
    actions.listUsers(flagsOf(command), options),
  );
  add('reset', 'make a token with which the person sets a new password')
    .argument('<email>')
    .action((email, options, command: Command) => actions.resetUser(flagsOf(command), email, options));
  add('sign-out', 'end all sessions of a person')
    .argument('<email>')
    .action((email, options, command: Command) => actions.signOutUser(flagsOf(command), email, options));
}

function addSettingsCommands(program: Command, actions: Actions): void {
  const settings = program.command('settings').description('the settings of a database');
  settings
    .command('get')
    .argument('[name]', 'as in realtime.global; all of them without')
    .addOption(ofDatabase())
    .action((name, options, command: Command) => actions.getSettings(flagsOf(command), name, options));
  settings
    .command('set')
    .argument('<name>', 'as in realtime.global')
    .argument('<value>', 'as in true')
    .addOption(ofDatabase())
    .action((name, value, options, command: Command) => actions.setSetting(flagsOf(command), name, value, options));
}

function addSchemaCommands(program: Command, actions: Actions): void {
  const schema = program.command('schema').description('the schema that the documents of a collection are held to');
  schema
    .command('get')
    .argument('<collection>')
    .argument('[file]', 'where it is written; printed without')
    .addOption(ofDatabase())
    .action((collection, file, options, command: Command) =>
      actions.getSchema(flagsOf(command), collection, file, options),
    );
  schema
    .command('set')
    .argument('<collection>', 'made when it is not there')
    .argument('<file>', 'a JSON Schema (2020-12) of type object')
    .addOption(ofDatabase())
    .option('--dry-run', 'only tell which documents fail it', false)
    .option('--accept-failing', 'take it although documents fail it', false)
    .action((collection, file, options, command: Command) =>
      actions.setSchema(flagsOf(command), collection, file, options),
    );
}

function addIndexCommands(program: Command, actions: Actions): void {
  const index = program.command('index').description('the declared indexes of a collection');
  index
    .command('list')
    .argument('<collection>')
    .addOption(ofDatabase())
    .option('--json', 'as JSON', false)
    .action((collection, options, command: Command) => actions.listIndexes(flagsOf(command), collection, options));
  index
    .command('create')
    .description('declare an index and wait until it is built; nobody is held up meanwhile')
    .argument('<collection>')
    .argument('[fields...]', 'one to four, in order, as in city.zip')
    .option('--unique', 'no two documents have the same values there', false)
    .option('--where <query>', `only documents that the query is true for, as in '{"status":"open"}'`)
    .option('--text', 'the words of whole documents, instead of fields', false)
    .option('--name <name>', 'its name; made of the fields if not given')
    .addOption(ofDatabase())
    .action((collection, fields, options, command: Command) =>
      actions.createIndex(flagsOf(command), collection, fields, options),
    );
  index
    .command('drop')
    .argument('<collection>')
    .argument('<name>', 'its name, as in the list')
    .addOption(ofDatabase())
    .action((collection, name, options, command: Command) =>
      actions.dropIndex(flagsOf(command), collection, name, options),
    );
}

/** Flags of the table are taken before and after the command's name; they are described once, below the help. */
function addTableOptions(program: Command, names: string[]): void {
  const table: OptionTable = optionTable;
  for (const name of names) {
    const flag = table[name]?.flag;
    if (flag) program.addOption(program.createOption(`--${flag} <value>`).hideHelp());
  }
}

function collect(value: string, list: string[] = []): string[] {
  return [...list, value];
}

function flagsOf(command: Command): Flags {
  return command.optsWithGlobals();
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(version);
}
