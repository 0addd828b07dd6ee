/**
 * Dates. JSON has none, so a date is a string; the form that all of Tidewire writes is `2024-05-01T12:00:00.000Z`. A `$date` operand becomes that form, and
 * compares, as text, with strings that begin like a date. So dates stored in that form are ordered exactly; a stored `2024-05-01` counts as the moment before
 * that day's first millisecond, and a stored time with an offset is ordered by its clock time as written.
 */

/** Strings that take part in comparisons with dates; the same as an ARE. */
export const datePrefix = '^[0-9]{4}-[0-9]{2}-[0-9]{2}';

/** Whether a string takes part in comparisons with dates. */
export function beginsLikeDate(text: string): boolean {
  return /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text);
}

const isoPattern =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$/;

/** The stored form of an ISO 8601 text (without an offset: UTC) or of milliseconds since 1970; null when it is no date of the years 0000 to 9999. */
export function normalizeDate(value: unknown): string | null {
  if (typeof value === 'number') return textOf(new Date(value));
  const parts = typeof value === 'string' ? isoPattern.exec(value) : null;
  if (parts === null || typeof value !== 'string') return null;
  const [, year, month, day] = parts.map(Number);
  const hasZone = /(?:Z|[+-][0-9]{2}:?[0-9]{2})$/.test(value.slice(10));
  const time = parts[4] === undefined ? 'T00:00:00' : value.slice(10).replace(' ', 'T');
  const zoned = `${value.slice(0, 10)}${time}${hasZone ? '' : 'Z'}`.replace(/([+-][0-9]{2})([0-9]{2})$/, '$1:$2');
  return isDayOfMonth(year ?? 0, month ?? 0, day ?? 0) ? textOf(new Date(zoned)) : null;
}

/** Rolls of the calendar, such as February 30th, are no dates. */
function isDayOfMonth(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

function textOf(date: Date): string | null {
  if (Number.isNaN(date.getTime())) return null;
  const text = date.toISOString();
  return text.length === 24 ? text : null;
}

/** Whether the text is a date in exactly the stored form. */
export function isStoredDate(text: string): boolean {
  return text.length === 24 && text.endsWith('Z') && text[10] === 'T' && normalizeDate(text) === text;
}

/** The dynamic dates, and the calendar unit that each stands for. */
export const dynamicDates = { $currentDate: 'day', $currentMonth: 'month', $currentYear: 'year' } as const;
/** The name of a dynamic date. */
export type DynamicDate = keyof typeof dynamicDates;

/** Whether the text names a dynamic date. */
export function isDynamicDate(name: string): name is DynamicDate {
  return Object.hasOwn(dynamicDates, name);
}

/** The first moment of the present day, month or year in UTC, `offset` of them later; null beyond the years 0000 to 9999. */
export function startOf(name: DynamicDate, offset: number, now: Date): string | null {
  const unit = dynamicDates[name];
  const year = now.getUTCFullYear() + (unit === 'year' ? offset : 0);
  const month = unit === 'year' ? 0 : now.getUTCMonth() + (unit === 'month' ? offset : 0);
  const day = unit === 'day' ? now.getUTCDate() + offset : 1;
  const start = new Date(0);
  start.setUTCFullYear(year, month, day);
  return textOf(start);
}
