/**
 * The catalog: what a process keeps in memory of the databases it serves (settings, keys, collections), so that no request
 * and no delivered event needs a read for "may they". Each entry is one consistent snapshot, immutable, and carries the
 * `configVersion` at which it was read; every change of settings, keys or collections raises that version in the same
 * transaction (`log_heads.config_version`), and whoever learns of a newer one calls `refresh`.
 */
import { type IndexDefinition, type IndexState, indexDefinitionSchema } from '@tidewire/protocol/collection-schema';
import type { JsonObject } from '@tidewire/protocol/json';
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
  /** Reads the database again when what is in memory is older than `version`, or always without one. Listeners hear of it. */
  refresh(databaseId: number, version?: number): Promise<CatalogDatabase | null>;
  /** Calls the listener with each entry that was read anew. Returns the way to stop it. */
  onChange(listener: (database: CatalogDatabase) => void): () => void;
}

type Row = {
  id: number;
  name: string;
  settings: unknown;
  config_version: number;
  collections: { id: number; name: string }[] | null;
  shapes: { id: number; schema: JsonObject | null; indexes: CatalogIndex[] | null }[] | null;
  keys: (Omit<CatalogKey, 'databaseId' | 'revokedAt'> & { revokedAt: string | null })[] | null;
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
      'publish', k.publish, 'origins', k.origins, 'revokedAt', k.revoked_at)) FROM api_keys k WHERE k.database_id = d.id) AS keys
  FROM databases d JOIN log_heads h ON h.database_id = d.id`;

/** A catalog over a pool. It starts empty and loads what is asked for. */
export function createCatalog(pool: SqlPool): Catalog {
  const byId = new Map<number, CatalogDatabase>();
  const listeners = new Set<(database: CatalogDatabase) => void>();

  async function load(condition: string, value: unknown): Promise<CatalogDatabase | null> {
    const { rows } = await pool.query<Row>(`${selectDatabase} WHERE ${condition}`, [value]);
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
    async refresh(databaseId, version) {
      const present = byId.get(databaseId);
      if (present !== undefined && version !== undefined && present.configVersion >= version) return present;
      const read = await load('d.id = $1', databaseId);
      if (read === null) byId.delete(databaseId);
      return read;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function decode(row: Row, present: CatalogDatabase | undefined): CatalogDatabase {
  const keys = (row.keys ?? []).map(
    (key): CatalogKey => ({
      ...key,
      databaseId: row.id,
      revokedAt: key.revokedAt === null ? null : new Date(key.revokedAt),
    }),
  );
  return {
    id: row.id,
    name: row.name,
    configVersion: row.config_version,
    settings: databaseSettingsSchema.parse(row.settings),
    collections: new Map((row.collections ?? []).map(({ name, id }) => [name, id])),
    shapes: decodeShapes(row, present),
    keys: new Map(keys.map((key) => [key.id, key])),
  };
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
