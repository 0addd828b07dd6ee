import type { Catalog, CatalogDatabase, CatalogKey } from '@tidewire/db/catalog';
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import { describe, expect, it } from 'vitest';
import { createApiKey, type NewApiKey } from './api-key.js';
import { createKeyAuthenticator, keyProblem } from './authenticate-key.js';

/** A catalog whose reads are counted; a key that is added later is seen by the next read only. */
function makeCatalog() {
  const stored = new Map<string, CatalogKey>();
  let loaded: CatalogDatabase | undefined;
  let reads = 0;
  const snapshot = (): CatalogDatabase => ({
    id: 7,
    name: 'default',
    configVersion: reads,
    settings: databaseSettingsSchema.parse({}),
    collections: new Map(),
    shapes: new Map(),
    keys: new Map(stored),
  });
  const catalog: Catalog = {
    peek: () => loaded,
    loaded: () => (loaded ? [loaded] : []),
    byId: async () => loaded ?? null,
    byName: async () => loaded ?? null,
    async byKeyId(keyId) {
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
  };
  const store = ({ id, hash }: NewApiKey, revokedAt: Date | null = null) =>
    stored.set(id, { id, databaseId: 7, name: 'k', hash, rest: [], listen: [], publish: [], origins: [], revokedAt });
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
    store(key, new Date());
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

  it('passes the error of a read on, and reads again at the next request', async () => {
    const { catalog, store } = makeCatalog();
    const key = createApiKey();
    store(key);
    let isDown = true;
    const flaky: Catalog = {
      ...catalog,
      byKeyId: (id) => (isDown ? Promise.reject(new Error('down')) : catalog.byKeyId(id)),
    };
    const keys = createKeyAuthenticator({ catalog: flaky, now: () => 0 });
    await expect(keys.verify(key.text)).rejects.toThrow('down');
    isDown = false;
    expect(await keys.verify(key.text)).toMatchObject({ status: 'verified' });
  });
});
