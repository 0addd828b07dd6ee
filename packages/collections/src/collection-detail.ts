/** A collection as the admin API shows it: with its schema and its indexes. */
import type { CollectionDetail } from '@tidewire/protocol/collection-schema';
import type { CollectionIndexes } from './indexes/collection-indexes.js';
import type { CollectionSchemas, SchemaTarget } from './schema/collection-schemas.js';

export type CollectionDetailDeps = {
  collectionSchemas: Pick<CollectionSchemas, 'get'>;
  collectionIndexes: Pick<CollectionIndexes, 'list'>;
};

/** Throws `not_found`. */
export async function readCollectionDetail(
  { collectionSchemas, collectionIndexes }: CollectionDetailDeps,
  target: SchemaTarget,
): Promise<CollectionDetail> {
  const { name, documents, createdAt, schema } = await collectionSchemas.get(target);
  return { name, documents, createdAt, schema, indexes: await collectionIndexes.list(target) };
}
