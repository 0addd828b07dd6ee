/** The id of a collection by its name. */
import type { CatalogDatabase } from '@tidewire/db/catalog';
import type { SqlClient, SqlPool } from '@tidewire/db/sql-pool';

/** By the unique index (database_id, name). */
const selectCollection = {
  name: 'collections-find',
  text: 'SELECT id FROM collections WHERE database_id = $1 AND name = $2',
};

/** From the snapshot, else read, for another process may just have made it; null when there is none. */
export async function findCollection(pool: SqlPool, database: CatalogDatabase, name: string): Promise<number | null> {
  const known = database.collections.get(name);
  if (known !== undefined) return known;
  return findCollectionNow(pool, database, name);
}

/** Read in any case: as it is for this connection. */
export async function findCollectionNow(
  client: Pick<SqlClient, 'query'>,
  database: Pick<CatalogDatabase, 'id'>,
  name: string,
): Promise<number | null> {
  const { rows } = await client.query<{ id: number }>({ ...selectCollection, values: [database.id, name] });
  return rows[0]?.id ?? null;
}
