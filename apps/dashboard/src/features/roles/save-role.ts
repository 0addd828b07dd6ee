import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type CreateRoleRequest, roleSchema } from '@tidewire/protocol/roles';
import { apiPath, callApi } from '../../lib/api.js';
import { rolesQuery } from './queries.js';

/** Makes a role, or changes the one of this name. */
export function useSaveRole(database: string, { isNew }: { isNew: boolean }) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ name, ...body }: CreateRoleRequest) =>
      isNew
        ? callApi('POST', apiPath('databases', database, 'roles'), { schema: roleSchema, body: { name, ...body } })
        : callApi('PATCH', apiPath('databases', database, 'roles', name), { schema: roleSchema, body }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: rolesQuery(database).queryKey }),
  });
}
