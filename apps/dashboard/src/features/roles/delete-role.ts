import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { rolesQuery } from './queries.js';

export function useDeleteRole(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => callApiWithoutAnswer('DELETE', apiPath('databases', database, 'roles', name)),
    onSettled: () => queryClient.invalidateQueries({ queryKey: rolesQuery(database).queryKey }),
  });
}
