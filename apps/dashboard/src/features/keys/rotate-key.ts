import { useMutation, useQueryClient } from '@tanstack/react-query';
import { createdKeySchema } from '@tidewire/protocol/admin-api';
import { apiPath, callApi } from '../../lib/api.js';
import { keysQuery } from './queries.js';

/** Gives a key another text. It stands in this one answer and is not put into the cache. */
export function useRotateKey(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlapSeconds }: { id: string; overlapSeconds: number }) =>
      callApi('POST', apiPath('databases', database, 'keys', id, 'rotate'), {
        schema: createdKeySchema,
        body: { overlapSeconds },
      }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keysQuery(database).queryKey }),
    gcTime: 0,
  });
}
