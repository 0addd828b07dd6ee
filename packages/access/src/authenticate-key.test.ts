import type { Catalog, CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { makeCatalogDatabase, makeCatalogKey } from '@tidewire/db/catalog.fixture';
import { describe, expect, it } from 'vitest';
import { createApiKey, type NewApiKey } from './api-key.js';
import { createKeyAuthenticator, endedProblem, keyProblem } from './authenticate-key.js';

/** A catalog whose reads are counted; a key that is added later is seen by the next read only. */
function makeCatalog() {
  const stored = new Map<string, CatalogKey>();
  let loaded: CatalogDatabase | undefined;
  let reads = 0;
  const snapshot = () => makeCatalogDatabase({ id: 7, configVersion: reads, keys: new Map(stored) });
  const catalog: Catalog = {
    peek: () => loaded,
    loaded: () => (loaded ? [loaded] : []),
    byId: async () => loaded ?? null,
    byName: async () => loaded ?? null,
    byKeyId: async () => loaded ?? null,
    peekKeyId: (keyId) => (loaded?.keys.has(keyId) ? loaded : undefined),
    async freshByKeyId(keyId) {
      reads += 1;
      await Promise.resolve();
      if (!stored.has(keyId)) return null;
      loaded = snapshot();
      return loaded;
    },
    async refresh() {
      loaded = snapshot();
      return loaded;
    },
    onChange: () => () => undefined,
    onRemove: () => () => undefined,
  };
  const store = ({ id, hash }: Pick<NewApiKey, 'id' | 'hash'>, more: Partial<CatalogKey> = {}) =>
    stored.set(id, makeCatalogKey({ id, databaseId: 7, hash, ...more }));
  return { catalog, store, reads: () => reads };
}

function request(text: string) {
  return { headers: { 'x-apikey': text }, url: '/', rawHeaders: [] };
}

describe('authenticating a key', () => {
  it('reads the database at the first use and answers at once, without a read, from then on', async () => {
    const { catalog, store, reads } = makeCatalog();
    const key = createApiKey();
    store(key);
    const used: string[] = [];
    const keys = createKeyAuthenticator({ catalog, now: () => 0, onUse: (id) => used.push(id) });
    expect(keys.recall(request(key.text))).toBeNull();
    const first = await keys.authenticate(request(key.text));
    expect(first).toMatchObject({ status: 'verified', principal: { kind: 'key', databaseId: 7, keyId: key.id } });
    expect(keys.recall(request(key.text))).toMatchObject({ status: 'verified' });
    expect(keys.authenticate(request(key.text))).toMatchObject({ status: 'verified' });
    expect(reads()).toBe(1);
    expect(used).toEqual([key.id, key.id, key.id]);
  });

  it('refuses a key from the moment the snapshot has it revoked', async () => {
    const { catalog, store } = makeCatalog();
    const key = createApiKey();
    store(key);
    const keys = createKeyAuthenticator({ catalog, now: () => 0 });
    await keys.verify(key.text);
    store(key, { revokedAt: new Date() });
    await catalog.refresh(7);
    expect(await keys.verify(key.text)).toEqual({ status: 'revoked' });
    expect(keys.recall(request(key.text))).toBeNull();
  });

  it('costs no read for what cannot be a key, and one for each unknown id, however often and however many at once', async () => {
    const { catalog, reads } = makeCatalog();
    const keys = createKeyAuthenticator({ catalog, now: () => 0 });
    for (const junk of ['', 'x', 'tw_', 'tw_aaaaaaaaaaaa_bbbb', 'x'.repeat(1_000_000)]) {
      expect(keys.verify(junk)).toEqual({ status: 'unknown' });
    }
    expect(reads()).toBe(0);
    const unknown = createApiKey().text;
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => keys.verify(unknown)));
    for (const outcome of outcomes) expect(outcome).toEqual({ status: 'unknown' });
    for (let time = 0; time < 100; time += 1) expect(keys.verify(unknown)).toEqual({ status: 'unknown' });
    expect(reads()).toBe(1);
  });

  it('takes both texts of a rotated key until the overlap is over, and the new one alone from then on', async () => {
    const { catalog, store } = makeCatalog();
    let time = 1_000;
    const keys = createKeyAuthenticator({ catalog, now: () => time });
    const old = createApiKey();
    store(old);
    await keys.verify(old.text);
    const renewed = createApiKey(old.id);
    store(renewed, { previous: { hash: old.hash, until: new Date(5_000) } });
    await catalog.refresh(7);
    for (const text of [old.text, renewed.text, old.text]) {
      expect(await keys.verify(text)).toMatchObject({ status: 'verified', principal: { keyId: old.id } });
      expect(keys.recall(request(text))).toMatchObject({ status: 'verified' });
    }
    time = 5_000;
    expect(keys.recall(request(old.text))).toBeNull();
    expect(await keys.verify(old.text)).toEqual({ status: 'unknown' });
    expect(await keys.verify(renewed.text)).toMatchObject({ status: 'verified' });
  });

  it('forgets a text that was verified once the key is rotated without an overlap, or twice', async () => {
    for (const previous of [null, { hash: createApiKey().hash, until: new Date(9_000) }]) {
      const { catalog, store } = makeCatalog();
      const keys = createKeyAuthenticator({ catalog, now: () => 0 });
      const old = createApiKey();
      store(old);
      await keys.verify(old.text);
      store(createApiKey(old.id), { previous });
      await catalog.refresh(7);
      expect(keys.recall(request(old.text))).toBeNull();
      expect(await keys.verify(old.text)).toEqual({ status: 'unknown' });
    }
  });

  it('knows a text by one read when another process has rotated the key just now', async () => {
    const { catalog, store, reads } = makeCatalog();
    const keys = createKeyAuthenticator({ catalog, now: () => 0 });
    const old = createApiKey();
    store(old);
    await keys.verify(old.text);
    const renewed = createApiKey(old.id);
    store(renewed);
    expect(await keys.verify(renewed.text)).toMatchObject({ status: 'verified' });
    expect(reads()).toBe(2);
  });

  it.each([
    ['expired', { expiresAt: new Date(1_000) }],
    ['switched off', { disabledAt: new Date(0) }],
    ['revoked', { revokedAt: new Date(0) }],
  ])('refuses a key that is %s with either of its texts, in the words for an unknown one', async (_state, ended) => {
    const { catalog, store } = makeCatalog();
    const keys = createKeyAuthenticator({ catalog, now: () => 1_000 });
    const old = createApiKey();
    const renewed = createApiKey(old.id);
    store(renewed, { ...ended, previous: { hash: old.hash, until: new Date(9_000) } });
    for (const { text } of [old, renewed]) {
      expect(await keys.verify(text)).toEqual({ status: 'revoked' });
      expect(keys.recall(request(text))).toBeNull();
    }
  });

  it('costs one read for a wrong secret, as for an unknown id, however often it is sent', async () => {
    const { catalog, store, reads } = makeCatalog();
    const keys = createKeyAuthenticator({ catalog, now: () => 0 });
    const good = createApiKey();
    store(good);
    await keys.verify(good.text);
    const wrong = createApiKey(good.id).text;
    for (let time = 0; time < 50; time += 1) expect(await keys.verify(wrong)).toEqual({ status: 'unknown' });
    expect(reads()).toBe(2);
    expect(keys.verify(good.text)).toMatchObject({ status: 'verified' });
    expect(reads()).toBe(2);
  });

  it('looks again for an unknown id after half a minute', async () => {
    const { catalog, store, reads } = makeCatalog();
    let time = 0;
    const keys = createKeyAuthenticator({ catalog, now: () => time });
    const key = createApiKey();
    expect(await keys.verify(key.text)).toEqual({ status: 'unknown' });
    store(key);
    time = 30_001;
    expect(await keys.verify(key.text)).toMatchObject({ status: 'verified' });
    expect(reads()).toBe(2);
  });

  it('tells nobody whether the id or the secret was wrong', async () => {
    const { catalog, store } = makeCatalog();
    const key = createApiKey();
    store({ ...key, hash: createApiKey().hash });
    const keys = createKeyAuthenticator({ catalog, now: () => 0 });
    const wrongSecret = await keys.verify(key.text);
    const unknownId = await keys.verify(createApiKey().text);
    expect(wrongSecret).toEqual(unknownId);
    expect(keyProblem({ status: 'unknown' }).detail).toBe(keyProblem({ status: 'revoked' }).detail);
  });

  it('speaks of a token to whoever came with one, and of its time only when that is all that is wrong', () => {
    const detailOf = (kind: 'key' | 'user', ended?: 'expired') => endedProblem({ kind }, ended).detail;
    expect(detailOf('key')).toBe(keyProblem({ status: 'revoked' }).detail);
    expect(detailOf('key', 'expired')).toBe(detailOf('key'));
    expect(detailOf('user')).toMatch(/^The token is not valid/);
    expect(detailOf('user', 'expired')).toBe('The token has expired. Get a new one.');
    expect(endedProblem({ kind: 'user' }).code).toBe('unauthenticated');
  });

  it('passes the error of a read on, and reads again at the next request', async () => {
    const { catalog, store } = makeCatalog();
    const key = createApiKey();
    store(key);
    let isDown = true;
    const flaky: Catalog = {
      ...catalog,
      freshByKeyId: (id) => (isDown ? Promise.reject(new Error('down')) : catalog.freshByKeyId(id)),
    };
    const keys = createKeyAuthenticator({ catalog: flaky, now: () => 0 });
    await expect(keys.verify(key.text)).rejects.toThrow('down');
    isDown = false;
    expect(await keys.verify(key.text)).toMatchObject({ status: 'verified' });
  });
});
