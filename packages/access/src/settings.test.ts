import { authSettingsSchema } from '@tidewire/protocol/auth-settings';
import { expect, it } from 'vitest';
import { mergeSettings } from './settings.js';

it('changes what a patch names and keeps the rest', () => {
  const auth = authSettingsSchema.parse({ issuer: 'https://issuer.example', defaultRole: 'member' });
  const log = { keepDays: 30, keepBytes: null, keepEvents: null };
  const settings = { realtime: { global: true }, collections: { createOnWrite: false }, log, auth };
  expect(mergeSettings(settings, {})).toEqual(settings);
  expect(mergeSettings(settings, { realtime: {} })).toEqual(settings);
  expect(mergeSettings(settings, { realtime: { global: false } })).toEqual({
    realtime: { global: false },
    collections: { createOnWrite: false },
    log,
    auth,
  });
  expect(mergeSettings(settings, { collections: { createOnWrite: true } }).collections.createOnWrite).toBe(true);
  expect(mergeSettings(settings, { log: { keepDays: null, keepEvents: 5 } }).log).toEqual({
    keepDays: null,
    keepBytes: null,
    keepEvents: 5,
  });
  expect(mergeSettings(settings, { auth: { issuer: null, algorithms: ['ES256'], signUp: true } }).auth).toEqual({
    ...auth,
    issuer: null,
    algorithms: ['ES256'],
    signUp: true,
  });
});
