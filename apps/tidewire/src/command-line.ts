/** The commands and their flags. */
import { readFileSync } from 'node:fs';
import { type OptionTable, renderOptionsHelp } from '@tidewire/server-kit/options';
import { Command } from 'commander';
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
  createKey(flags: Flags, options: KeyFlags): Promise<void>;
  listKeys(flags: Flags, options: { database: string; json: boolean }): Promise<void>;
  revokeKey(flags: Flags, id: string, options: { database: string; json: boolean }): Promise<void>;
  getSettings(flags: Flags, name: string | undefined, options: { database: string }): Promise<void>;
  setSetting(flags: Flags, name: string, value: string, options: { database: string }): Promise<void>;
  listDatabases(flags: Flags, options: { json: boolean }): Promise<void>;
};
export type Flags = Readonly<Record<string, string | undefined>>;
export type KeyFlags = {
  database: string;
  name: string;
  rest: string[];
  listen: string[];
  publish: string[];
  origin: string[];
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
  addKeyCommands(program, actions);
  addSettingsCommands(program, actions);
  return program;
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
    .option('--database <name>', 'the database', defaultDatabase)
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
    .option('--database <name>', 'the database', defaultDatabase)
    .option('--format <format>', 'ndjson, json or csv, when the ending does not tell')
    .option('--metafields', 'with _created, _changed and the other fields of the server', false)
    .action((collection, file, options, command: Command) =>
      actions.exportFile(flagsOf(command), collection, file, options),
    );
  program
    .command('types')
    .description('print TypeScript interfaces of the collections, inferred from their documents')
    .option('--database <name>', 'the database', defaultDatabase)
    .action((options, command: Command) => actions.inferTypes(flagsOf(command), options));
  program
    .command('database')
    .description('the databases')
    .command('list')
    .description('name, number of events, settings')
    .option('--json', 'as JSON', false)
    .action((options, command: Command) => actions.listDatabases(flagsOf(command), options));
  program
    .command('version')
    .description('print the version')
    .action(() => {
      process.stdout.write(`${readVersion()}\n`);
    });
}

function addKeyCommands(program: Command, actions: Actions): void {
  const key = program.command('key').description('the keys of applications');
  key
    .command('create')
    .description('make a key; it is shown only once. Lists may be given several times')
    .requiredOption('--name <name>', 'what people call it')
    .option('--rest <grant>', "METHOD:COLLECTION, as in 'GET:company' or '*:*'", collect, [])
    .option('--listen <channel>', "METHOD:COLLECTION or PUBLISH:EVENT, as in 'POST:company'", collect, [])
    .option('--publish <event>', "a custom event, as in 'GOAL' or 'chat.*'", collect, [])
    .option('--origin <origin>', "from where browsers may use it, as in 'https://app.example' or '*'", collect, [])
    .option('--database <name>', 'the database', defaultDatabase)
    .option('--json', 'one line of JSON with id and key', false)
    .action((options, command: Command) => actions.createKey(flagsOf(command), options));
  key
    .command('list')
    .description('the keys and what they may')
    .option('--database <name>', 'the database', defaultDatabase)
    .option('--json', 'as JSON', false)
    .action((options, command: Command) => actions.listKeys(flagsOf(command), options));
  key
    .command('revoke')
    .description('end a key for good')
    .argument('<id>', 'its id, as in the list')
    .option('--database <name>', 'the database', defaultDatabase)
    .option('--json', 'as JSON', false)
    .action((id, options, command: Command) => actions.revokeKey(flagsOf(command), id, options));
}

function addSettingsCommands(program: Command, actions: Actions): void {
  const settings = program.command('settings').description('the settings of a database');
  settings
    .command('get')
    .argument('[name]', 'as in realtime.global; all of them without')
    .option('--database <name>', 'the database', defaultDatabase)
    .action((name, options, command: Command) => actions.getSettings(flagsOf(command), name, options));
  settings
    .command('set')
    .argument('<name>', 'as in realtime.global')
    .argument('<value>', 'as in true')
    .option('--database <name>', 'the database', defaultDatabase)
    .action((name, value, options, command: Command) => actions.setSetting(flagsOf(command), name, value, options));
}

/** Flags of the table are taken before and after the command's name; they are described once, below the help. */
function addTableOptions(program: Command, names: string[]): void {
  const table: OptionTable = optionTable;
  for (const name of names) {
    const flag = table[name]?.flag;
    if (flag) program.addOption(program.createOption(`--${flag} <value>`).hideHelp());
  }
}

function collect(value: string, list: string[]): string[] {
  return [...list, value];
}

function flagsOf(command: Command): Flags {
  return command.optsWithGlobals();
}

function readVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return String(version);
}
