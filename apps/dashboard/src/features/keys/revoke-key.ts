import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiKeySchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { keysQuery } from './queries.js';

export function useRevokeKey(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => callApi('DELETE', apiPath('databases', database, 'keys', id), { schema: apiKeySchema }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keysQuery(database).queryKey }),
  });
}
