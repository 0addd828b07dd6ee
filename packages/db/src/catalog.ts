/**
 * The catalog: what a process keeps in memory of the databases it serves (settings, keys, collections), so that no request
 * and no delivered event needs a read for "may they". Each entry is one consistent snapshot, immutable, and carries the
 * `configVersion` at which it was read; every change of settings, keys or collections raises that version in the same
 * transaction (`log_heads.config_version`), and whoever learns of a newer one calls `refresh`.
 */
import { type IndexDefinition, type IndexState, indexDefinitionSchema } from '@tidewire/protocol/collection-schema';
import type { JsonObject } from '@tidewire/protocol/json';
import type { RoleRule } from '@tidewire/protocol/roles';
import { type DatabaseSettings, databaseSettingsSchema } from '@tidewire/protocol/settings';
import type { SqlPool } from './sql-pool.js';

export type CatalogKey = {
  readonly id: string;
  readonly databaseId: number;
  readonly name: string;
  /** SHA-256 of the key's text, 64 hex digits. */
  readonly hash: string;
  readonly rest: readonly string[];
  readonly listen: readonly string[];
  readonly publish: readonly string[];
  readonly origins: readonly string[];
  readonly revokedAt: Date | null;
  readonly disabledAt: Date | null;
  readonly expiresAt: Date | null;
  /** The hash of the text before the last rotation, and until when it is taken as well; null when there is none. */
  readonly previous: { readonly hash: string; readonly until: Date } | null;
  /** Requests in a minute; null for any number. */
  readonly rateLimit: number | null;
};

/** What users may do who have this role. */
export type CatalogRole = {
  readonly name: string;
  readonly rest: readonly string[];
  readonly listen: readonly string[];
  readonly publish: readonly string[];
  /** By collection. */
  readonly rules: Readonly<Record<string, RoleRule>>;
};

/** A declared index. Only a `ready` one may be relied on. */
export type CatalogIndex = {
  readonly id: number;
  readonly name: string;
  readonly definition: IndexDefinition;
  readonly isOfSchema: boolean;
  readonly state: IndexState;
};

/** What a collection asks of its documents beyond being JSON objects, and how they are indexed. */
export type CatalogShape = {
  /** As it was given; null for none. */
  readonly schema: JsonObject | null;
  /** By name. */
  readonly indexes: readonly CatalogIndex[];
};

export type CatalogDatabase = {
  readonly id: number;
  readonly name: string;
  readonly configVersion: number;
  readonly settings: DatabaseSettings;
  /** Name → id. */
  readonly collections: ReadonlyMap<string, number>;
  /** By the collection's id; those that have neither a schema nor an index are missing here. The same object as long as nothing of it changes. */
  readonly shapes: ReadonlyMap<number, CatalogShape>;
  /** Key id → key, the revoked ones too. */
  readonly keys: ReadonlyMap<string, CatalogKey>;
  /** By name. */
  readonly roles: ReadonlyMap<string, CatalogRole>;
};

export interface Catalog {
  /** What is in memory now; undefined when the database was not loaded yet. No I/O. */
  peek(databaseId: number): CatalogDatabase | undefined;
  /** Every database in memory. */
  loaded(): Iterable<CatalogDatabase>;
  /** From memory, else read; null when there is no such database. */
  byId(databaseId: number): Promise<CatalogDatabase | null>;
  byName(name: string): Promise<CatalogDatabase | null>;
  /** The database of a key's public id, from memory, else read; null when there is no such key. */
  byKeyId(keyId: string): Promise<CatalogDatabase | null>;
  /** The same from memory alone. No I/O. */
  peekKeyId(keyId: string): CatalogDatabase | undefined;
  /** The same, no older than this call: one small read, and a second when what is in memory is older or missing. */
  freshByKeyId(keyId: string): Promise<CatalogDatabase | null>;
  /** Reads the database again when what is in memory is older than `version`, or always without one. Listeners hear of it. */
  refresh(databaseId: number, version?: number): Promise<CatalogDatabase | null>;
  /** Calls the listener with each entry that was read anew. Returns the way to stop it. */
  onChange(listener: (database: CatalogDatabase) => void): () => void;
  /** Calls the listener with what was last known of a database that is gone, or is being deleted. Returns the way to stop it. */
  onRemove(listener: (database: CatalogDatabase) => void): () => void;
}

type Row = {
  id: number;
  name: string;
  settings: unknown;
  config_version: number;
  collections: { id: number; name: string }[] | null;
  shapes: { id: number; schema: JsonObject | null; indexes: CatalogIndex[] | null }[] | null;
  keys: KeyRow[] | null;
  roles: CatalogRole[] | null;
};

type KeyRow = Pick<CatalogKey, 'id' | 'name' | 'hash' | 'rest' | 'listen' | 'publish' | 'origins' | 'rateLimit'> & {
  revokedAt: string | null;
  disabledAt: string | null;
  expiresAt: string | null;
  previousHash: string | null;
  previousUntil: string | null;
};

/** One statement, so one snapshot; by the unique indexes of databases and of api_keys. */
const selectDatabase = `
  SELECT d.id, d.name, d.settings, h.config_version,
    (SELECT json_agg(json_build_object('id', c.id, 'name', c.name)) FROM collections c WHERE c.database_id = d.id) AS collections,
    (SELECT json_agg(json_build_object('id', c.id, 'schema', c.schema, 'indexes', (
        SELECT json_agg(json_build_object('id', i.id, 'name', i.name, 'definition', i.definition, 'isOfSchema', i.is_of_schema, 'state', i.state)
          ORDER BY i.name)
        FROM collection_indexes i WHERE i.collection_id = c.id)))
      FROM collections c WHERE c.database_id = d.id
        AND (c.schema IS NOT NULL OR EXISTS (SELECT FROM collection_indexes i WHERE i.collection_id = c.id))) AS shapes,
    (SELECT json_agg(json_build_object('id', k.id, 'name', k.name, 'hash', k.hash, 'rest', k.rest, 'listen', k.listen,
      'publish', k.publish, 'origins', k.origins, 'revokedAt', k.revoked_at, 'disabledAt', k.disabled_at, 'expiresAt', k.expires_at,
      'previousHash', k.previous_hash, 'previousUntil', k.previous_until, 'rateLimit', k.rate_limit))
      FROM api_keys k WHERE k.database_id = d.id) AS keys,
    (SELECT json_agg(json_build_object('name', r.name, 'rest', r.rest, 'listen', r.listen, 'publish', r.publish, 'rules', r.rules))
      FROM roles r WHERE r.database_id = d.id) AS roles
  FROM databases d JOIN log_heads h ON h.database_id = d.id`;

/**
 * By the primary keys. One row with a version whether there is such a key or not, so that the two take the same time: without a key it is that of the database $2, any one that
 * is there.
 */
const selectKeyVersion = {
  name: 'catalog-key-version',
  text: `SELECT k.database_id AS "databaseId", h.config_version AS "version" FROM (SELECT $1::text AS id) asked
    LEFT JOIN api_keys k ON k.id = asked.id LEFT JOIN log_heads h ON h.database_id = coalesce(k.database_id, $2::int)`,
};

/** A catalog over a pool. It starts empty and loads what is asked for. */
export function createCatalog(pool: SqlPool): Catalog {
  const byId = new Map<number, CatalogDatabase>();
  const listeners = new Set<(database: CatalogDatabase) => void>();
  const removalListeners = new Set<(database: CatalogDatabase) => void>();

  async function load(condition: string, value: unknown): Promise<CatalogDatabase | null> {
    const { rows } = await pool.query<Row>(`${selectDatabase} WHERE d.deleting_at IS NULL AND ${condition}`, [value]);
    const row = rows[0];
    return row === undefined ? null : keep(decode(row, byId.get(row.id)));
  }

  /** Two reads may cross: the newer one stays. */
  function keep(read: CatalogDatabase): CatalogDatabase {
    const present = byId.get(read.id);
    if (present !== undefined && present.configVersion >= read.configVersion) return present;
    byId.set(read.id, read);
    for (const listener of listeners) listener(read);
    return read;
  }

  function remove(databaseId: number): void {
    const last = byId.get(databaseId);
    byId.delete(databaseId);
    if (last !== undefined) for (const listener of removalListeners) listener(last);
  }

  function find(matches: (database: CatalogDatabase) => boolean): CatalogDatabase | undefined {
    for (const database of byId.values()) if (matches(database)) return database;
    return undefined;
  }

  return {
    peek: (databaseId) => byId.get(databaseId),
    loaded: () => byId.values(),
    byId: async (databaseId) => byId.get(databaseId) ?? load('d.id = $1', databaseId),
    byName: async (name) => find((database) => database.name === name) ?? load('d.name = $1', name),
    byKeyId: async (keyId) =>
      find((database) => database.keys.has(keyId)) ??
      load('d.id = (SELECT database_id FROM api_keys WHERE id = $1)', keyId),
    peekKeyId: (keyId) => find((database) => database.keys.has(keyId)),
    async freshByKeyId(keyId) {
      type Found = { databaseId: number | null; version: number | null };
      const [anyDatabase = 0] = byId.keys();
      const { rows } = await pool.query<Found>({ ...selectKeyVersion, values: [keyId, anyDatabase] });
      const { databaseId = null, version = null } = rows[0] ?? {};
      if (databaseId === null || version === null) return null;
      const present = byId.get(databaseId);
      return present !== undefined && present.configVersion >= version ? present : load('d.id = $1', databaseId);
    },
    async refresh(databaseId, version) {
      const present = byId.get(databaseId);
      if (present !== undefined && version !== undefined && present.configVersion >= version) return present;
      const read = await load('d.id = $1', databaseId);
      if (read === null) remove(databaseId);
      return read;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onRemove(listener) {
      removalListeners.add(listener);
      return () => removalListeners.delete(listener);
    },
  };
}

function decode(row: Row, present: CatalogDatabase | undefined): CatalogDatabase {
  const keys = (row.keys ?? []).map((key) => decodeKey(key, row.id));
  return {
    id: row.id,
    name: row.name,
    configVersion: row.config_version,
    settings: databaseSettingsSchema.parse(row.settings),
    collections: new Map((row.collections ?? []).map(({ name, id }) => [name, id])),
    shapes: decodeShapes(row, present),
    keys: new Map(keys.map((key) => [key.id, key])),
    roles: new Map((row.roles ?? []).map((role) => [role.name, role])),
  };
}

function decodeKey({ previousHash, previousUntil, ...row }: KeyRow, databaseId: number): CatalogKey {
  const hasPrevious = previousHash !== null && previousUntil !== null;
  return {
    ...row,
    databaseId,
    revokedAt: decodeTime(row.revokedAt),
    disabledAt: decodeTime(row.disabledAt),
    expiresAt: decodeTime(row.expiresAt),
    previous: hasPrevious ? { hash: previousHash, until: new Date(previousUntil) } : null,
  };
}

function decodeTime(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

/** A shape that did not change stays the same object, so that what was made of it (compiled schemas) can be kept by it. */
function decodeShapes(row: Row, present: CatalogDatabase | undefined): ReadonlyMap<number, CatalogShape> {
  const shapes = new Map<number, CatalogShape>();
  for (const { id, schema, indexes } of row.shapes ?? []) {
    const read: CatalogShape = {
      schema,
      indexes: (indexes ?? []).map((index) => ({
        ...index,
        definition: indexDefinitionSchema.parse(index.definition),
      })),
    };
    const kept = present?.shapes.get(id);
    shapes.set(id, kept !== undefined && JSON.stringify(kept) === JSON.stringify(read) ? kept : read);
  }
  return shapes;
}
