import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type CreateInviteRequest, createdInviteSchema } from '@tidewire/protocol/admins';
import { apiPath, callApi } from '../../lib/api.js';
import { invitesQuery } from './queries.js';

/** The token stands in this one answer and is not put into the cache. */
export function useCreateInvite() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateInviteRequest) =>
      callApi('POST', apiPath('invites'), { schema: createdInviteSchema, body }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: invitesQuery.queryKey }),
    gcTime: 0,
  });
}
