import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiKeySchema, type UpdateKeyRequest } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { keysQuery } from './queries.js';

export function useUpdateKey(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: UpdateKeyRequest & { id: string }) =>
      callApi('PATCH', apiPath('databases', database, 'keys', id), { schema: apiKeySchema, body }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keysQuery(database).queryKey }),
  });
}
