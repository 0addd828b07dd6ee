import { useMutation, useQueryClient } from '@tanstack/react-query';
import { apiPath, callApiWithoutAnswer } from '../../lib/api.js';
import { collectionsQuery } from './queries.js';

/** Makes an empty collection. `isNew` is false when there was one of this name already, which stays as it is. */
export function useCreateCollection(database: string) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (name: string) => ({
      name,
      isNew: (await callApiWithoutAnswer('PUT', apiPath('databases', database, 'collections', name))) === 201,
    }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: collectionsQuery(database).queryKey }),
  });
}
