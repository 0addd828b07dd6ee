import { makeCatalogDatabase, makeCatalogKey } from '@tidewire/db/catalog.fixture';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import { describe, expect, it } from 'vitest';
import { isRealtimeOn, mayListen, mayPublish, mayRest, mayUseFromOrigin } from './admission.js';

const makeKey = makeCatalogKey;
const makeDatabase = (global: boolean, id = 1) =>
  makeCatalogDatabase({ id, settings: databaseSettingsSchema.parse({ realtime: { global } }) });

const everything = makeKey({ rest: ['*:*'], listen: ['*:*'], publish: ['*'] });

describe('admission', () => {
  it('allows a REST call only when method and collection are both granted, exactly', () => {
    const key = makeKey({ rest: ['GET:company', 'POST:*'] });
    const database = makeDatabase(false);
    expect(mayRest(database, key, 'GET', 'company')).toBe(true);
    expect(mayRest(database, key, 'POST', 'anything')).toBe(true);
    for (const collection of ['companyx', 'Company', 'compan', '*', '']) {
      expect(mayRest(database, key, 'GET', collection)).toBe(false);
    }
    expect(mayRest(database, key, 'DELETE', 'company')).toBe(false);
  });

  it('keeps realtime off for a key without channels, and on for one with a channel or under the global flag', () => {
    expect(isRealtimeOn(makeDatabase(false), makeKey({ rest: ['*:*'], publish: ['*'] }))).toBe(false);
    expect(isRealtimeOn(makeDatabase(false), makeKey({ listen: ['POST:company'] }))).toBe(true);
    expect(isRealtimeOn(makeDatabase(true), makeKey())).toBe(true);
  });

  it('lets a key hear its own channels and no other', () => {
    const key = makeKey({ listen: ['POST:company', 'PUBLISH:chat.*'] });
    const database = makeDatabase(false);
    expect(mayListen(database, key, 'post', 'company')).toBe(true);
    expect(mayListen(database, key, 'put', 'company')).toBe(false);
    expect(mayListen(database, key, 'post', 'companyx')).toBe(false);
    expect(mayListen(database, key, 'publish', 'chat.room')).toBe(true);
    expect(mayListen(database, key, 'publish', 'chatter')).toBe(false);
  });

  it.each(['rename', 'drop'] as const)(
    'lets whoever may hear a change of a collection hear its %s, and nobody else',
    (type) => {
      const database = makeDatabase(false);
      for (const grant of ['POST:company', 'PUT:company', 'DELETE:company', '*:company', 'PUT:*', '*:*'])
        expect(mayListen(database, makeKey({ listen: [grant] }), type, 'company')).toBe(true);
      for (const grant of ['POST:companyx', 'PUBLISH:company', 'PUBLISH:*', 'PUBLISH:drop', 'PUBLISH:rename'])
        expect(mayListen(database, makeKey({ listen: [grant] }), type, 'company')).toBe(false);
      expect(mayListen(makeDatabase(true), makeKey(), type, 'company')).toBe(true);
    },
  );

  it('opens every channel under the global flag, but neither REST nor publishing', () => {
    const database = makeDatabase(true);
    expect(mayListen(database, makeKey(), 'delete', 'secret')).toBe(true);
    expect(mayRest(database, makeKey(), 'GET', 'secret')).toBe(false);
    expect(mayPublish(database, makeKey(), 'GOAL')).toBe(false);
  });

  it.each([
    ['a revoked key', { ...everything, revokedAt: new Date(0) }, makeDatabase(true)],
    ['a key that is switched off', { ...everything, disabledAt: new Date(0) }, makeDatabase(true)],
    ['a key that has expired', { ...everything, expiresAt: new Date(0) }, makeDatabase(true)],
    ['a key of another database', everything, makeDatabase(true, 2)],
  ])('allows nothing to %s, whatever its grants', (_name, key, database) => {
    expect(mayRest(database, key, 'GET', 'company')).toBe(false);
    expect(mayPublish(database, key, 'GOAL')).toBe(false);
    expect(mayListen(database, key, 'post', 'company')).toBe(false);
    expect(isRealtimeOn(database, key)).toBe(false);
  });

  it('admits the origins of the list, exactly, and the server itself', () => {
    const key = makeKey({ origins: ['https://app.example'] });
    expect(mayUseFromOrigin(key, undefined)).toBe(true);
    expect(mayUseFromOrigin(key, 'https://app.example')).toBe(true);
    expect(mayUseFromOrigin(key, 'https://db.example:8080', 'db.example:8080')).toBe(true);
    const foreign = [
      'http://app.example',
      'https://app.example:444',
      'https://evil-app.example',
      'https://app.example.evil.example',
      'https://APP.example',
      'null',
      '',
    ];
    for (const origin of foreign) expect(mayUseFromOrigin(key, origin, 'db.example')).toBe(false);
  });

  it('lets no page of another origin use a key with an empty list, and any page one with *', () => {
    expect(mayUseFromOrigin(makeKey(), 'https://app.example', 'db.example')).toBe(false);
    expect(mayUseFromOrigin(makeKey({ origins: ['*'] }), 'null')).toBe(true);
  });
});
