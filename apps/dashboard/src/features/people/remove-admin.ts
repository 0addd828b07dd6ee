import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { peopleQuery } from './queries.js';

export function useRemoveAdmin() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => callApiWithoutAnswer('DELETE', apiPath('admins', id)),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: peopleQuery.queryKey }),
  });
}
