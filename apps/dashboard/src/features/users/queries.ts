import { queryOptions } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { authSecretSchema, userAccountSchema } from '@tidewire/protocol/auth-api';
import { apiPath, callApi } from '../../lib/api.js';

/** The accounts of a database's users, the newest first. */
export function usersQuery(database: string) {
  return queryOptions({
    queryKey: ['databases', database, 'users'],
    queryFn: async ({ signal }) =>
      (await callApi('GET', apiPath('databases', database, 'users'), { schema: listOf(userAccountSchema), signal }))
        .data,
  });
}

/** Whether there is a secret for the tokens of another service. */
export function authSecretQuery(database: string) {
  return queryOptions({
    queryKey: ['databases', database, 'auth-secret'],
    queryFn: ({ signal }) =>
      callApi('GET', apiPath('databases', database, 'auth', 'secret'), { schema: authSecretSchema, signal }),
  });
}
