/**
 * An app's configuration as one table. The values come from flags, environment and defaults, in this order; the help text and
 * `.env.example` are written from the same table, so they cannot say something else.
 */
import { readFileSync } from 'node:fs';
import type { z } from 'zod';

export type Option<Schema extends z.ZodType = z.ZodType> = {
  /** Name of the environment variable. With `secret`, `<env>_FILE` may name a file that holds the value instead. */
  env: string;
  /** Name of the flag without its dashes, or null when a value on a command line would be a bad idea (secrets). */
  flag: string | null;
  /** From the text, or from undefined when there is none and no default. */
  schema: Schema;
  /** In the form in which it would stand in the environment; null when there is none. */
  default: string | null;
  /** What the option does, in a sentence without a full stop. */
  description: string;
  /** What is allowed, in words that complete "wants …". */
  wants: string;
  /** Its value is never shown. */
  secret?: boolean;
};

export type OptionTable = Record<string, Option>;
export type OptionValues<Table extends OptionTable> = {
  readonly [Name in keyof Table]: z.output<Table[Name]['schema']>;
};

/** One sentence: the variable or flag, what it got, and what it wants. */
export type OptionError = { name: string; message: string };

export type OptionSources = {
  env: Readonly<Record<string, string | undefined>>;
  /** Keyed by the table's names; undefined where the flag was not given. */
  flags?: Readonly<Record<string, string | undefined>>;
  /** For `*_FILE`. Default: from the disk. */
  readFile?: (path: string) => string;
};

/** All values, frozen, or all errors. An empty environment variable counts as not set. */
export function parseOptions<Table extends OptionTable>(
  table: Table,
  sources: OptionSources,
): { ok: true; values: OptionValues<Table> } | { ok: false; errors: OptionError[] } {
  const values: Record<string, unknown> = {};
  const errors: OptionError[] = [];
  for (const [name, option] of Object.entries(table)) {
    const outcome = parseOption(option, sources, sources.flags?.[name]);
    if ('message' in outcome) errors.push(outcome);
    else values[name] = outcome.value;
  }
  if (errors.length > 0) return { ok: false, errors };
  return { ok: true, values: Object.freeze(values) as OptionValues<Table> };
}

type Given = { from: string; text: string | undefined };

function parseOption(
  option: Option,
  sources: OptionSources,
  flag: string | undefined,
): { value: unknown } | OptionError {
  const given = findText(option, sources, flag);
  if ('message' in given) return given;
  const parsed = option.schema.safeParse(given.text);
  if (parsed.success) return { value: parsed.data };
  return {
    name: given.from,
    message: `${given.from} got ${describeText(option, given.text)}, and wants ${option.wants}.`,
  };
}

function findText(option: Option, { env, readFile }: OptionSources, flag: string | undefined): Given | OptionError {
  if (flag !== undefined) return { from: `--${option.flag}`, text: flag };
  const text = env[option.env] || undefined;
  const fileName = option.secret ? env[`${option.env}_FILE`] || undefined : undefined;
  if (fileName === undefined) return { from: option.env, text: text ?? option.default ?? undefined };
  const name = `${option.env}_FILE`;
  if (text !== undefined)
    return { name, message: `${option.env} and ${name} are both set, and only one of them can be.` };
  return readSecret(name, fileName, readFile ?? ((path) => readFileSync(path, 'utf8')));
}

function readSecret(name: string, path: string, readFile: (path: string) => string): Given | OptionError {
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    return { from: name, text: readFile(path).replace(/\r?\n$/, '') };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name, message: `${name} got "${path}", and wants a file that can be read (${reason}).` };
  }
}

function describeText(option: Option, text: string | undefined): string {
  if (text === undefined) return 'nothing';
  return option.secret ? 'a value that is not shown here' : JSON.stringify(text);
}

/** Lines for `--help`: flag, variable, description, default. */
export function renderOptionsHelp(table: OptionTable): string {
  const rows = Object.values(table).map((option) => ({
    left: [option.flag === null ? null : `--${option.flag} <value>`, option.env]
      .filter((part) => part !== null)
      .join(', '),
    right: `${option.description}${option.default === null ? '' : ` (default: ${option.default})`}`,
  }));
  const width = Math.max(...rows.map(({ left }) => left.length));
  return rows.map(({ left, right }) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}

/** The text of `.env.example`: everything commented out, with its default. */
export function renderEnvExample(table: OptionTable): string {
  const entries = Object.values(table).map((option) => {
    const file = option.secret ? `\n# Or ${option.env}_FILE: the path of a file that holds it.` : '';
    return `# ${option.description}: ${option.wants}.${file}\n# ${option.env}=${option.default ?? ''}\n`;
  });
  return entries.join('\n');
}
