/** Entries of a catalog for tests: good, empty, and as the test wants them. */
import { databaseSettingsSchema } from '@tidewire/protocol/settings';
import type { CatalogDatabase, CatalogKey } from './catalog.js';

/** A good key of database 1 without a grant. */
export function makeCatalogKey(overrides: Partial<CatalogKey> = {}): CatalogKey {
  return {
    id: 'aaaaaaaaaaaa',
    databaseId: 1,
    name: 'app',
    hash: '0'.repeat(64),
    rest: [],
    listen: [],
    publish: [],
    origins: [],
    revokedAt: null,
    disabledAt: null,
    expiresAt: null,
    previous: null,
    rateLimit: null,
    ...overrides,
  };
}

/** Database 1, with default settings and nothing in it. */
export function makeCatalogDatabase(overrides: Partial<CatalogDatabase> = {}): CatalogDatabase {
  return {
    id: 1,
    name: 'default',
    configVersion: 1,
    settings: databaseSettingsSchema.parse({}),
    collections: new Map(),
    shapes: new Map(),
    keys: new Map(),
    roles: new Map(),
    ...overrides,
  };
}
