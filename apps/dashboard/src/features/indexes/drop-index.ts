import { useMutation, useQueryClient } from '@tanstack/react-query';
import { indexAnswerSchema } from '@tidewire/protocol/collection-schema';
import { apiPath, callApi } from '../../lib/api.js';
import { indexesQuery } from './queries.js';

export function useDropIndex(database: string, collection: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      callApi('DELETE', apiPath('databases', database, 'collections', collection, 'indexes', name), {
        schema: indexAnswerSchema,
      }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: indexesQuery(database, collection).queryKey }),
  });
}
