/** Numbers, sizes and times as the dashboard writes them. All times are shown in the reader's own zone. */

const counts = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const dateTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

const minute = 60_000;
const steps: readonly { limitMs: number; unitMs: number; unit: Intl.RelativeTimeFormatUnit }[] = [
  { limitMs: 60 * minute, unitMs: minute, unit: 'minute' },
  { limitMs: 24 * 60 * minute, unitMs: 60 * minute, unit: 'hour' },
  { limitMs: 30 * 24 * 60 * minute, unitMs: 24 * 60 * minute, unit: 'day' },
  { limitMs: 365 * 24 * 60 * minute, unitMs: 30 * 24 * 60 * minute, unit: 'month' },
];

/** `12,480` */
export function formatCount(count: number): string {
  return counts.format(count);
}

/** `1 document`, `2 documents` */
export function formatAmount(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

const byteUnits = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

/** `512 bytes`, `16 KiB`, `1.5 GiB` */
export function formatBytes(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), byteUnits.length - 1);
  const amount = bytes / 1024 ** step;
  return `${counts.format(amount < 10 ? Math.round(amount * 10) / 10 : Math.round(amount))} ${byteUnits[step]}`;
}

/** `14:03:07.214`; the text itself when it is no time. */
export function formatClock(iso: string): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : clock.format(time);
}

/** `3 Mar 2026, 14:03:07`; the text itself when it is no time. */
export function formatDateTime(iso: string): string {
  const time = Date.parse(iso);
  return Number.isNaN(time) ? iso : dateTime.format(time);
}

/** `just now`, `4 min. ago`, `yesterday`; the text itself when it is no time. */
export function formatAgo(iso: string, nowMs: number): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return iso;
  const distance = Math.abs(nowMs - time);
  if (distance < minute) return 'just now';
  const step = steps.find(({ limitMs }) => distance < limitMs) ?? {
    unitMs: 365 * 24 * 60 * minute,
    unit: 'year' as const,
  };
  return relative.format(Math.round((time - nowMs) / step.unitMs), step.unit);
}
