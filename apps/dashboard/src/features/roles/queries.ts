import { queryOptions } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { roleSchema } from '@tidewire/protocol/roles';
import { apiPath, callApi } from '../../lib/api.js';

/** The roles of a database, by name. */
export function rolesQuery(database: string) {
  return queryOptions({
    queryKey: ['databases', database, 'roles'],
    queryFn: async ({ signal }) =>
      (await callApi('GET', apiPath('databases', database, 'roles'), { schema: listOf(roleSchema), signal })).data,
  });
}
