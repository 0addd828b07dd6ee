/** Collections with documents and declared indexes in a database of their own, for tests; documents are written past the lane. */
import { type Catalog, createCatalog } from '@tidewire/db/catalog';
import { connectPostgres, type PostgresConnections } from '@tidewire/db/client';
import type { PostgresAddress } from '@tidewire/db/sql-pool';
import type { IndexDefinition } from '@tidewire/protocol/collection-schema';
import type { JsonObject } from '@tidewire/protocol/json';
import { type CollectionIndexes, createCollectionIndexes } from './collection-indexes.js';
import { createIndexBuilder, type IndexBuilder } from './index-builder.js';

export type IndexedDatabase = {
  address: PostgresAddress;
  connections: PostgresConnections;
  catalog: Catalog;
  indexes: CollectionIndexes;
  /** Looks only when it is told to. */
  builder: IndexBuilder;
  /** Makes an empty collection and gives its id. */
  createCollection(name: string): Promise<number>;
  /** Stores documents, with their metafields in them. */
  insert(collectionId: number, documents: readonly JsonObject[]): Promise<void>;
  /** Declares an index and waits for it. */
  build(collection: string, definition: IndexDefinition, name?: string): Promise<void>;
  close(): Promise<void>;
};

export const databaseId = 1;

const insertDocuments = `INSERT INTO documents (collection_id, id, body, data, version, created_at, changed_at, created_by, changed_by)
  SELECT $1::int, r.id, r.body::json, r.body::jsonb, r.version, r.created_at, r.changed_at, r.created_by, r.changed_by
  FROM json_to_recordset($2::json) AS r(id text, body text, version int, created_at timestamptz, changed_at timestamptz, created_by text, changed_by text)`;

/** The database at the address must have all migrations and nothing else. */
export async function openIndexedDatabase(address: PostgresAddress): Promise<IndexedDatabase> {
  const connections = connectPostgres(address, { onConnectionError: () => undefined });
  const { pool, lanePool, maintenancePool } = connections;
  await pool.query(`INSERT INTO databases (id, name) VALUES (${databaseId}, 'default')`);
  await pool.query(`INSERT INTO log_heads (database_id) VALUES (${databaseId})`);
  const catalog = createCatalog(pool);
  const notify = () => undefined;
  const indexes = createCollectionIndexes({ pool, catalog, notify });
  const builder = createIndexBuilder({ pool, maintenancePool, notify, onError: () => undefined, intervalMs: 1e8 });
  return {
    address,
    connections,
    catalog,
    indexes,
    builder,
    async createCollection(name) {
      const { rows } = await pool.query('INSERT INTO collections (database_id, name) VALUES ($1, $2) RETURNING id', [
        databaseId,
        name,
      ]);
      return Number(rows[0]?.id);
    },
    async insert(collectionId, documents) {
      const rows = documents.map(({ _id, _created, _changed, _createdby, _changedby, _version, ...fields }) => ({
        id: _id,
        body: JSON.stringify(fields),
        version: _version ?? 0,
        created_at: _created ?? '2024-05-01T00:00:00.000Z',
        changed_at: _changed ?? '2024-05-01T00:00:00.000Z',
        created_by: _createdby ?? 'api',
        changed_by: _changedby ?? 'api',
      }));
      await lanePool.query(insertDocuments, [collectionId, JSON.stringify(rows)]);
    },
    async build(collection, definition, name) {
      const { name: given } = await indexes.create({ databaseId, collection }, { name, definition });
      await builder.run();
      const { state, error } = await indexes.get({ databaseId, collection }, given);
      if (state !== 'ready') throw new Error(`the index is ${state}: ${JSON.stringify(error)}`);
      await catalog.refresh(databaseId);
    },
    async close() {
      await builder.close();
      await connections.close();
    },
  };
}
