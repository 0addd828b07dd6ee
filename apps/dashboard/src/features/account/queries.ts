import { queryOptions } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { adminPersonSchema, adminSessionSchema } from '@tidewire/protocol/admins';
import { apiPath, callApi } from '../../lib/api.js';

/** The account of whoever is signed in. */
export const accountQuery = queryOptions({
  queryKey: ['account'],
  queryFn: ({ signal }) => callApi('GET', apiPath('admin'), { schema: adminPersonSchema, signal }),
});

/** The browsers in which the account is signed in. */
export const ownSessionsQuery = queryOptions({
  queryKey: ['account', 'sessions'],
  queryFn: async ({ signal }) =>
    (await callApi('GET', apiPath('admin', 'sessions'), { schema: listOf(adminSessionSchema), signal })).data,
});
