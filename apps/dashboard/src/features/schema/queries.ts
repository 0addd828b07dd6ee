import { queryOptions } from '@tanstack/react-query';
import { collectionDetailSchema } from '@tidewire/protocol/collection-schema';
import { apiPath, callApi } from '../../lib/api.js';

/** The schema of a collection, null when it takes any JSON object. */
export function schemaQuery(database: string, collection: string) {
  return queryOptions({
    queryKey: ['databases', database, 'collections', collection, 'schema'],
    queryFn: async ({ signal }) =>
      (
        await callApi('GET', apiPath('databases', database, 'collections', collection), {
          schema: collectionDetailSchema,
          signal,
        })
      ).schema,
  });
}
