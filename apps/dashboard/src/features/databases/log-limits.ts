/** The form of the log's limits: what is typed, in the units of people, and the settings that it stands for. */
import type { DatabaseSettings, DatabaseSettingsPatch } from '@tidewire/protocol/settings';

type Limits = DatabaseSettings['log'];

/** What stands in the fields; an empty one is no limit. `mebibytes` because nobody types bytes. */
export type LimitFields = { days: string; mebibytes: string; events: string };

const mebibyte = 1024 * 1024;
/** The same bounds as the server's. */
const most = { days: 36_500, mebibytes: Math.floor(10 ** 15 / mebibyte), events: 10 ** 15 };

/** What a field may hold, in words. */
export const limitRule = (field: keyof LimitFields) =>
  `a whole number from 1 to ${new Intl.NumberFormat('en').format(most[field])}, or nothing for no limit`;

/** A limit in bytes that was set elsewhere is shown rounded up to whole mebibytes. */
export function fieldsOfLimits({ keepDays, keepBytes, keepEvents }: Limits): LimitFields {
  return {
    days: keepDays === null ? '' : String(keepDays),
    mebibytes: keepBytes === null ? '' : String(Math.ceil(keepBytes / mebibyte)),
    events: keepEvents === null ? '' : String(keepEvents),
  };
}

/** The patch, or which fields are wrong. Only what differs from `present` is in the patch. */
export function parseLimits(
  fields: LimitFields,
  present: Limits,
): { ok: true; patch: NonNullable<DatabaseSettingsPatch['log']> } | { ok: false; wrong: (keyof LimitFields)[] } {
  const shown = fieldsOfLimits(present);
  const names = ['days', 'mebibytes', 'events'] as const;
  const wrong = names.filter((name) => parseLimit(fields[name], most[name]) === undefined);
  if (wrong.length > 0) return { ok: false, wrong };
  const changed = (name: keyof LimitFields, unit: number) => {
    const value = parseLimit(fields[name], most[name]) ?? null;
    return fields[name].trim() === shown[name] ? undefined : value === null ? null : value * unit;
  };
  const [keepDays, keepBytes, keepEvents] = [changed('days', 1), changed('mebibytes', mebibyte), changed('events', 1)];
  return {
    ok: true,
    patch: {
      ...(keepDays === undefined ? {} : { keepDays }),
      ...(keepBytes === undefined ? {} : { keepBytes }),
      ...(keepEvents === undefined ? {} : { keepEvents }),
    },
  };
}

/** Null for no limit, undefined for what is none. */
function parseLimit(text: string, limit: number): number | null | undefined {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  const value = /^\d{1,16}$/.test(trimmed) ? Number(trimmed) : 0;
  return value >= 1 && value <= limit ? value : undefined;
}
