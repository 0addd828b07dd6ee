import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type CreateKeyRequest, createdKeySchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { keysQuery } from './queries.js';

/** Creates a key. Its text stands in this one answer and is not put into the cache. */
export function useCreateKey(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (body: CreateKeyRequest) =>
      callApi('POST', apiPath('databases', database, 'keys'), { schema: createdKeySchema, body }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keysQuery(database).queryKey }),
    gcTime: 0,
  });
}
