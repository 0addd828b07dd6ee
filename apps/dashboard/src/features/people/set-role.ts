import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type AdminRole, adminPersonSchema } from '@tidewire/protocol/admins';
import { apiPath, callApi } from '../../lib/api.js';
import { peopleQuery } from './queries.js';

export function useSetRole() {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: AdminRole }) =>
      callApi('PATCH', apiPath('admins', id), { schema: adminPersonSchema, body: { role } }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: peopleQuery.queryKey }),
  });
}
