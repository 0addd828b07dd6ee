import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';

/** From then on the collection takes any JSON object. */
export function useRemoveSchema(database: string, collection: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: () =>
      callApiWithoutAnswer('DELETE', apiPath('databases', database, 'collections', collection, 'schema')),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['databases', database, 'collections', collection] }),
  });
}
