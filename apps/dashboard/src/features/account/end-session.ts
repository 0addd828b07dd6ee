import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { ownSessionsQuery } from './queries.js';

export function useEndOwnSession() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => callApiWithoutAnswer('DELETE', apiPath('admin', 'sessions', id)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: ownSessionsQuery.queryKey }),
  });
}
