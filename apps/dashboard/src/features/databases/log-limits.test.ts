import { describe, expect, it } from 'vitest';
import { fieldsOfLimits, parseLimits } from './log-limits.js';

const none = { keepDays: null, keepBytes: null, keepEvents: null };
const empty = { days: '', mebibytes: '', events: '' };

describe('the limits of the log', () => {
  it('are empty fields when there are none, and empty fields take a limit away', () => {
    expect(fieldsOfLimits(none)).toEqual(empty);
    expect(parseLimits(empty, { ...none, keepDays: 5 })).toEqual({ ok: true, patch: { keepDays: null } });
  });

  it('are typed in days, mebibytes and events, and only what was changed is sent', () => {
    const present = { keepDays: 30, keepBytes: 1_500_000, keepEvents: null };
    expect(fieldsOfLimits(present)).toEqual({ days: '30', mebibytes: '2', events: '' });
    expect(parseLimits({ days: '30', mebibytes: '2', events: ' 1000 ' }, present)).toEqual({
      ok: true,
      patch: { keepEvents: 1_000 },
    });
    expect(parseLimits({ days: '30', mebibytes: '3', events: '' }, present)).toEqual({
      ok: true,
      patch: { keepBytes: 3_145_728 },
    });
  });

  it('name every field that holds no whole number in its bounds', () => {
    const fields = { days: '0', mebibytes: '1.5', events: '-3' };
    expect(parseLimits(fields, none)).toEqual({ ok: false, wrong: ['days', 'mebibytes', 'events'] });
    expect(parseLimits({ ...empty, days: '36501' }, none)).toEqual({ ok: false, wrong: ['days'] });
  });
});
