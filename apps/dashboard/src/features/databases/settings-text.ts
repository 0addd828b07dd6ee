/** The settings as a text that people edit. */
import { pointerTo } from '@tidewire/protocol/problem';
import { type DatabaseSettingsPatch, databaseSettingsPatchSchema } from '@tidewire/protocol/settings';
import { findJsonPlaces } from '../../lib/json-places.js';

/** `line` counts from 1. */
export type SettingsProblem = { line: number; message: string };
export type SettingsReading = { ok: true; patch: DatabaseSettingsPatch } | { ok: false; problems: SettingsProblem[] };

/** The patch that the text stands for, or what is wrong with it and where. */
export function readSettingsText(text: string): SettingsReading {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [{ line: lineOfSyntaxError(text, error), message: 'This is no JSON.' }] };
  }
  const parsed = databaseSettingsPatchSchema.safeParse(value);
  if (parsed.success) return { ok: true, patch: parsed.data };
  const places = findJsonPlaces(text);
  const lineOf = (path: readonly PropertyKey[]) => {
    for (let length = path.length; length > 0; length -= 1) {
      const offset = places.get(
        path
          .slice(0, length)
          .map((part) => pointerTo(String(part)))
          .join(''),
      );
      if (offset !== undefined) return text.slice(0, offset).split('\n').length;
    }
    return 1;
  };
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          line: lineOf([...issue.path, key]),
          message: `There is no setting ${[...issue.path, key].join('.')}.`,
        }))
      : [{ line: lineOf(issue.path), message: `${issue.path.join('.') || 'settings'}: ${issue.message}` }],
  );
  return { ok: false, problems };
}

function lineOfSyntaxError(text: string, error: unknown): number {
  const position = /position (\d+)/.exec(error instanceof Error ? error.message : '')?.[1];
  return text.slice(0, position === undefined ? text.length : Number(position)).split('\n').length;
}
