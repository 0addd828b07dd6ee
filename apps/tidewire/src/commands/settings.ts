/** `tidewire settings …`: the settings of a database, by dotted names such as realtime.global. */
import { type DatabaseSettings, databaseSettingsPatchSchema } from '@tidewire/protocol/settings';
import { cliDoer } from '../cli-doer.js';
import { UsageError } from '../exit.js';
import type { Core } from '../open-core.js';
import { findDatabaseId } from '../run-command.js';

/** All settings as JSON, or the value of one. */
export async function getSettings(
  core: Core,
  name: string | undefined,
  { database }: { database: string },
): Promise<string> {
  const id = await findDatabaseId(core, database);
  const settings = (await core.catalog.byId(id))?.settings;
  if (settings === undefined || name === undefined) return `${JSON.stringify(settings, null, 2)}\n`;
  const flat = flatten(settings);
  if (!flat.has(name)) throw unknownSetting(name, settings);
  return `${JSON.stringify(flat.get(name))}\n`;
}

export async function setSetting(
  core: Core,
  name: string,
  text: string,
  { database }: { database: string },
): Promise<string> {
  const id = await findDatabaseId(core, database);
  const present = (await core.catalog.byId(id))?.settings;
  if (present !== undefined && !flatten(present).has(name)) throw unknownSetting(name, present);
  const [section = '', field = ''] = name.split('.');
  const parsed = databaseSettingsPatchSchema.safeParse({ [section]: { [field]: parseValue(text) } });
  if (!parsed.success) {
    throw new UsageError(`${name} cannot be ${text}: ${parsed.error.issues.map(({ message }) => message).join('; ')}.`);
  }
  const settings = await core.settings.patch(id, parsed.data, cliDoer);
  return `${name} is ${JSON.stringify(flatten(settings).get(name))} now.\n`;
}

function unknownSetting(name: string, settings: DatabaseSettings): UsageError {
  return new UsageError(`There is no setting ${name}. There are: ${[...flatten(settings).keys()].join(', ')}.`);
}

function flatten(settings: DatabaseSettings): Map<string, unknown> {
  const entries = Object.entries(settings).flatMap(([section, fields]) =>
    Object.entries(fields).map(([field, value]) => [`${section}.${field}`, value] as const),
  );
  return new Map(entries);
}

/** JSON where it is JSON (true, 5), else the text itself. */
function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
