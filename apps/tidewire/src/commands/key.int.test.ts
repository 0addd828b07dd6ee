import { createKeyAuthenticator } from '@tidewire/access/authenticate-key';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { UsageError } from '../exit.js';
import { type CommandPlace, openCommandPlace } from './commands.fixture.js';
import { createKey, listKeys, readTerms, revokeKey, rotateKey, showKey, switchKey, updateKey } from './key.js';

const database = 'default';
const asText = { database, json: false };
const asJson = { database, json: true };
let place: CommandPlace;

beforeAll(async () => {
  place = await openCommandPlace(database);
});
afterAll(() => place.close());

test('a key is made, shown, changed, rotated, switched off and on, and revoked from the command line', async () => {
  const { core } = place;
  const keys = createKeyAuthenticator({ catalog: core.catalog, now: Date.now });
  const status = async (text: string) => (await keys.verify(text)).status;
  expect(await listKeys(core, asText)).toContain('has no key');

  const terms = { name: 'shop', rest: ['GET:company'], origin: ['https://a.example'], expires: '30d', rateLimit: '90' };
  const made = await createKey(core, { ...asText, ...terms });
  const text = made.split('\n')[0] ?? '';
  const id = text.split('_')[1] ?? '';
  expect(made).toContain(`This is the web key ${id} (shop)`);
  expect(made).toContain('at most 90 requests a minute');
  expect(await status(text)).toBe('verified');
  expect(await listKeys(core, asText)).toMatch(new RegExp(`${id} +shop +web +good +rest=GET:company +0 +never`));

  const shown = await showKey(core, id, asText);
  for (const part of ['web', 'good', 'https://a.example', '90 a minute', 'never']) expect(shown).toContain(part);
  expect(JSON.parse(await showKey(core, id, asJson))).toMatchObject({ id, rateLimit: 90, kind: 'web' });

  const change = { clear: ['origin'], rest: ['*:*'], expires: 'never', rateLimit: 'none' };
  expect(JSON.parse(await updateKey(core, id, { ...asJson, ...change }))).toMatchObject({
    name: 'shop',
    kind: 'server',
    rest: ['*:*'],
    origins: [],
    expiresAt: null,
    rateLimit: null,
  });

  const rotated = await rotateKey(core, id, { ...asText, overlap: '12h' });
  const second = rotated.split('\n')[0] ?? '';
  expect(rotated).toMatch(/The text before it is taken until 20/);
  expect([await status(text), await status(second)]).toEqual(['verified', 'verified']);
  const third = JSON.parse(await rotateKey(core, id, { ...asJson, overlap: '0' })).key;
  expect([await status(text), await status(second), await status(third)]).toEqual(['unknown', 'unknown', 'verified']);

  expect(await switchKey(core, id, { ...asText, disabled: true })).toContain('switched off');
  expect(await status(third)).toBe('revoked');
  expect(await listKeys(core, asText)).toContain('disabled 20');
  expect(await switchKey(core, id, { ...asText, disabled: false })).toContain('switched on');
  expect(await status(third)).toBe('verified');
  expect(await revokeKey(core, id, asText)).toContain('revoked');
  expect(await status(third)).toBe('revoked');
  await expect(switchKey(core, id, { ...asText, disabled: false })).rejects.toMatchObject({ code: 'conflict' });
  await expect(showKey(core, 'nobody', asText)).rejects.toMatchObject({ code: 'not_found' });
});

test.each([
  [{ rest: ['get:company'] }, /--rest: not a rest grant/],
  [{ origin: ['nonsense'] }, /--origin: not an origin/],
  [{ expires: 'tomorrow' }, /--expires/],
  [{ expires: '99999d' }, /--expires: 99999d is no time/],
  [{ rateLimit: 'many' }, /--rate-limit/],
  [{ rateLimit: '0' }, /--rate-limit/],
  [{ clear: ['name'] }, /--clear takes one of rest, listen, publish, origin/],
  [{ clear: ['rest'], rest: ['*:*'] }, /--rest and --clear rest/],
  [{}, /Nothing is said/],
])('what cannot be meant is a usage error that names the flag: %j', async (terms, message) => {
  const changing = updateKey(place.core, 'aaaaaaaaaaaa', { ...asText, ...terms });
  await expect(changing).rejects.toThrow(UsageError);
  await expect(changing).rejects.toThrow(message);
});

test.each(['', 'x', '1', '-1h', '1w', '12 h', '9999999999d'])('an overlap of %j is refused', async (overlap) => {
  await expect(rotateKey(place.core, 'aaaaaaaaaaaa', { ...asText, overlap })).rejects.toThrow(UsageError);
});

test('an expiry is said as a time from now on, a day, a moment, or never', () => {
  const now = Date.UTC(2031, 0, 1);
  const expiry = (expires: string) => readTerms({ expires }, now).expiresAt;
  expect(['90s', '15m', '12h', '30d'].map(expiry)).toEqual([
    '2031-01-01T00:01:30.000Z',
    '2031-01-01T00:15:00.000Z',
    '2031-01-01T12:00:00.000Z',
    '2031-01-31T00:00:00.000Z',
  ]);
  expect([expiry('2031-02-03'), expiry('2031-02-03T04:05:06Z'), expiry('never')]).toEqual([
    '2031-02-03T00:00:00Z',
    '2031-02-03T04:05:06Z',
    null,
  ]);
});
