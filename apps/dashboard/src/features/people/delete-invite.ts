import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { invitesQuery } from './queries.js';

export function useDeleteInvite() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => callApiWithoutAnswer('DELETE', apiPath('invites', id)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: invitesQuery.queryKey }),
  });
}
