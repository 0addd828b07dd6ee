import { expect, it } from 'vitest';
import { mergeSettings } from './settings.js';

it('changes what a patch names and keeps the rest', () => {
  const settings = { realtime: { global: true }, collections: { createOnWrite: false } };
  expect(mergeSettings(settings, {})).toEqual(settings);
  expect(mergeSettings(settings, { realtime: {} })).toEqual(settings);
  expect(mergeSettings(settings, { realtime: { global: false } })).toEqual({
    realtime: { global: false },
    collections: { createOnWrite: false },
  });
  expect(mergeSettings(settings, { collections: { createOnWrite: true } }).collections.createOnWrite).toBe(true);
});
