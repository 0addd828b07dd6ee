import { queryOptions } from '@tanstack/react-query';
import { listOf } from '@tidewire/protocol/admin-api';
import { adminPersonSchema, adminSessionSchema, inviteSchema } from '@tidewire/protocol/admins';
import { apiPath, callApi } from '../../lib/api.js';

/** The admins; for owners. */
export const peopleQuery = queryOptions({
  queryKey: ['people'],
  queryFn: async ({ signal }) =>
    (await callApi('GET', apiPath('admins'), { schema: listOf(adminPersonSchema), signal })).data,
});

/** The invitations that were not yet accepted; for owners. */
export const invitesQuery = queryOptions({
  queryKey: ['invites'],
  queryFn: async ({ signal }) =>
    (await callApi('GET', apiPath('invites'), { schema: listOf(inviteSchema), signal })).data,
});

/** Where somebody is signed in; for owners. */
export function sessionsOfQuery(adminId: string) {
  return queryOptions({
    queryKey: ['people', adminId, 'sessions'],
    queryFn: async ({ signal }) =>
      (await callApi('GET', apiPath('admins', adminId, 'sessions'), { schema: listOf(adminSessionSchema), signal }))
        .data,
  });
}
