import { queryOptions } from '@tanstack/react-query';
import { apiKeySchema, listOf } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';

/** The keys of a database, the newest first, with those that were revoked. */
export function keysQuery(database: string) {
  return queryOptions({
    queryKey: ['databases', database, 'keys'],
    queryFn: async ({ signal }) =>
      (await callApi('GET', apiPath('databases', database, 'keys'), { schema: listOf(apiKeySchema), signal })).data,
    // Open streams and last uses change without anybody's doing here.
    refetchInterval: 5_000,
  });
}
