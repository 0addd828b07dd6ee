import { queryOptions } from '@tanstack/react-query';
import { databaseSchema, listOf } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';

/** All databases of this server. */
export const databasesQuery = queryOptions({
  queryKey: ['databases'],
  queryFn: async ({ signal }) =>
    (await callApi('GET', apiPath('databases'), { schema: listOf(databaseSchema), signal })).data,
});

/** One database with its settings and the position of its log. */
export function databaseQuery(database: string) {
  return queryOptions({
    queryKey: ['databases', database],
    queryFn: ({ signal }) => callApi('GET', apiPath('databases', database), { schema: databaseSchema, signal }),
  });
}
